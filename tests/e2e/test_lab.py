"""The lab's platform: its policies, its two contracts, its truth, and that nothing outlives it."""

import asyncio
import json
import os
import re
import resource
import shutil
import signal
import stat
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from coldbench.core.errors import ColdbenchError, UsageError
from coldbench.core.verdict import Verdict
from coldbench.targets.lab import parse_lab_url, start_lab
from tests.e2e.cli import alive, command_line, eventually, family, kill

_NO_GO = pytest.mark.skipif(shutil.which("go") is None, reason="there is no go toolchain")
RUNTIMES = ["python", "node", "custom", pytest.param("go", marks=_NO_GO)]


async def burst(
    url: str, size: int, *, headers: dict[str, str] | None = None, first: int = 0
) -> list[httpx.Response]:
    """`size` requests at once, each with its id."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=60) as client:
        return await asyncio.gather(
            *(
                client.get(url, headers={"X-Coldbench-Id": f"t-{first + n}", **(headers or {})})
                for n in range(size)
            )
        )


def send(url: str, size: int = 1, **more: Any) -> list[httpx.Response]:
    return asyncio.run(burst(url, size, **more))


def truth_of(path: Path) -> dict[str, dict[str, Any]]:
    return {line["id"]: line for line in map(json.loads, path.read_text().splitlines())}


def shim(response: httpx.Response) -> dict[str, str]:
    found = re.findall(r'([\w-]+);(?:dur=([\d.]+)|desc="([^"]*)")', response.headers["Server-Timing"])
    return {name: number or text for name, number, text in found}


def verdict_by_shim(response: httpx.Response) -> Verdict:
    """What the shim's header alone says."""
    said = shim(response)
    first, before = said["seq"] == "1", float(said["queue"]) > float(said["age"])
    if first:
        return Verdict.COLD if before else Verdict.PREINITIALISED
    return Verdict.COLD_AFFECTED if before else Verdict.WARM


def instances(lab_pid: int) -> set[int]:
    """The processes of functions: the lab's own are its modules."""
    return {pid for pid in alive(family(lab_pid)) if "coldbench.lab" not in command_line(pid)}


@pytest.mark.slow
@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_shim_alone_agrees_with_the_truth(tmp_path: Path, runtime: str, concurrency: int) -> None:
    truth = tmp_path / "truth.jsonl"
    spec = parse_lab_url(f"lab:{runtime}?concurrency={concurrency}&idle=300ms&preinit=2&truth={truth}")
    responses: list[httpx.Response] = []
    with start_lab([spec]) as lab:
        for size in (1, 10, 50, 10, 1):
            responses += send(lab.endpoints[0], size, first=len(responses))
            responses += send(lab.endpoints[0], size, first=len(responses))
            eventually(lambda: not instances(lab.process.pid))
    told = truth_of(truth)
    assert len(told) == len(responses)
    met = Counter(line["verdict"] for line in told.values())
    assert met["cold"]
    assert met["warm"]
    assert concurrency == 1 or met["cold_affected"]
    for number, response in enumerate(responses):
        assert response.status_code == 200
        assert verdict_by_shim(response) == told[f"t-{number}"]["verdict"], (
            told[f"t-{number}"],
            shim(response),
        )


def test_a_burst_from_nothing_pays_for_its_instances(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    with start_lab([parse_lab_url(f"lab:custom?truth={truth}")]) as lab:
        send(lab.endpoints[0], 10)
    told = list(truth_of(truth).values())
    cold = [line for line in told if line["verdict"] == "cold"]
    assert cold
    assert len({line["instance"] for line in cold}) == len(cold)
    for line in cold:
        assert line["init_ms"] > 0
        assert line["queue_ms"] + line["init_ms"] > 0


@pytest.mark.parametrize("concurrency", [1, 3])
def test_an_instance_never_has_more_than_its_concurrency(concurrency: int) -> None:
    hold = {"X-Coldbench-Hold-Ms": "200"}
    with start_lab([parse_lab_url(f"lab:python?concurrency={concurrency}&max=4")]) as lab:
        responses = send(lab.endpoints[0], 24, headers=hold)
    by_instance = Counter(shim(response)["inst"] for response in responses)
    assert len(by_instance) == 4  # the limit; the others queued
    starts: dict[str, list[tuple[float, int]]] = {}
    for response in responses:
        said = shim(response)
        age = float(said["age"])
        starts.setdefault(said["inst"], []).extend([(age, 1), (age + float(said["exec"]) - 1, -1)])
    for changes in starts.values():
        in_flight = highest = 0
        for _, change in sorted(changes):
            in_flight += change
            highest = max(highest, in_flight)
        assert highest == concurrency


def test_an_idle_instance_is_reaped_and_the_next_call_is_cold(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    with start_lab([parse_lab_url(f"lab:custom?idle=200ms&truth={truth}")]) as lab:
        send(lab.endpoints[0])
        assert instances(lab.process.pid)
        eventually(lambda: not instances(lab.process.pid))
        send(lab.endpoints[0], first=1)
    assert [line["verdict"] for line in truth_of(truth).values()] == ["cold", "cold"]


def test_instances_started_ahead_are_preinitialised(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    with start_lab([parse_lab_url(f"lab:python?preinit=2&truth={truth}")]) as lab:
        eventually(lambda: _both_ready(lab.process.pid))
        send(lab.endpoints[0])
    assert [line["verdict"] for line in truth_of(truth).values()] == ["preinitialised"]


def _both_ready(lab_pid: int) -> bool:
    pids = instances(lab_pid)
    return len(pids) == 2 and all(_listens(pid) for pid in pids)


def _listens(pid: int) -> bool:
    try:
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return False
    inodes = {link[8:-1] for link in links if link.startswith("socket:")}
    listening = {
        line.split()[9]
        for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    }
    return bool(inodes & listening)


def test_an_old_instance_is_recycled() -> None:
    with start_lab([parse_lab_url("lab:custom?max_age=300ms&idle=30s")]) as lab:
        seen = [shim(response)["inst"] for _ in range(40) for response in send(lab.endpoints[0])]
    assert len(set(seen)) > 1
    assert seen == sorted(seen, key=seen.index)  # one after another, none comes back


def test_an_unused_instance_that_grows_old_is_recycled_too() -> None:
    with start_lab([parse_lab_url("lab:custom?max_age=300ms&idle=1h")]) as lab:
        send(lab.endpoints[0])
        eventually(lambda: not instances(lab.process.pid))


def test_the_placement_delay_is_in_the_queue(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    with start_lab([parse_lab_url(f"lab:custom?start=uniform:200ms-300ms&seed=4&truth={truth}")]) as lab:
        send(lab.endpoints[0])
    (line,) = truth_of(truth).values()
    assert line["queue_ms"] >= 200


def test_the_round_trip_is_the_networks_and_not_the_platforms(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    with start_lab([parse_lab_url(f"lab:custom?rtt=2s&truth={truth}")]) as lab:
        (response,) = send(lab.endpoints[0])
    assert response.elapsed.total_seconds() >= 2
    (line,) = truth_of(truth).values()
    assert line["queue_ms"] + line["init_ms"] + line["exec_ms"] < 2000


def function(folder: Path, name: str, script: str) -> str:
    path = folder / name
    path.write_text(script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return f"lab:{folder}"


def test_an_init_that_fails_is_a_failed_start(tmp_path: Path) -> None:
    url = function(tmp_path, "start", "#!/bin/sh\necho 'no database' >&2; exit 7\n")
    truth = tmp_path / "truth.jsonl"
    with start_lab([parse_lab_url(f"{url}?truth={truth}")]) as lab:
        responses = send(lab.endpoints[0], 3)
    for response in responses:
        assert response.status_code == 502
        assert response.headers["X-Coldbench-Lab-Error"] == "start_failed"
        assert "no database" in response.json()["errorMessage"]
    assert {line["verdict"] for line in truth_of(truth).values()} == {"start_failed"}


def test_an_instance_that_dies_in_mid_call_is_lost(tmp_path: Path) -> None:
    url = function(
        tmp_path,
        "start",
        "#!/usr/bin/env python3\nimport os, socket\n"
        "s = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
        "while True:\n    c = s.accept()[0]\n    if c.recv(999): os._exit(3)\n",
    )
    with start_lab([parse_lab_url(url)]) as lab:
        (response,) = send(lab.endpoints[0])
    assert response.status_code == 502
    assert response.headers["X-Coldbench-Lab-Error"] == "instance_lost"


def test_calls_that_wait_for_an_instance_that_has_died_are_answered(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    url = function(
        tmp_path,
        "start",
        "#!/usr/bin/env python3\nimport os, socket\n"
        "socket.create_server(('127.0.0.1', int(os.environ['PORT']))).accept()\n",
    )
    with start_lab([parse_lab_url(f"{url}?concurrency=8&max=1&truth={truth}")]) as lab:
        responses = send(lab.endpoints[0], 24)
    assert {response.status_code for response in responses} == {502}
    assert {r.headers["X-Coldbench-Lab-Error"] for r in responses} <= {"instance_lost", "start_failed"}
    assert len(truth_of(truth)) == 24


def test_large_bodies_go_both_ways(tmp_path: Path) -> None:
    pytest.importorskip("awslambdaric")
    (tmp_path / "handler.py").write_text("def handler(event, context): return event['body']\n")
    body = "x" * (3 << 20)
    with start_lab([parse_lab_url(f"lab:{tmp_path}")]) as lab:
        response = httpx.post(lab.endpoints[0], content=body, trust_env=False, timeout=30)
    assert (response.status_code, response.text == body) == (200, True)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_without_evidence_nothing_tells(runtime: str) -> None:
    with start_lab([parse_lab_url(f"lab:{runtime}?evidence={mode}") for mode in ("none", "headers")]) as lab:
        none = [response for _ in range(2) for response in send(lab.endpoints[0])]
        headers = [response for _ in range(2) for response in send(lab.endpoints[1])]
    shown = [(sorted(set(response.headers) - {"date"}), response.content) for response in none]
    assert shown[0] == shown[1]  # cold and warm look the same
    assert set(none[0].headers) <= {"content-type", "content-length", "date", "server"}
    assert [response.headers["X-Cold-Start"] for response in headers] == ["true", "false"]
    assert "X-Init-Duration-Ms" in headers[0].headers
    assert "Server-Timing" not in headers[0].headers


@pytest.mark.slow
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_todolist_works_and_has_a_longer_init(runtime: str) -> None:
    urls = [f"lab:{runtime}/{name}?idle=50ms" for name in ("hello", "todolist")]
    inits: dict[str, list[float]] = {url: [] for url in urls}
    with start_lab([parse_lab_url(url) for url in urls]) as lab:
        with httpx.Client(base_url=lab.endpoints[1], trust_env=False, timeout=30) as api:
            made = api.post("todos", json={"title": "test the lab"})
            assert made.status_code == 201
            number = made.json()["id"]
            assert number in [todo["id"] for todo in api.get("todos").json()]
            assert api.post(f"todos/{number}/complete").json()["done"] is True
            assert api.delete(f"todos/{number}").status_code == 200
            assert api.delete(f"todos/{number}").status_code == 404
            assert api.post("todos", content="no json").status_code == 400
        for _ in range(5):
            for url, endpoint in zip(urls, lab.endpoints, strict=True):
                eventually(lambda: not instances(lab.process.pid))
                inits[url].append(float(shim(send(endpoint)[0])["init"]))
    hello, todolist = (statistics.median(inits[url]) for url in urls)
    assert todolist > 1.1 * hello


@pytest.mark.parametrize("how", ["stdin", "sigterm", "sigkill"])
@pytest.mark.promise("the lab is ended or killed", "no instance is left")
def test_nothing_outlives_the_lab(how: str) -> None:
    with start_lab([parse_lab_url(f"lab:{runtime}") for runtime in ("python", "node", "custom")]) as lab:
        for endpoint in lab.endpoints:
            send(endpoint, 3)
        everybody = family(lab.process.pid)
        assert len(everybody) >= 5
        if how == "sigterm":
            lab.process.send_signal(signal.SIGTERM)
        elif how == "sigkill":
            kill(lab.process.pid)
        else:
            assert lab.process.stdin
            lab.process.stdin.close()
        lab.process.wait(20)
        eventually(lambda: not alive(everybody - {lab.process.pid}))


def test_a_truth_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    url = f"lab:python?truth={tmp_path}/no/such/folder/truth.jsonl"
    with pytest.raises(UsageError, match="truth: cannot be written"), start_lab([parse_lab_url(url)]):
        pass


def test_a_lab_takes_more_callers_than_a_shell_allows_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 512:
        pytest.skip("no more descriptors to be had")
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))  # what the lab is started with
    try:
        with start_lab([parse_lab_url("lab:python?concurrency=100&max=4")]) as lab:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            assert {response.status_code for response in send(lab.endpoints[0], 200)} == {200}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_folder_without_a_function_is_said(tmp_path: Path) -> None:
    with pytest.raises(ColdbenchError, match="bootstrap"), start_lab([parse_lab_url(f"lab:{tmp_path}")]):
        pass


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("lab:", "unknown runtime"),
        ("lab:python?start=uniform:80ms-20ms", "uniform:20ms-80ms"),
        ("lab:python?start=lognormal:50ms:nan", "lognormal:50ms:0.5"),
        ("lab:python?start=lognormal:50ms:9", "lognormal:50ms:0.5"),
        ("lab:python?preinit=3&max=2", "preinit: more than max"),
        ("lab:python?seed=12345678901", "at most 9 digits"),
        ("lab:ruby", "unknown runtime"),
        ("lab:python/nothing", "hello, todolist"),
        ("lab:python?idle=5", "duration"),
        ("lab:python?concurrency=0", "at least 1"),
        ("lab:python?max=many", "whole number"),
        ("lab:python?evidence=some", "full, headers, none"),
        ("lab:python?start=normal:1s", "lognormal"),
        ("lab:python?colour=red", "unknown key"),
        ("lab:./nowhere", "no folder"),
    ],
)
def test_a_bad_url_says_what_was_expected(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_lab_url(url)


def test_a_url_says_everything() -> None:
    spec = parse_lab_url(
        "lab:node/todolist?idle=2s&concurrency=4&max=7&start=lognormal:50ms:0.5&evidence=none&seed=3"
    )
    assert (spec.runtime, spec.idle_ns, spec.concurrency, spec.max_instances) == ("node", 2 * 10**9, 4, 7)
    assert (spec.start.kind, spec.start.a_ns, spec.start.sigma) == ("lognormal", 50 * 10**6, 0.5)
    assert spec.folder.endswith("functions/node/todolist")

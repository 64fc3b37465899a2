"""A run that several engines share: nothing twice, nothing lost that was taken, and losses said."""

import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import COLDBENCH, add_up, coldbench, eventually, family, only_folder, parsed, started
from tests.e2e.raw_server import Visit, ok, raw_server

MIXED = """
[[stage]]
kind = "burst"
size = 25
[[stage]]
kind = "rate"
rate = 100
duration = "1s"
[[stage]]
kind = "idle"
duration = "200ms"
[[stage]]
kind = "users"
users = 4
duration = "500ms"
"""


async def hello(visit: Visit) -> bytes:
    return ok(b"hello")


def rows(folder: Path) -> list[dict[str, Any]]:
    database = sqlite3.connect(folder / "samples.db")
    database.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in database.execute("SELECT * FROM invocation ORDER BY seq")]
    finally:
        database.close()


def waiting_master(process: "subprocess.Popen[str]") -> str:
    """HOST:PORT, as it tells people."""
    assert process.stderr
    line = next(line for line in process.stderr if "--master" in line)
    return line.split("--master")[1].split()[0]


def test_several_processes_share_every_stage(tmp_path: Path) -> None:
    (tmp_path / "mixed.toml").write_text(MIXED)
    with raw_server(hello) as server:
        done = coldbench(
            *("run", "--url", server.url, "--profile", "mixed.toml", "--processes", "3", "--json", "-"),
            cwd=tmp_path,
        )
        visits = len(server.visits)
    assert done.returncode == 0, done.stderr
    record = parsed(done)
    add_up(record)
    found = rows(only_folder(tmp_path))
    assert record["counts"]["completed"] == record["counts"]["intended"] == len(found) == visits
    assert [row["seq"] for row in found[:125]] == list(range(125))
    by_stage = {
        stage: Counter(row["worker"] for row in found if row["phase"].endswith(stage))
        for stage in ("burst", "rate", "users")
    }
    assert by_stage["burst"] == {0: 9, 1: 8, 2: 8}
    assert by_stage["rate"] == {0: 34, 1: 33, 2: 33}
    assert set(by_stage["users"]) == {0, 1, 2}
    # The stage's arrivals are 10 ms apart, whoever sent them.
    intended = [row["intended_ns"] for row in found if row["phase"].endswith("rate")]
    gaps = [after - before for before, after in pairwise(intended)]
    assert all(abs(gap - 10_000_000) < 2_000_000 for gap in gaps)
    assert [worker["rank"] for worker in record["workers"]] == [0, 1, 2]
    assert all(worker["clock_error_ms"] < 50 for worker in record["workers"])
    assert all(worker["lost_after_s"] is None for worker in record["workers"])


@pytest.mark.slow
def test_workers_come_with_the_token_and_only_so_many(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a long enough secret of this test\n")
    (tmp_path / "wrong").write_text("another secret, which is as long\n")
    (tmp_path / "mixed.toml").write_text(MIXED.replace("1s", "4s"))
    run = ("run", "--profile", "mixed.toml", "--expect-workers", "2", "--token-file", "token", "--json", "-")
    with raw_server(hello) as server, started(*run, "--url", server.url, cwd=tmp_path) as master:
        where = waiting_master(master)
        intruder = coldbench("worker", "--master", where, "--token-file", "wrong", cwd=tmp_path)
        assert intruder.returncode == 1
        assert "token" in intruder.stderr
        tokenless = coldbench("worker", "--master", where, cwd=tmp_path)
        assert tokenless.returncode == 1
        assert not server.visits
        join = ("worker", "--master", where, "--token-file", "token")
        with started(*join, cwd=tmp_path) as one, started(*join, cwd=tmp_path) as two:
            eventually(lambda: len(server.visits) > 30)
            late = coldbench(*join, cwd=tmp_path)
            assert late.returncode == 1
            assert "has its 2 workers" in late.stderr
            out, words = master.communicate(timeout=60)
            assert {one.wait(30), two.wait(30)} == {0}
    assert master.returncode == 0, words
    record = json.loads(out)
    add_up(record)
    assert record["counts"]["completed"] == record["counts"]["intended"] == len(server.visits)
    assert "secret" not in (only_folder(tmp_path) / "run.json").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("engine_too", [pytest.param(False, marks=pytest.mark.accept), True])
@pytest.mark.promise(
    "a worker is killed in mid-run",
    "it is named, what the others measured is kept, exit 4",
)
def test_a_killed_worker_is_named_and_the_rest_is_kept(tmp_path: Path, engine_too: bool) -> None:
    (tmp_path / "rate.toml").write_text('[[stage]]\nkind = "rate"\nrate = 100\nduration = "8s"\n')
    run = ("run", "--profile", "rate.toml", "--expect-workers", "2", "--json", "-")
    with raw_server(hello) as server, started(*run, "--url", server.url, cwd=tmp_path) as master:
        join = ("worker", "--master", waiting_master(master))
        with started(*join, cwd=tmp_path) as one, started(*join, cwd=tmp_path) as two:
            eventually(lambda: len(server.visits) > 150)
            # Alone, its engine sees the end of its input and goes with it; with it, it falls silent.
            for pid in family(two.pid) if engine_too else [two.pid]:
                os.kill(pid, signal.SIGKILL)
            out, words = master.communicate(timeout=60)
            one.wait(30)
    assert master.returncode == 4, words
    record = json.loads(out)
    add_up(record)
    assert record["state"] == "degraded"
    assert record["counts"]["intended"] == 800
    assert 200 < record["counts"]["dropped"] < 400
    assert any("was lost" in note for note in record["notes"])
    lost = [worker for worker in record["workers"] if worker["lost_after_s"] is not None]
    assert len(lost) == 1
    kept = Counter(row["worker"] for row in rows(only_folder(tmp_path)))
    assert kept[1 - lost[0]["rank"]] == 400


def stop_at_random(tmp_path: Path, times: int, seed: int) -> None:
    moments = random.Random(seed)
    (tmp_path / "mixed.toml").write_text(MIXED)
    run = ("run", "--profile", "mixed.toml", "--processes", "2", "--json", "-")
    for _ in range(times):
        with raw_server(hello) as server, started(*run, "--url", server.url, cwd=tmp_path) as process:
            time.sleep(0.4 + moments.random() * 5)  # the moment is the point of the test
            process.send_signal(moments.choice([signal.SIGINT, signal.SIGTERM]))
            out, words = process.communicate(timeout=60)
            sent = len(server.visits)
        # Before it listens to signals, and when it is over, one ends it as it ends any process.
        assert process.returncode in (0, 130, -signal.SIGINT, -signal.SIGTERM), words
        if not out:
            assert process.returncode != 0
            continue  # stopped before there was a folder
        record = json.loads(out)
        add_up(record)
        counts = record["counts"]
        assert counts["completed"] + counts["errors"] + counts["unfinished"] == counts["sent"] == sent


@pytest.mark.slow
@pytest.mark.promise(
    "a distributed run is stopped at random moments (200 in make accept)",
    "the counts always add up",
)
def test_a_stop_at_any_moment_adds_up(tmp_path: Path) -> None:
    stop_at_random(tmp_path, times=2, seed=21)


def test_a_worker_without_a_share_can_be_ended(tmp_path: Path) -> None:
    # Somebody listens there who never says a word; a worker waits a minute for one.
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        started("worker", "--master", f"127.0.0.1:{silent.getsockname()[1]}", cwd=tmp_path) as worker,
    ):
        connection, _ = silent.accept()
        with connection:
            worker.send_signal(signal.SIGINT)
            _, words = worker.communicate(timeout=40)
    assert worker.returncode == 130, words


@pytest.mark.accept
def test_two_hundred_stops_add_up(tmp_path: Path) -> None:
    stop_at_random(tmp_path, times=200, seed=22)


@contextmanager
def namespaces(number: int) -> Iterator[list[str]]:
    """Machines on one switch, as network namespaces: their names; the address of the k-th is 10.77.0.k+1."""
    mark = f"cb{os.getpid()}"
    with ExitStack() as cleanup:

        def ip(*words: str) -> None:
            subprocess.run(["ip", *words], check=True, capture_output=True)

        ip("link", "add", mark, "type", "bridge")
        cleanup.callback(subprocess.run, ["ip", "link", "del", mark], capture_output=True)
        ip("link", "set", mark, "up")
        names = []
        for place in range(number):
            name, near = f"{mark}n{place}", f"{mark}v{place}"
            ip("netns", "add", name)
            cleanup.callback(subprocess.run, ["ip", "netns", "del", name], capture_output=True)
            ip("link", "add", near, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("link", "set", near, "master", mark, "up")
            ip("-n", name, "addr", "add", f"10.77.0.{place + 1}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
            names.append(name)
        yield names


SERVER = """
import asyncio
async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\\r\\n\\r\\n"):
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    except asyncio.IncompleteReadError:
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "10.77.0.1", 8080)
    print("ready", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("ip"), reason="needs root and iproute2 for namespaces"
)
@pytest.mark.promise(
    "four workers in network namespaces, one killed, one late",
    "the counts add up, exit 4; the late one is refused",
)
def test_five_machines_one_of_which_dies_and_one_comes_late(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a long enough secret of this test\n")
    (tmp_path / "rate.toml").write_text('[[stage]]\nkind = "rate"\nrate = 80\nduration = "9s"\n')

    def on(name: str, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["ip", "netns", "exec", name, *words],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    with namespaces(6) as names, ExitStack() as running:

        def start(name: str, *words: str) -> "subprocess.Popen[str]":
            process = running.enter_context(on(name, *words))
            running.callback(process.kill)
            return process

        server = start(names[0], sys.executable, "-c", SERVER)
        assert server.stdout
        assert server.stdout.readline() == "ready\n"
        refused = on(names[1], *COLDBENCH, "run", "--url", "http://10.77.0.1:8080/", "--profile", "rate.toml",
                     "--expect-workers", "4", "--bind", "10.77.0.2")  # fmt: skip
        assert "--token-file" in refused.communicate(timeout=30)[1]
        assert refused.returncode == 2
        master = start(
            names[1], *COLDBENCH, "run", "--url", "http://10.77.0.1:8080/", "--profile", "rate.toml",
            "--expect-workers", "4", "--bind", "10.77.0.2", "--token-file", "token", "--json", "-",
        )  # fmt: skip
        where = waiting_master(master)
        assert where.startswith("10.77.0.2:")
        join = (*COLDBENCH, "worker", "--master", where, "--token-file", "token")
        workers = [start(names[place], *join) for place in (1, 2, 3, 4)]
        assert workers[0].stderr
        for worker in workers:
            assert worker.stderr
            assert "joined" in worker.stderr.readline()
        time.sleep(4)  # in mid-run
        workers[3].kill()
        late = on(names[5], *join)
        assert "has its 4 workers" in late.communicate(timeout=60)[1]
        out, words = master.communicate(timeout=90)
    assert master.returncode == 4, words
    record = json.loads(out)
    add_up(record)
    assert record["state"] == "degraded"
    assert record["counts"]["intended"] == 720
    lost = [worker for worker in record["workers"] if worker["lost_after_s"] is not None]
    assert len(lost) == 1
    kept = Counter(row["worker"] for row in rows(only_folder(tmp_path)))
    assert sorted(kept[worker["rank"]] for worker in record["workers"] if worker not in lost) == [180] * 3

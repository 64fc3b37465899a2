"""`coldbench keepwarm` against the lab and against trouble, with real processes."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.cli import add_up, coldbench, eventually, only_folder, parsed, started
from tests.e2e.raw_server import Visit, ok, raw_server

LIFETIME_S = 3


@contextmanager
def lab(spec: str, cwd: Path) -> Iterator[str]:
    """A lab that several commands share; the function's URL."""
    with started("lab", spec, cwd=cwd) as process:
        assert process.stdout
        yield process.stdout.readline().split()[0]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def keep(cwd: Path, *arguments: str, within_s: float = 110) -> tuple[int, dict[str, Any]]:
    done = coldbench("keepwarm", *arguments, "--seed", "1", "--json", "-", cwd=cwd, within_s=within_s)
    assert done.stdout, done.stderr
    record = parsed(done)
    add_up(record)
    return done.returncode, record


def events(cwd: Path) -> list[dict[str, Any]]:
    found = [
        json.loads(line)
        for path in cwd.glob("reports/*/events.jsonl")
        for line in path.read_text().splitlines()
    ]
    return sorted(found, key=lambda event: event["at_s"])


@pytest.mark.slow
@pytest.mark.parametrize(("instances", "concurrency"), [(3, 4)])
def test_n_instances_are_reached_and_stay(tmp_path: Path, instances: int, concurrency: int) -> None:
    url = f"lab:python?idle={LIFETIME_S}s&concurrency={concurrency}"
    code, record = keep(tmp_path, "--url", url, "--instances", str(instances), "--every", "1s", "--for", "7s")
    kept = record["keepwarm"]
    assert (kept["asked"], kept["reached"], kept["coverage_pct"]) == (instances, instances, 100.0)
    assert kept["targets"][0]["cold"] == 0
    assert kept["targets"][0]["held_by"] == "rendezvous"
    assert code == 0


@pytest.mark.slow
def test_callers_meet_no_cold_start_while_it_runs_and_do_after_it(tmp_path: Path) -> None:
    with lab(f"lab:python?idle={LIFETIME_S}s", tmp_path) as url:
        (tmp_path / "three.toml").write_text('[[stage]]\nkind = "burst"\nsize = 3\n')
        load = ("run", "--url", url, "--profile", "three.toml", "--json", "-", "--out", "loads")
        with started(
            *("keepwarm", "--url", url, "--instances", "3", "--every", "1s", "--seed", "1"), cwd=tmp_path
        ) as keeping:
            eventually(lambda: len(events(tmp_path)) >= 4)
            # Its own pings hold the three for 75 ms of each second: between two rounds they are free.
            before = len(events(tmp_path))
            eventually(lambda: len(events(tmp_path)) > before)
            during = parsed(coldbench(*load, cwd=tmp_path))
            keeping.send_signal(signal.SIGTERM)
            keeping.communicate(timeout=20)
            assert keeping.returncode == 0
        (tmp_path / "later.toml").write_text(
            f'[[stage]]\nkind = "idle"\nduration = "{LIFETIME_S + 2}s"\n[[stage]]\nkind = "burst"\nsize = 3\n'
        )
        after = parsed(
            coldbench(*("later.toml" if word == "three.toml" else word for word in load), cwd=tmp_path)
        )
    assert during["results"][0]["verdicts"]["cold"] == 0
    assert after["results"][0]["verdicts"]["cold"] >= 1


@pytest.mark.accept
def test_fewer_than_asked_by_an_estimate_is_said(tmp_path: Path) -> None:
    url = f"lab:python?idle={LIFETIME_S}s&evidence=none&max=4"
    code, record = keep(tmp_path, "--url", url, "--instances", "6", "--every", "1s", "--for", "6s")
    kept = record["keepwarm"]["targets"][0]
    assert kept["estimated"]
    assert abs(kept["reached"] - 4) <= 1
    assert code == 4


@pytest.mark.accept
@pytest.mark.parametrize("instances", [1, 5, 20])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_five_minutes_are_covered(tmp_path: Path, instances: int, concurrency: int) -> None:
    """All instances in at least 19 of 20 rounds."""
    url = f"lab:python?idle={LIFETIME_S}s&concurrency={concurrency}"
    code, record = keep(
        tmp_path, "--url", url, "--instances", str(instances), "--every", "1s", "--for", "5m", within_s=400
    )
    kept = record["keepwarm"]
    print(f"N = {instances}, c = {concurrency}: {kept['coverage_pct']:.1f} % of {kept['rounds']} rounds")
    assert kept["coverage_pct"] >= 95
    assert code == 0


@pytest.mark.accept
@pytest.mark.parametrize("most", range(1, 11))
def test_the_estimate_is_within_one(tmp_path: Path, most: int) -> None:
    url = f"lab:python?idle={LIFETIME_S}s&evidence=none&max={most}"
    _, record = keep(tmp_path, "--url", url, "--instances", "10", "--every", "1s", "--for", "8s")
    kept = record["keepwarm"]["targets"][0]
    assert kept["estimated"]
    assert abs(kept["reached"] - most) <= 1


@pytest.mark.accept
def test_the_cadence_is_found(tmp_path: Path) -> None:
    url = f"lab:python?idle={LIFETIME_S}s"
    code, record = keep(tmp_path, "--url", url, "--lifetime", "1500ms", "--instances", "1", "--for", "25s")
    every_s = record["keepwarm"]["targets"][0]["every_s"]
    assert LIFETIME_S / 3 < every_s < LIFETIME_S
    assert code in (0, 4)


def test_nothing_answers(tmp_path: Path) -> None:
    done = coldbench(
        *("keepwarm", "--url", "http://127.0.0.1:1/", "--every", "1s", "--for", "2s", "--json", "-"),
        cwd=tmp_path,
    )
    assert done.returncode == 3
    assert "no target ever answered" in done.stderr


def test_one_instance_that_takes_all_is_fewer_than_asked(tmp_path: Path) -> None:
    async def same(visit: Visit) -> bytes:
        return ok(b"", b'Server-Timing: seq;desc="9", inst;desc="a", age;dur=5000, exec;dur=1')

    with raw_server(same) as server:
        code, record = keep(
            tmp_path, "--url", server.url, "--instances", "3", "--every", "500ms", "--for", "3s"
        )
    kept = record["keepwarm"]["targets"][0]
    assert (kept["reached"], kept["coverage_pct"]) == (1, 0.0)
    assert kept["held_by"] == "execution"
    assert any("--hold-with" in note for note in kept["notes"])
    assert code == 4


def test_pings_in_flight_at_a_second_interrupt_are_unfinished(tmp_path: Path) -> None:
    """They were dropped, as if never started, in a run that was complete."""

    async def slow_in_rounds(visit: Visit) -> bytes:
        if len(server.visits) > 12:
            await asyncio.sleep(60)
        return ok(b"", b'Server-Timing: seq;desc="9", inst;desc="a", age;dur=5000, exec;dur=1')

    with raw_server(slow_in_rounds) as server:
        asked = ("keepwarm", "--url", server.url, "--every", "100ms", "--json", "-")
        with started(*asked, cwd=tmp_path) as keeping:
            eventually(lambda: len(server.visits) > 12)
            keeping.send_signal(signal.SIGINT)
            # Two signals that come together are one.
            time.sleep(0.5)
            keeping.send_signal(signal.SIGINT)
            out, words = keeping.communicate(timeout=30)
    assert keeping.returncode == 130, words
    record = json.loads(out)
    assert (record["counts"]["unfinished"], record["counts"]["dropped"]) == (1, 0)
    assert record["state"] == "interrupted"
    add_up(record)


def test_without_ids_and_a_hold_nothing_is_claimed(tmp_path: Path) -> None:
    """One instance that served all was three, covered to 100 %."""

    async def nameless(visit: Visit) -> bytes:
        return ok(b"{}")

    with raw_server(nameless) as server:
        code, record = keep(
            tmp_path, "--url", server.url, "--instances", "3", "--every", "300ms", "--for", "2s"
        )
    assert code == 4
    kept = record["keepwarm"]
    assert kept["rounds"] > 2
    assert (kept["reached"], kept["coverage_pct"]) == (None, None)
    assert any("how many there were is not known" in note for note in record["notes"])


@pytest.mark.parametrize("status", [503, 404, 429])
def test_what_answers_in_the_functions_place_keeps_nothing_warm(tmp_path: Path, status: int) -> None:
    """It was one instance, covered to 100 %, with exit code 0."""

    async def refusing(visit: Visit) -> bytes:
        return b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status

    with raw_server(refusing) as server:
        code, record = keep(tmp_path, "--url", server.url, "--every", "200ms", "--for", "2s")
    assert code == 4
    kept = record["keepwarm"]
    assert (kept["reached"], kept["rounds"]) == (None, 0)
    assert not kept["coverage_pct"]
    assert any(f"the last with status {status}" in note for note in record["notes"])


@pytest.mark.slow
@pytest.mark.promise("keepwarm is ended or killed, and started again", "it goes on with what was found")
def test_sigterm_ends_in_order_and_a_killed_one_is_gone_on_with(tmp_path: Path) -> None:
    with lab(f"lab:python?idle={LIFETIME_S}s&concurrency=4", tmp_path) as url:
        asked = ("keepwarm", "--url", f"f={url}", "--instances", "3", "--every", "1s")
        with started(*asked, cwd=tmp_path) as first:
            eventually(lambda: len(events(tmp_path)) >= 4)
            first.kill()
            first.communicate()
        settled = events(tmp_path)[-1]
        assert settled["pings"] > 3
        folder = only_folder(tmp_path)
        listed = coldbench("report", folder.name, "--format", "json", cwd=tmp_path)
        assert json.loads(listed.stdout)["state"] == "interrupted"
        with started(*asked, "--json", "-", cwd=tmp_path) as second:
            eventually(lambda: len(list(tmp_path.glob("reports/*/events.jsonl"))) == 2)
            (newer,) = (path for path in tmp_path.glob("reports/*/events.jsonl") if path.parent != folder)
            eventually(lambda: len(newer.read_text().splitlines()) >= 4)
            second.send_signal(signal.SIGTERM)
            out, words = second.communicate(timeout=20)
    record = json.loads(out)
    assert second.returncode == 0, words
    assert record["state"] == "complete"
    # It began with what the other one had found.
    assert json.loads(newer.read_text().splitlines()[0])["pings"] == settled["pings"]


@pytest.mark.slow
def test_what_was_found_for_others_is_not_gone_on_with(tmp_path: Path) -> None:
    asked = ("--every", "500ms", "--for", "2s", "--name", "n")
    keep(tmp_path, "--url", f"f=lab:python?idle={LIFETIME_S}s&concurrency=4", "--instances", "3", *asked)
    found = {path.parent.name for path in tmp_path.glob("reports/*/events.jsonl")}
    keep(tmp_path, "--url", f"f=lab:python?idle={LIFETIME_S}s", "--instances", "2", *asked)
    (newer,) = (path for path in tmp_path.glob("reports/*/events.jsonl") if path.parent.name not in found)
    assert json.loads(newer.read_text().splitlines()[0])["pings"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failures", "lasting"),
    [(2, "12s"), pytest.param(5, "50s", marks=pytest.mark.accept)],  # down for 3 s and for 20 s and more
)
@pytest.mark.promise(
    "one of several kept-warm targets is down for a while",
    "the others go on; it is found again",
)
def test_a_target_that_is_down_for_a_while_does_not_stop_the_others(
    tmp_path: Path, failures: int, lasting: str
) -> None:
    async def sometimes(visit: Visit) -> bytes | None:
        if len(one.visits) in range(12, 12 + failures):
            return None  # closes without an answer
        return ok(b"", b'Server-Timing: seq;desc="9", inst;desc="a", age;dur=5000, exec;dur=1')

    async def always(visit: Visit) -> bytes:
        return ok(b"", b'Server-Timing: seq;desc="9", inst;desc="b", age;dur=5000, exec;dur=1')

    with raw_server(sometimes) as one, raw_server(always) as other:
        code, record = keep(
            tmp_path,
            *("--url", f"one={one.url}", "--url", f"other={other.url}", "--every", "300ms", "--for", lasting),
        )
    by_name = {kept["target"]: kept for kept in record["keepwarm"]["targets"]}
    assert by_name["other"]["rounds"] > by_name["one"]["rounds"] > 8
    assert record["counts"]["errors"] == failures
    # Nobody was kept warm meanwhile, for longer than one round in twenty: the exit code says so.
    assert by_name["one"]["missed"] > 0
    assert by_name["one"]["coverage_pct"] < 95
    assert by_name["other"]["missed"] == 0
    assert any("nothing answered for" in note for note in by_name["one"]["notes"])
    assert code == 4


@pytest.mark.slow
def test_a_ping_longer_than_the_period_does_not_pile_up(tmp_path: Path) -> None:
    at_once = most = 0

    async def slow(visit: Visit) -> bytes:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.5)
        at_once -= 1
        return ok(b"", b'Server-Timing: seq;desc="9", inst;desc="a", age;dur=5000, exec;dur=500')

    with raw_server(slow) as server:
        _, record = keep(tmp_path, "--url", server.url, "--every", "100ms", "--for", "6s")
    assert most == 1
    assert any("took longer than the period" in note for note in record["notes"])


@pytest.mark.slow
def test_without_a_word_on_first_uses_a_period_that_is_too_long_is_shortened(tmp_path: Path) -> None:
    """It was lengthened, and no cold start was said to slip through, while each ping met one."""
    last_s = 0.0

    async def living_for_1500_ms(visit: Visit) -> bytes:
        nonlocal last_s
        if time.monotonic() - last_s > 1.5:
            await asyncio.sleep(0.6)
        last_s = time.monotonic()
        return ok(b"{}")

    with raw_server(living_for_1500_ms) as server:
        code, record = keep(tmp_path, "--url", server.url, "--lifetime", "5s", "--for", "14s")
    (kept,) = record["keepwarm"]["targets"]
    # Rounds of the periods that were too long met nothing that had stayed: they cover nothing.
    assert code == 4
    assert kept["reached"] == 1
    assert kept["cold"] is None
    assert kept["slow"] >= 1
    assert kept["every_s"] < 4


def test_prometheus_reads_what_it_counts(tmp_path: Path) -> None:
    async def same(visit: Visit) -> bytes:
        return ok(b"", b'Server-Timing: seq;desc="9", inst;desc="a", age;dur=5000, exec;dur=1')

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with raw_server(same) as server:
        asked = ("keepwarm", "--url", f"f={server.url}", "--every", "200ms", "--metrics", str(port))
        with started(*asked, cwd=tmp_path) as keeping:
            eventually(lambda: len(events(tmp_path)) >= 3)
            text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
            keeping.send_signal(signal.SIGTERM)
            keeping.communicate(timeout=20)
    found = {
        line.split()[0]: float(line.split()[1]) for line in text.splitlines() if not line.startswith("#")
    }
    assert found['coldbench_instances_reached{faas_name="f"}'] == 1
    assert found['faas_invocations_total{faas_name="f"}'] >= 6
    assert found['faas_coldstarts_total{faas_name="f"}'] == 0


def test_the_search_begins_at_the_lifetime_that_was_measured(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "20260101T000000Z_lifetime_f"
    folder.mkdir(parents=True)
    interval = {"value": 300, "low": 250, "high": 320}
    record = {
        "run_id": "r", "command": "lifetime", "name": "f", "version": "0",
        "started_at": "2026-01-01T00:00:00+00:00",
        "state": "complete", "targets": [{"name": "f", "url": "https://f.example.com/"}],
        "lifetime": {"p10": interval},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record))
    asked = ("keepwarm", "--dry-run", "--url")
    assert "about every 3m 20s" in coldbench(*asked, "https://f.example.com/", cwd=tmp_path).stdout
    assert "about every 30s" in coldbench(*asked, "https://g.example.com/", cwd=tmp_path).stdout


def test_a_schedule_for_elsewhere(tmp_path: Path) -> None:
    done = coldbench(
        *("keepwarm", "--url", "https://f.example.com/", "--instances", "3", "--every", "4m"),
        *("--export", "crontab"),
        cwd=tmp_path,
    )
    assert done.returncode == 0
    assert "*/4 * * * * seq 3 | xargs -P 3" in done.stdout


def planned(cwd: Path, *arguments: str) -> str:
    """What a dry run says, in one line; it sends and keeps nothing."""
    done = coldbench("keepwarm", "--url", "http://127.0.0.1:1/", "--dry-run", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    assert not (cwd / "reports").exists()
    return " ".join(done.stdout.split())


TRAFFIC = ("--arrivals", "24", "--lifetime", "5m")


def test_the_plan_and_its_price(tmp_path: Path) -> None:
    said = planned(tmp_path, "--every", "300s", "--price", "aws_lambda", "--memory", "1024", *TRAFFIC)
    assert "at least 288 pings a day" in said
    assert "0.013 USD a month" in said
    assert "provisioned: 10.80 USD a month" in said
    assert "22.1 of 24 calls a day are cold without it" in said


def test_a_plan_that_pings_too_seldom_says_what_it_leaves(tmp_path: Path) -> None:
    said = planned(tmp_path, "--every", "10m", *TRAFFIC)
    assert "22.1 of 24 calls a day are cold without it" in said
    assert "about 11.0 with it, since the period is longer than that" in said


def test_the_price_of_a_request_of_ones_own_is_not_known(tmp_path: Path) -> None:
    said = planned(tmp_path, "--hold-with", "/slow", "--price", "aws_lambda", *TRAFFIC)
    assert "what that costs is not known" in said
    assert "USD" not in said


@pytest.mark.slow
def test_several_targets_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "keepwarm.toml").write_text(
        f'[[target]]\nname = "one"\nurl = "lab:python?idle={LIFETIME_S}s"\ninstances = 2\nevery = "1s"\n'
        f'[[target]]\nname = "two"\nurl = "lab:node?idle={LIFETIME_S}s"\nevery = "500ms"\n'
    )
    code, record = keep(tmp_path, "--file", "keepwarm.toml", "--for", "6s")
    by_name = {kept["target"]: kept for kept in record["keepwarm"]["targets"]}
    assert [(by_name[name]["asked"], by_name[name]["reached"]) for name in ("one", "two")] == [(2, 2), (1, 1)]
    assert by_name["two"]["rounds"] > by_name["one"]["rounds"]
    assert code == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "target"),
        ("[[target]]\nurl = 3\n", "$.target[0].url"),
        ('[[target]]\nurl = "http://h/"\ninstance = 3\n', "instance"),
        ('[[target]]\nurl = "http://h/"\n[[target]]\nurl = "http://h/b"\n', "2 targets are called h"),
        ('[[target]]\nurl = "http://h/"\ninstances = 0\n', "target 1"),
    ],
)
def test_a_file_that_is_none_is_said(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "keepwarm.toml").write_text(content)
    done = coldbench("keepwarm", "--file", "keepwarm.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert words in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--every", "0s"], "above 0"),
        (["--window", "monday"], "mon-fri 08:00-20:00"),
        (["--tz", "Mars/Olympus"], "no such time zone"),
        (["--max-cost", "1"], "--price PLATFORM"),
        (["--price", "acme"], "aws_lambda"),
        (["--export", "windows"], "crontab"),
        (["--metrics", "there"], "HOST:PORT"),
        (["--arrivals", "-3"], "above 0"),
        (["--arrivals", "none.csv"], "none.csv"),
        (["--file", "keepwarm.toml"], "one place"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = coldbench("keepwarm", "--url", "http://127.0.0.1:1/", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert words in done.stderr

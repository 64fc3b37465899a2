"""Nothing is lost: open schedules through stalls, stops at any moment, large runs."""

import asyncio
import json
import random
import resource
import signal
import time
from pathlib import Path

import pytest

from coldbench.core.messages import Started
from coldbench.runs.samples import read_invocations
from tests.e2e.cli import (
    add_up,
    alive,
    coldbench,
    command_line,
    eventually,
    family,
    kill,
    only_folder,
    parsed,
    started,
)
from tests.e2e.engine_process import run_engine, target
from tests.e2e.raw_server import Visit, ok, raw_server

_STALL_S, _CYCLE_S = 1.5, 4.0


@pytest.mark.slow
@pytest.mark.promise(
    "the target stalls for 1.5 s every 4 s",
    "every intended call is sent; response times hold the stall",
)
def test_a_stalling_server_is_measured_from_the_intended_start() -> None:
    """A server that stalls for 1.5 s in every 4: a closed loop would send less and see nothing of it."""
    began = time.monotonic()

    def left_of_stall(at_s: float) -> float:
        """How long a request that comes then is held: the stall is the first part of each cycle."""
        return max(0.0, _STALL_S - (at_s - began) % _CYCLE_S)

    async def stalling(visit: Visit) -> bytes:
        await asyncio.sleep(left_of_stall(visit.arrived_ns / 1e9))
        return ok()

    profile = '[[stage]]\nkind = "rate"\nrate = 50\nduration = "12s"\n'
    with raw_server(stalling) as server:
        run = run_engine(profile, [target(server.url)])
    zero = next(message.zero_monotonic_ns for message in run.messages if isinstance(message, Started))
    assert len(run.facts) == 600
    assert all(fact.status == 200 for fact in run.facts)
    measured = sorted((fact.end_ns or 0) - fact.intended_ns for fact in run.facts)
    true = sorted(left_of_stall((zero + fact.intended_ns) / 1e9) * 1e9 for fact in run.facts)
    p90 = int(0.9 * 600)
    assert measured[p90] == pytest.approx(true[p90], rel=0.05)
    assert true[p90] > 0.5e9


MIXED = """
repeat = 3
[[stage]]
kind = "burst"
size = 30
[[stage]]
kind = "idle"
duration = "300ms"
[[stage]]
kind = "rate"
rate = 80
duration = "700ms"
arrivals = "poisson"
[[stage]]
kind = "users"
users = 4
duration = "400ms"
"""


def stop_at_random(tmp_path: Path, times: int, seed: int) -> None:
    moments = random.Random(seed)

    async def slow(visit: Visit) -> bytes:
        await asyncio.sleep(moments.random() * 0.2)
        return ok()

    (tmp_path / "mixed.toml").write_text(MIXED)
    states: set[str] = set()
    for _ in range(times):
        with (
            raw_server(slow) as one,
            raw_server(slow) as other,
            started(
                *("run", "--url", f"one={one.url}", "--url", f"other={other.url}"),
                *("--profile", "mixed.toml", "--json", "-"),
                cwd=tmp_path,
            ) as run,
        ):
            time.sleep(0.4 + moments.random() * 4.5)  # the moment is the point of the test
            run.send_signal(moments.choice([signal.SIGINT, signal.SIGTERM]))
            out, words = run.communicate(timeout=60)
            sent = len(one.visits) + len(other.visits)
        if run.returncode in (-signal.SIGINT, -signal.SIGTERM):
            continue  # it had not begun to listen to signals: there is no run yet
        assert run.returncode in (0, 130), words
        if not out:
            continue  # stopped before there was a folder
        record = json.loads(out)
        states.add(record["state"])
        add_up(record)
        counts = record["counts"]
        assert counts["completed"] + counts["errors"] + counts["unfinished"] == counts["sent"] == sent
    assert "interrupted" in states


def kill_at_random(tmp_path: Path, times: int, seed: int) -> None:
    """SIGKILL of one process of a run, or of all, at a moment of its own."""
    moments = random.Random(seed)

    async def at_once(visit: Visit) -> bytes:
        return ok()

    for number in range(times):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "mixed.toml").write_text(MIXED)
        with (
            raw_server(at_once) as server,
            started("run", "--url", server.url, "--profile", "mixed.toml", cwd=place) as run,
        ):
            eventually(lambda server=server: server.visits, within_s=60)
            time.sleep(moments.random() * 3)  # the moment is the point of the test
            answered = len(server.visits)
            time.sleep(1)  # facts are kept every 250 ms, on a busy machine later
            everybody = family(run.pid)
            ours = [pid for pid in everybody if "coldbench" in command_line(pid)]
            for pid in moments.choice([[pid] for pid in sorted(ours)] + [ours]):
                kill(pid)
            run.wait(60)
            eventually(lambda everybody=everybody: not alive(everybody))
        record = parsed(coldbench("report", "--format", "json", cwd=place))
        add_up(record)
        counts = record["counts"]
        kept = sum(1 for _ in read_invocations(only_folder(place) / "samples.db"))
        assert counts["completed"] + counts["errors"] + counts["unfinished"] == kept >= answered


@pytest.mark.slow
@pytest.mark.promise(
    "kills (SIGKILL) at random moments (200 of them in make accept)",
    "the folder reads, nothing that was kept is lost",
)
def test_a_kill_at_any_moment_leaves_what_was_kept(tmp_path: Path) -> None:
    kill_at_random(tmp_path, times=3, seed=5)


@pytest.mark.accept
def test_two_hundred_kills_leave_what_was_kept(tmp_path: Path) -> None:
    kill_at_random(tmp_path, times=200, seed=6)


@pytest.mark.slow
@pytest.mark.promise("stops at random moments (200 of them in make accept)", "the counts always add up")
def test_a_stop_at_any_moment_adds_up(tmp_path: Path) -> None:
    stop_at_random(tmp_path, times=3, seed=11)


@pytest.mark.accept
def test_two_hundred_stops_add_up(tmp_path: Path) -> None:
    stop_at_random(tmp_path, times=200, seed=12)


@pytest.mark.accept
def test_a_million_invocations_are_bounded_and_read(tmp_path: Path) -> None:
    """Memory does not grow with invocations; the report of a million takes seconds."""

    async def quick(visit: Visit) -> bytes:
        server.visits.clear()
        return ok(b"", b'Server-Timing: seq;desc="9", inst;desc="a", age;dur=5000, queue;dur=0.1, exec;dur=1')

    (tmp_path / "many.toml").write_text('[[stage]]\nkind = "users"\nusers = 40\nduration = "100s"\n')
    with raw_server(quick) as server:
        done = coldbench(
            "run", "--url", server.url, "--profile", "many.toml", "--quiet", cwd=tmp_path, within_s=600
        )
    assert done.returncode in (0, 4), done.stderr
    folder = only_folder(tmp_path)
    record = json.loads((folder / "run.json").read_text())
    highest_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    began = time.monotonic()
    assert coldbench("report", "--format", "text", cwd=tmp_path).returncode == 0
    print(f"{record['counts']['completed']:,} invocations; largest process {highest_mb:.0f} MB; ", end="")
    print(f"report in {time.monotonic() - began:.1f} s")
    add_up(record)

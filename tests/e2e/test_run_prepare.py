"""`run --prepare`: a command of the user's before each round."""

import asyncio
import signal
from pathlib import Path

import pytest

from coldbench.runs.samples import SAMPLES, read_invocations
from tests.e2e.cli import add_up, alive, carried_out, coldbench, eventually, only_folder, parsed, started
from tests.e2e.raw_server import Visit, raw_server

SHIM = (
    "HTTP/1.1 200 OK\r\nServer-Timing: cb;desc=1, seq;desc=%d, inst;desc=%s, init;dur=200\r\n"
    "Content-Length: 0\r\n\r\n"
)
BURSTS = """
repeat = 3
[[stage]]
kind = "burst"
size = 1
[[stage]]
kind = "rate"
rate = 20
duration = "300ms"
"""


@pytest.fixture
def load(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "load.toml").write_text(BURSTS)
    return "--profile", str(tmp_path / "load.toml"), "--seed", "1"


def test_each_round_begins_cold(tmp_path: Path, load: tuple[str, ...]) -> None:
    """The command makes a file, which the function takes away together with its instance."""
    redeployed, served = tmp_path / "redeployed", 0
    asked_of: list[int] = []

    async def function(visit: Visit) -> bytes:
        nonlocal served
        if redeployed.exists():
            redeployed.unlink()
            served = 0
            asked_of.append(visit.number)
            await asyncio.sleep(0.25)
        served += 1
        return (SHIM % (served, f"i{len(asked_of)}")).encode()

    with raw_server(function) as server:
        command = f"echo $COLDBENCH_TARGET $COLDBENCH_URL; touch {redeployed}"
        done = coldbench(
            "run", "--url", f"f={server.url}", *load, "--prepare", command, "--json", "-", cwd=tmp_path
        )
    carried_out(done)
    record = parsed(done)
    add_up(record)
    folder = only_folder(tmp_path)
    assert (folder / "prepare.log").read_text() == f"f {server.url}\n" * 3
    assert record["results"][0]["verdicts"] | {"cold": 3, "warm": 18} == record["results"][0]["verdicts"]
    assert asked_of == [1, 1, 1]  # no connection is kept over the command: it could keep the function awake
    firsts = [one.seq for one in read_invocations(folder / SAMPLES) if one.evidence.instance_seq == 1]
    assert firsts == [0, 7, 14]
    assert f"before each round, for each target: {command}" in " ".join(done.stderr.split())


def test_a_command_that_fails_later_loses_nothing(tmp_path: Path, load: tuple[str, ...]) -> None:
    async def function(visit: Visit) -> bytes:
        return (SHIM % (visit.number, "i")).encode()

    with raw_server(function) as server:
        command = f"test ! -e {tmp_path}/once && touch {tmp_path}/once || {{ echo no rights; exit 3; }}"
        done = coldbench("run", "--url", server.url, *load, "--prepare", command, "--json", "-", cwd=tmp_path)
    assert done.returncode == 2
    assert "--prepare: the command ended with code 3: no rights" in done.stderr
    record = parsed(done)
    add_up(record)
    assert (record["state"], record["counts"]["completed"], record["counts"]["dropped"]) == (
        "interrupted",
        7,
        14,
    )
    assert len(server.visits) == 7


@pytest.mark.parametrize("times", [1, 2])
def test_an_interruption_ends_the_command(tmp_path: Path, load: tuple[str, ...], times: int) -> None:
    async def function(visit: Visit) -> None:
        return None

    log = tmp_path / "reports"
    flags = ("--prepare", "sh -c 'echo $$; exec sleep 300'")
    with (
        raw_server(function) as server,
        started("run", "--url", server.url, *load, *flags, cwd=tmp_path) as process,
    ):
        eventually(lambda: any(path.read_text() for path in log.glob("*/prepare.log")))
        (kept,) = log.glob("*/prepare.log")
        sleeper = int(kept.read_text())
        for _ in range(times):
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert not server.visits
    assert not alive([sleeper])


@pytest.mark.parametrize("more", [("--processes", "2"), ("--expect-workers", "1")])
def test_a_shared_load_has_no_command(tmp_path: Path, more: tuple[str, ...]) -> None:
    done = coldbench("run", "--url", "http://127.0.0.1:1/", "--prepare", "true", *more, cwd=tmp_path)
    assert done.returncode == 2
    assert "--prepare: it is for a load of one engine" in done.stderr

"""`coldbench probe` as people and scripts use it, against the lab and against trouble."""

import json
import signal
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from coldbench.runs.samples import SAMPLES, read_invocations, read_judgements
from coldbench.runs.thinned import ranks
from tests.e2e.cli import add_up, alive, coldbench, eventually, only_folder, parsed, started
from tests.e2e.http2_server import http2_server
from tests.e2e.raw_server import Visit, ok, raw_server


async def hello(visit: Visit) -> bytes:
    return ok(b"hello")


@pytest.fixture
def dead_url() -> Iterator[str]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/"


def truth(path: Path) -> dict[str, str]:
    """Verdicts by the id of the invocation."""
    lines = (json.loads(line) for line in path.read_text().splitlines())
    return {line["id"]: line["verdict"] for line in lines}


def wrong_verdicts(folder: Path, record: dict[str, Any], true: dict[str, str]) -> list[tuple[object, ...]]:
    return [
        (one.seq, one.verdict.value, true[f"{record['run_id']}-{one.seq}"], one.reason)
        for one in read_judgements(folder / SAMPLES)
        if one.verdict != true[f"{record['run_id']}-{one.seq}"]
    ]


def test_every_round_is_cold_then_warm_on_both_kinds_of_connection(tmp_path: Path) -> None:
    there = [f"lab:{name}?idle=200ms&truth=truth" for name in ("python", "node", "custom")]
    urls = [word for url in there for word in ("--url", url)]
    done = coldbench("probe", *urls, "--samples", "5", "--seed", "3", "--json", "-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = parsed(done)
    add_up(record)
    assert record["command"] == "probe"
    assert record["counts"]["intended"] == record["counts"]["completed"] == 3 * 5 * 5
    folder = only_folder(tmp_path)
    assert not wrong_verdicts(folder, record, truth(tmp_path / "truth"))
    facts = list(read_invocations(folder / SAMPLES))
    roles = {one.phase.partition(":")[2] for one in facts}
    assert roles == {"first", "fresh", "reused"}
    assert all(one.reused is one.phase.endswith(":reused") for one in facts)
    for result, probed in zip(record["results"], record["probe"], strict=True):
        assert result["verdicts"]["cold"] == 5
        assert result["verdicts"]["warm"] == 20
        penalty = result["cold_penalty_ms"]
        assert penalty["low"] <= penalty["value"] <= penalty["high"]
        assert [(its["verdict"], its["connection"], its["n"]) for its in probed["phases"]] == [
            ("cold", "fresh", 5),
            ("warm", "fresh", 10),
            ("warm", "reused", 10),
        ]
        assert probed["exec_later_ms"]["n"] == 20


def test_with_less_evidence_no_verdict_is_wrong(tmp_path: Path) -> None:
    there = ("headers=lab:python?evidence=headers", "none=lab:custom?evidence=none")
    urls = [word for url in there for word in ("--url", f"{url}&idle=200ms&truth=truth")]
    done = coldbench("probe", *urls, "--samples", "6", "--seed", "3", "--json", "-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = parsed(done)
    # On a busy machine some waits decide nothing; what is said is true.
    wrong = wrong_verdicts(only_folder(tmp_path), record, truth(tmp_path / "truth"))
    assert not [one for one in wrong if one[1] != "unknown"]
    assert record["results"][0]["verdicts"]["cold"] == 6
    assert [target["evidence_level"] for target in record["targets"]] == [1, 0]
    assert all(probed["exec_first_ms"] is None for probed in record["probe"])


@pytest.mark.parametrize("wakes", [True, False])
def test_a_bare_connection_shows_whether_connecting_wakes_it(tmp_path: Path, wakes: bool) -> None:
    url = f"lab:custom?idle=1s&wake={'connect' if wakes else 'call'}&truth=truth"
    done = coldbench(
        "probe", "--url", url, "--gap", "1200ms", "--connect-ahead", "600ms", "--samples", "10",
        "--seed", "3", "--json", "-", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = parsed(done)
    add_up(record)
    folder = only_folder(tmp_path)
    assert not wrong_verdicts(folder, record, truth(tmp_path / "truth"))
    (probed,) = record["probe"]
    connecting = probed["connecting"]
    assert connecting["connected"] == ({"preinitialised": 5} if wakes else {"cold": 5})
    assert (connecting["silent"], connecting["wakes"]) == ({"cold": 4}, wakes)
    assert connecting["start_ms"] < 600
    assert probed["first"] == {"cold": 5}  # with round 0
    said = "Connecting alone wakes it" if wakes else "Connecting alone does not wake it"
    assert said in coldbench("report", str(folder), cwd=tmp_path).stdout


@pytest.mark.slow
def test_a_call_that_comes_into_the_start_of_its_connection_does_not_deny_it(tmp_path: Path) -> None:
    done = coldbench(
        "probe", "--url", "lab:custom?idle=500ms&wake=connect&start=800ms", "--gap", "700ms",
        "--connect-ahead", "300ms", "--samples", "11", "--json", "-", cwd=tmp_path,
    )  # fmt: skip
    record = parsed(done)
    ((probed,), (result,)) = record["probe"], record["results"]
    assert probed["connecting"]["connected"] == {"cold": 5}
    assert probed["connecting"]["wakes"] is None
    # Their starts began before them: no figure is of these.
    cold = next(its for its in probed["phases"] if its["verdict"] == "cold")
    assert result["wait_cold_ms"]["n"] == cold["n"] == 6
    assert result["startup_ms"]["p50"] > 800
    assert result["cold_kinds"] == {"idle": 6}
    assert any(note.startswith("5 cold calls came behind a connection") for note in result["notes"])
    with closing(sqlite3.connect(only_folder(tmp_path) / SAMPLES)) as samples:
        drawn = {waits.verdict.value: its[-1].n for waits, its in ranks(samples, 100).items()}
    assert drawn["cold"] == 6
    said = coldbench("report", str(only_folder(tmp_path)), cwd=tmp_path).stdout
    assert "a longer --connect-ahead may tell" in " ".join(said.split())


def test_a_connection_that_cannot_be_made_is_none(tmp_path: Path, dead_url: str) -> None:
    with raw_server(hello) as server:
        names = ("--url", f"f={server.url}", "--url", f"dead={dead_url}")
        done = coldbench(
            "probe", *names, "--gap", "100ms", "--connect-ahead", "50ms", "--samples", "3", "--json", "-",
            cwd=tmp_path,
        )  # fmt: skip
    phases = [one.phase for one in read_invocations(only_folder(tmp_path) / SAMPLES) if one.target == "dead"]
    assert sorted(phases, key=lambda phase: phase.endswith("unconnected"))[:2] in (
        ["0:first", "1:first"],
        ["0:first", "2:first"],
    )
    assert [probed["connecting"]["failed"] for probed in parsed(done)["probe"]] == [0, 1]


def test_over_the_bare_connection_nothing_is_sent(tmp_path: Path) -> None:
    with raw_server(hello) as server:
        coldbench(
            "probe", "--url", f"f={server.url}", "--gap", "100ms", "--connect-ahead", "50ms",
            "--samples", "3", cwd=tmp_path,
        )  # fmt: skip
        assert server.connections == 3 * 3 + 1  # of each round three are fresh
        assert len(server.visits) == 3 * 5


@pytest.mark.parametrize("way", [("--prepare", "true"), ("--force", "burst")])
def test_a_bare_connection_belongs_to_a_silence(tmp_path: Path, way: tuple[str, str]) -> None:
    done = coldbench("probe", "--url", "http://127.0.0.1:9/", *way, "--connect-ahead", "1s", cwd=tmp_path)
    assert done.returncode == 2
    assert "--connect-ahead: it is a silence that a connection may end" in done.stderr
    assert f"leave out {way[0]}" in done.stderr


def test_too_few_rounds_to_compare_are_refused(tmp_path: Path) -> None:
    asked = ("--gap", "1s", "--connect-ahead", "1s", "--samples", "2")
    done = coldbench("probe", "--url", "http://127.0.0.1:9/", *asked, cwd=tmp_path)
    assert done.returncode == 2
    assert "--samples 2: no round with a connection and one without" in done.stderr


def test_a_command_makes_each_sample_cold_and_its_output_is_kept(tmp_path: Path) -> None:
    with raw_server(hello) as server:
        done = coldbench(
            "probe", "--url", f"f={server.url}", "--prepare", "echo for $COLDBENCH_TARGET at $COLDBENCH_URL",
            "--samples", "2", "--quiet", cwd=tmp_path,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = only_folder(tmp_path)
    assert (folder / "prepare.log").read_text() == f"for f at {server.url}\n" * 2
    phases = [one.phase for one in read_invocations(folder / SAMPLES)]
    assert [phase for phase in phases if phase.endswith("prepared")] == ["0:prepared", "1:prepared"]


def test_a_command_that_fails_ends_the_probe_and_says_why(tmp_path: Path) -> None:
    with raw_server(hello) as server:
        done = coldbench("probe", "--url", server.url, "--prepare", "echo no rights; exit 3", cwd=tmp_path)
    assert done.returncode == 2
    assert "--prepare: the command ended with code 3: no rights" in done.stderr
    assert not server.visits
    assert json.loads((only_folder(tmp_path) / "run.json").read_text())["state"] == "interrupted"


# A function that takes longer than its init, so that calls sent together each need an instance.
_SLOW = f"""#!{sys.executable}
import os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Function(BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.5)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Function).serve_forever()
"""


def test_a_burst_makes_new_instances_without_waiting(tmp_path: Path) -> None:
    start = tmp_path / "slow" / "start"
    start.parent.mkdir()
    start.write_text(_SLOW)
    start.chmod(0o755)
    done = coldbench(
        "probe", "--url", "lab:./slow?idle=60s", "--force", "burst", "--samples", "1", "--json", "-",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = parsed(done)
    assert record["counts"]["intended"] == 5 + 2
    assert record["results"][0]["instances"] == 2
    assert record["results"][0]["cold_kinds"]["scaleout"] == 1


def test_it_stops_when_the_penalty_is_as_precise_as_asked(tmp_path: Path) -> None:
    done = coldbench(
        "probe", "--url", "lab:custom?idle=100ms", "--precision", "90%", "--samples", "40", "--json", "-",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = parsed(done)
    add_up(record)
    assert record["state"] == "complete"
    assert record["counts"]["intended"] == record["counts"]["completed"] < 40 * 5


def test_it_ends_in_time(tmp_path: Path) -> None:
    with raw_server(hello) as server:
        done = coldbench(
            "probe", "--url", server.url, "--gap", "100ms", "--samples", "500", "--max-time", "1s",
            "--json", "-", cwd=tmp_path,
        )  # fmt: skip
    record = parsed(done)
    assert record["counts"]["dropped"] == 0
    assert any("--max-time" in note for note in record["notes"])


def test_the_plan_is_shown_and_nothing_is_sent(tmp_path: Path) -> None:
    with raw_server(hello) as server:
        done = coldbench("probe", "--url", server.url, "--gap", "5s-15s", "--dry-run", cwd=tmp_path)
    assert done.returncode == 0
    assert "10 rounds, 50 invocations" in done.stdout
    assert "5s to 15s of silence" in done.stdout
    assert not server.connections
    assert not (tmp_path / "reports").exists()


def test_nothing_answers_is_exit_3_after_one_round(tmp_path: Path, dead_url: str) -> None:
    done = coldbench("probe", "--url", dead_url, "--gap", "50s", cwd=tmp_path)
    assert done.returncode == 3
    assert "refused" in done.stderr


def test_one_dead_target_of_two_is_exit_4(tmp_path: Path, dead_url: str) -> None:
    with raw_server(hello) as server:
        done = coldbench(
            "probe", "--url", f"dead={dead_url}", "--url", f"f={server.url}", "--gap", "0s", "--samples", "2",
            "--json", "-", cwd=tmp_path,
        )  # fmt: skip
    assert done.returncode == 4
    record = parsed(done)
    add_up(record)
    assert record["state"] == "degraded"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_what_was_measured(tmp_path: Path, sent: signal.Signals) -> None:
    with (
        raw_server(hello) as server,
        started("probe", "--url", server.url, "--gap", "60s", cwd=tmp_path) as process,
    ):
        eventually(lambda: len(server.visits) == 5)
        process.send_signal(sent)
        output, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "stopping" in output
    record = json.loads((only_folder(tmp_path) / "run.json").read_text())
    add_up(record)
    assert record["state"] == "interrupted"
    assert record["counts"]["completed"] == 5
    assert record["counts"]["dropped"] == 45


@pytest.mark.promise(
    "Ctrl-C during the user's --prepare command",
    "the command and what it started are ended",
)
def test_an_interruption_ends_the_users_command_and_what_it_started(tmp_path: Path) -> None:
    command = "sh -c 'echo $$; exec sleep 300'"
    with (
        raw_server(hello) as server,
        started("probe", "--url", server.url, "--prepare", command, cwd=tmp_path) as process,
    ):
        log = tmp_path / "reports"
        eventually(lambda: any(path.read_text() for path in log.glob("*/prepare.log")))
        (kept,) = log.glob("*/prepare.log")
        sleeper = int(kept.read_text())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert not server.visits
    assert not alive([sleeper])


def test_a_second_interruption_does_not_wait_for_the_answer(tmp_path: Path) -> None:
    async def never(visit: Visit) -> bytes:
        import asyncio

        await asyncio.sleep(300)
        return b""

    with raw_server(never) as server, started("probe", "--url", server.url, cwd=tmp_path) as process:
        eventually(lambda: len(server.visits) == 1)
        process.send_signal(signal.SIGINT)
        assert process.stdout
        eventually(lambda: "stopping" in process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130
    record = json.loads((only_folder(tmp_path) / "run.json").read_text())
    add_up(record)
    assert record["counts"]["unfinished"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--gap", "soon"), ["--gap", "duration"]),
        (("--gap", "9s-3s"), ["--gap", "shorter"]),
        (("--gap", "3s", "--prepare", "true"), ["--gap --prepare", "one way"]),
        (("--force", "it"), ["--force", "burst"]),
        (("--samples", "0"), ["--samples"]),
        (("--precision", "5"), ["--precision", "5%"]),
        (("--max-invocations", "7"), ["50 invocations", "--samples"]),
    ],
)
def test_bad_input_is_one_clear_line_and_code_2(
    tmp_path: Path, arguments: tuple[str, ...], words: list[str]
) -> None:
    done = coldbench("probe", "--url", "lab:python", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert all(word in done.stderr for word in words), done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_http2_is_asked_for_and_its_absence_is_noted(tmp_path: Path) -> None:
    with http2_server() as server, raw_server(hello) as plain:
        done = coldbench(
            "probe", "--url", f"two={server.url}", "--url", f"one={plain.url}", "--http2", "--insecure",
            "--gap", "0s", "--samples", "2", "--json", "-", cwd=tmp_path,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = parsed(done)
    assert record["counts"]["completed"] == 20
    assert record["notes"] == ["one: it answered in HTTP/1.1, since it does not offer HTTP/2"]
    assert len(server.requests) == 10


def test_a_precision_that_was_not_reached_is_noted(tmp_path: Path) -> None:
    with raw_server(hello) as server:
        done = coldbench(
            "probe", "--url", f"f={server.url}", "--gap", "0s", "--precision", "5%", "--samples", "3",
            "--json", "-", cwd=tmp_path,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert parsed(done)["notes"] == ["f: the cold penalty is not known, not to 5 %"]


@pytest.mark.promise("a probe is killed", "its folder reads")
def test_a_killed_probe_leaves_a_folder_that_reads(tmp_path: Path) -> None:
    with (
        raw_server(hello) as server,
        started("probe", "--url", server.url, "--gap", "60s", cwd=tmp_path) as process,
    ):
        eventually(lambda: len(server.visits) == 5 and not server.open_now)
        process.kill()
        process.communicate()
    record = parsed(coldbench("report", "--format", "json", cwd=tmp_path))
    add_up(record)
    assert record["state"] == "interrupted"
    assert record["counts"]["completed"] == 5
    assert record["probe"][0]["first"] == {"unknown": 1}

"""`coldbench run` as people and scripts use it: output, folder, exit codes, interruptions, kills."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path

import pytest

from coldbench.runs.samples import read_invocations
from tests.e2e.cli import (
    COLDBENCH,
    add_up,
    alive,
    carried_out,
    coldbench,
    command_line,
    eventually,
    family,
    kill,
    only_folder,
    parsed,
    started,
)
from tests.e2e.raw_server import Visit, ok, raw_server

BURST = ("--profile", "burst", "--set", "repeat=1", "--set", "idle.duration=0s", "--set", "size=5")
STEADY = ("--profile", "steady", "--set", "rate=50", "--set", "duration=60s")


async def hello(visit: Visit) -> bytes:
    return ok(b"hello")


@pytest.fixture
def dead_url() -> Iterator[str]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/"


def test_json_owns_standard_output_and_adds_up(tmp_path: Path) -> None:
    done = coldbench("run", "--url", "lab:python", "--url", "lab:node", *BURST, "--json", "-", cwd=tmp_path)
    carried_out(done)
    record = parsed(done)
    add_up(record)
    assert record["schema"] == "coldbench.run/1"
    assert record["state"] == "complete"
    assert [target["name"] for target in record["targets"]] == ["python", "node"]
    assert [target["evidence_level"] for target in record["targets"]] == [2, 2]
    assert record["counts"]["intended"] == 20
    for result in record["results"]:
        assert result["verdicts"]["cold"] > 0
        assert result["verdicts"]["unknown"] == 0
        assert sum(result["cold_kinds"].values()) == result["verdicts"]["cold"]
        assert result["startup_ms"]["n"] == max(result["cold_kinds"].values())
        assert result["platform_ms"] is not None
    assert json.loads((only_folder(tmp_path) / "run.json").read_text()) == record
    assert "In words" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_folder_is_complete_and_reads(tmp_path: Path) -> None:
    carried_out(coldbench("run", "--url", "lab:custom", *BURST, "--name", "mine", cwd=tmp_path))
    folder = only_folder(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "run.json", "samples.db"]
    with sqlite3.connect(folder / "samples.db") as samples:
        columns = [row[1] for row in samples.execute("PRAGMA table_info(invocation)")]
        assert columns[:4] == ["seq", "target", "phase", "worker"]
        assert samples.execute("SELECT count(*) FROM judged").fetchone() == (10,)
    samples.close()
    for form, mark in (("terminal", "In words"), ("text", "In words"), ("md", "## coldbench"), ("json", "{")):
        shown = coldbench("report", "mine", "--format", form, cwd=tmp_path)
        assert shown.returncode == 0, shown.stderr
        assert mark in shown.stdout
    listed = coldbench("runs", cwd=tmp_path)
    assert folder.name in listed.stdout


def test_a_report_of_an_older_judge_is_judged_again(tmp_path: Path) -> None:
    carried_out(coldbench("run", "--url", "lab:custom", *BURST, cwd=tmp_path))
    folder = only_folder(tmp_path)
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"judge_version": 0, "results": []}))
    again = parsed(coldbench("report", "--format", "json", cwd=tmp_path))
    assert again == record


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run",), ["--url"]),
        (("run", "--url", "example.com/f"), ["not a whole URL", "https://"]),
        (("run", "--url", "ftp://example.com/"), ["unknown scheme"]),
        (("run", "--url", "lab:cobol"), ["unknown runtime", "python"]),
        (("run", "--url", "lab:python?idel=3s"), ["unknown key", "idle"]),
        (("run", "--url", "lab:python?idle=soon"), ["idle", "duration"]),
        (("run", "--url", "lab:./empty"), ["no function here", "bootstrap"]),
        (("run", "--url", "lab:python", "--profile", "brust"), ["no such profile", "burst"]),
        (("run", "--url", "lab:python", "--set", "sise=3"), ["sise"]),
        (("run", "--url", "lab:python", "-H", "Authorization Bearer"), ["colon"]),
        (("run", "--url", "lab:python", "-H", "X-Key: $NO_SUCH_VARIABLE"), ["NO_SUCH_VARIABLE"]),
        (("run", "--url", "lab:python", "--timeout", "long"), ["--timeout", "duration"]),
        (("run", "--url", "lab:python", "--max-invocations", "10"), ["600 invocations", "10"]),
        (("run", "--url", "a=lab:python", "--url", "a=lab:node"), ["two targets"]),
        (("run", "--url", "lab:python", "--connections", "some"), ["reuse or fresh"]),
        (("run", "--url", "lab:python", "--resolve", "nonsense"), ["HOST:PORT:ADDR"]),
        (("run", "--url", "lab:python", "--nonsense"), ["--nonsense"]),
        (("run", "--url", "lab:python", "--out", "file/below"), ["file/below", "--out"]),
        (("run", "--url", "lab:python", "--json", "no/such/folder/x.json"), ["--json"]),
        (("report", "nothing"), ["there are no runs yet"]),
        (("nonsense",), ["no such command"]),
    ],
)
def test_bad_input_is_one_clear_line_and_code_2(
    tmp_path: Path, arguments: tuple[str, ...], words: list[str]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "empty").mkdir()
    done = coldbench(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    complaint = lines[-1]
    assert complaint.startswith("coldbench: ")
    assert all(word in complaint for word in words), complaint
    assert sum(line.startswith("coldbench:") for line in lines) == 1
    assert not (tmp_path / "reports").exists()
    # and nothing that was started for it is left
    assert "Traceback" not in done.stderr


def test_a_bad_profile_names_file_stage_and_key(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[[stage]]\nkind = "idle"\nduration = "1s"\n[[stage]]\nkind = "burst"\nsize = "many"\n'
    )
    done = coldbench("run", "--url", "lab:python", "--profile", "mine.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert all(word in done.stderr for word in ("mine.toml", "stage 2", "size", "many"))


def test_a_dry_run_sends_nothing(tmp_path: Path) -> None:
    with raw_server(hello) as server:
        done = coldbench("run", "--url", server.url, "--dry-run", cwd=tmp_path)
        assert server.connections == 0
    assert done.returncode == 0
    assert "600 invocations" in done.stdout
    assert not (tmp_path / "reports").exists()


@pytest.mark.promise("nothing listens", "said before anything is sent, exit 3")
def test_nothing_listening_is_said_at_once_with_code_3(tmp_path: Path, dead_url: str) -> None:
    done = coldbench("run", "--url", dead_url, "--json", "-", cwd=tmp_path)
    assert done.returncode == 3
    assert "no target ever answered" in done.stderr.strip().splitlines()[-1]
    assert "refused" in done.stderr.strip().splitlines()[-1]
    record = parsed(done)
    add_up(record)
    assert record["counts"]["dropped"] == record["counts"]["intended"] == 600


@pytest.mark.promise("one of two targets is dead", "the other is measured, exit 4")
def test_one_dead_target_of_two_is_degraded_with_code_4(tmp_path: Path, dead_url: str) -> None:
    with raw_server(hello) as server:
        done = coldbench(
            "run",
            "--url",
            f"up={server.url}",
            "--url",
            f"down={dead_url}",
            *BURST,
            "--json",
            "-",
            cwd=tmp_path,
        )
    assert done.returncode == 4, done.stderr
    record = parsed(done)
    add_up(record)
    assert record["state"] == "degraded"
    assert record["results"][1]["errors"] == {"refused": 10}
    assert record["results"][1]["verdicts"]["discarded"] == 10


def test_without_evidence_the_verdict_is_unknown(tmp_path: Path) -> None:
    with raw_server(hello) as server:
        record = parsed(coldbench("run", "--url", server.url, *BURST, "--json", "-", cwd=tmp_path))
    assert record["results"][0]["verdicts"]["unknown"] == 10
    assert record["results"][0]["startup_ms"] is None
    assert any("no evidence" in note for note in record["results"][0]["notes"])


@pytest.mark.parametrize("paid", [True, False])
def test_declared_headers_are_evidence(tmp_path: Path, *, paid: bool) -> None:
    async def declared(visit: Visit) -> bytes:
        first = visit.number == 1
        # By more than a busy machine adds.
        await asyncio.sleep(0.5 if first == paid else 0)
        said = b"X-Is-First: yes" if first else b"X-Is-First: no"
        return ok(b"", said, b"X-Box: b%d" % visit.connection)

    with raw_server(declared) as server:
        flags = ("--cold-header", "X-Is-First", "--instance-header", "X-Box")
        done = coldbench("run", "--url", server.url, *BURST, *flags, "--json", "-", cwd=tmp_path)
    result = parsed(done)["results"][0]
    assert result["instances"] == 5
    assert result["verdicts"]["warm"] == 5
    # First uses that waited no longer than warm calls were not paid for.
    assert result["verdicts"]["cold"] == (5 if paid else 0)


def test_without_evidence_the_silence_is_priced_all_the_same(tmp_path: Path) -> None:
    calls = count()

    async def waking(visit: Visit) -> bytes:
        # Five slow ones in each burst after the silence, five quick ones in the burst after that.
        await asyncio.sleep(0.3 if next(calls) % 10 < 5 else 0)
        return ok(b"hello")

    with raw_server(waking) as server:
        silent = ("--set", "repeat=3", "--set", "idle.duration=100ms", "--json", "-")
        done = coldbench("run", "--url", server.url, *BURST, *silent, cwd=tmp_path)
    result = parsed(done)["results"][0]
    assert result["verdicts"]["unknown"] == 30
    first, second = result["stages"]
    assert (first["stage"], first["kind"], first["silence_s"], first["wait_ms"]["n"]) == (1, "burst", 0.1, 15)
    assert first["over_next_ms"]["value"] > 100
    assert second["over_next_ms"] is None
    assert "Waits by stage" in done.stderr
    assert "All calls, in ms" in done.stderr
    assert "After 100ms of silence a call waited" in " ".join(done.stderr.split())


@pytest.mark.promise("secrets in headers, URLs and environment", "written nowhere")
def test_secrets_are_never_written(tmp_path: Path) -> None:
    async def with_cookie(visit: Visit) -> bytes:
        return ok(b"", b"Set-Cookie: session=SECRET-COOKIE", b"X-Api-Key: SECRET-ECHO")

    with raw_server(with_cookie) as server:
        done = coldbench(
            *("run", "--url", server.url + "?token=SECRET-QUERY", *BURST),
            *("-H", "Authorization: Bearer $TOKEN", "-H", "Cookie: a=SECRET-SENT"),
            cwd=tmp_path,
            TOKEN="SECRET-BEARER",
        )
        assert b"Bearer SECRET-BEARER" in server.visits[0].head
    carried_out(done)
    written = b"".join(path.read_bytes() for path in only_folder(tmp_path).iterdir())
    assert b"SECRET" not in written
    assert "SECRET" not in done.stdout + done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.promise("Ctrl-C or SIGTERM in mid-run", "what was measured is kept and adds up, exit 130")
def test_an_interruption_keeps_what_was_measured(tmp_path: Path, number: signal.Signals) -> None:
    with (
        raw_server(hello) as server,
        started("run", "--url", server.url, *STEADY, "--json", "-", cwd=tmp_path) as run,
    ):
        eventually(lambda: len(server.visits) > 30)
        run.send_signal(number)
        out, _ = run.communicate(timeout=30)
        assert run.returncode == 130
    record = json.loads(out)
    add_up(record)
    assert record["state"] == "interrupted"
    assert record["counts"]["completed"] >= 30
    assert record["counts"]["dropped"] > 0


@pytest.mark.promise("Ctrl-C while answers are awaited", "they are unfinished, and counted")
def test_an_interruption_counts_what_is_in_flight(tmp_path: Path) -> None:
    async def silent(visit: Visit) -> bytes:
        await asyncio.sleep(60)
        return ok()

    with (
        raw_server(silent) as server,
        started("run", "--url", server.url, *STEADY, "--json", "-", cwd=tmp_path) as run,
    ):
        eventually(lambda: len(server.visits) > 20)
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=30)
        assert run.returncode == 130
        seen = len(server.visits)
    record = json.loads(out)
    add_up(record)
    assert record["counts"]["unfinished"] == seen


def victims(run: subprocess.Popen[str], who: str) -> list[int]:
    everybody = family(run.pid)
    if who == "all":
        return sorted(everybody)
    if who == "cli":
        return [run.pid]
    return [pid for pid in everybody if command_line(pid).split(" ")[2:3] == [f"coldbench.{who}"]]


@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes by /proc")
@pytest.mark.parametrize("who", ["cli", "engine", "engine.writer", "lab", "all"])
@pytest.mark.promise(
    "SIGKILL of the command, the engine, the writer, the lab, or all",
    "the folder reads with every kept fact; no process is left",
)
def test_a_kill_leaves_a_folder_that_reads_and_no_orphan(tmp_path: Path, who: str) -> None:
    with started("run", "--url", "lab:python", "--url", "lab:custom", *STEADY, cwd=tmp_path) as run:
        eventually(lambda: (tmp_path / "reports").exists() and _rows(only_folder(tmp_path)) > 40)
        everybody = family(run.pid)
        doomed = victims(run, who)
        assert doomed
        for pid in doomed:
            kill(pid)
        if who in ("engine", "engine.writer"):
            assert run.wait(30) == 1
            assert "killed by signal 9" in run.stderr.read()  # type: ignore[union-attr]
        elif who == "lab":
            run.send_signal(signal.SIGINT)
            assert run.wait(30) == 130
        eventually(lambda: not alive(everybody - {run.pid}) and run.poll() is not None)
    kept = _rows(only_folder(tmp_path))
    record = parsed(coldbench("report", "--format", "json", cwd=tmp_path))
    assert record["state"] == "interrupted"
    add_up(record)
    assert (
        record["counts"]["completed"] + record["counts"]["errors"] + record["counts"]["unfinished"]
        == kept
        > 40
    )


def _rows(folder: Path) -> int:
    try:
        with sqlite3.connect(f"file:{folder}/samples.db?mode=ro", uri=True) as samples:
            (rows,) = samples.execute("SELECT count(*) FROM invocation").fetchone()
    except sqlite3.OperationalError:
        return 0
    finally:
        if "samples" in locals():
            samples.close()
    return int(rows)


def test_help_lists_every_command_and_imports_none(tmp_path: Path) -> None:
    done = coldbench("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("run", "report", "runs", "lab"):
        (line,) = [line for line in done.stdout.splitlines() if line.strip().startswith(f"{command} ")]
        assert len(line) <= 80
    probe = "import sys; from coldbench.cli import run; run(['--help']); print([m for m in sys.modules])"
    modules = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout
    for heavy in (
        "gevent",
        "locust",
        "httpx",
        "numpy",
        "scipy",
        "aiohttp",
        "rich.console",
        "coldbench.cli.run",
    ):
        assert f"'{heavy}'" not in modules


def test_the_cli_never_imports_gevent(tmp_path: Path) -> None:
    with raw_server(hello) as server:
        probe = (
            "import sys; from coldbench.cli import run\n"
            f"code = run(['run', '--url', '{server.url}', '--quiet', *{list(BURST)!r}])\n"
            "print(code, [m for m in ('gevent', 'locust', 'geventhttpclient') if m in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "0 []", done.stderr


@pytest.mark.promise("the reader of the output goes away", "quiet, and nothing is lost")
def test_a_broken_pipe_is_quiet(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run([*COLDBENCH, "--help"], stdout=closed, stderr=subprocess.PIPE, cwd=tmp_path)
    assert done.stderr == b""


def test_an_answer_of_another_status_is_discarded_and_said(tmp_path: Path) -> None:
    async def every_other(visit: Visit) -> bytes:
        if visit.number % 2:
            return ok(b"hello")
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    with raw_server(every_other) as server:
        twice = ("--profile", "burst", "--set", "repeat=1", "--set", "idle.duration=0s", "--set", "size=3")
        url = ("--url", f"f={server.url}", "--expect-status", "200")
        record = parsed(coldbench("run", *url, *twice, "--json", "-", cwd=tmp_path))
    add_up(record)
    (result,) = record["results"]
    assert result["verdicts"]["discarded"] == result["statuses"]["404"] == 3
    assert any("3 invocations were not answered" in note for note in record["notes"] + result["notes"])


def test_an_answer_with_another_body_is_discarded(tmp_path: Path) -> None:
    """Whether the text comes late or in two pieces; what is kept of a body is as short as ever."""
    whole = b"x" * 5000 + "wörld".encode() + b"y" * 70_000
    answers = cycle([ok(whole), ok(b"maintenance"), ok(b"z" * 66_000 + "wörld".encode()), ok(b"")])

    async def in_turn(visit: Visit) -> bytes:
        return next(answers)

    with raw_server(in_turn) as server:
        twice = ("--profile", "burst", "--set", "repeat=1", "--set", "idle.duration=0s", "--set", "size=4")
        url = ("--url", f"f={server.url}", "--expect-body", "wörld")
        record = parsed(coldbench("run", *url, *twice, "--json", "-", cwd=tmp_path))
        doctor = coldbench("doctor", *url, cwd=tmp_path)
    add_up(record)
    (result,) = record["results"]
    assert (result["statuses"], result["verdicts"]["discarded"]) == ({"200": 8}, 6)
    rows = list(read_invocations(only_folder(tmp_path) / "samples.db"))
    assert {one.evidence.answered_why for one in rows} == {None, "a body without the text of --expect-body"}
    assert max(len(one.evidence.raw.get(":body", "")) for one in rows) <= 200
    assert "not the function's answer: a body without the text of --expect-body" in doctor.stdout


@pytest.mark.promise("a target goes down, with --abort-on-errors 50", "the run stops, says why, exit 4")
def test_a_target_that_is_down_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "load.toml").write_text('[[stage]]\nkind = "rate"\nrate = 100\nduration = "60s"\n')

    async def for_a_while(visit: Visit) -> bytes | None:
        return ok(b"hello") if len(server.visits) < 100 else None

    with raw_server(for_a_while) as server:
        flags = ("--profile", "load.toml", "--abort-on-errors", "50", "--json", "-")
        done = coldbench("run", "--url", server.url, *flags, cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    record = parsed(done)
    add_up(record)
    assert record["state"] == "degraded"
    assert record["counts"]["dropped"] > 3000
    assert "stopped by --abort-on-errors: of the latest" in record["notes"][0]

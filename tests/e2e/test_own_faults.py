"""Faults of our own side: a full disk, no descriptors, a machine that sleeps, a network that goes away. What
was measured is kept, the sums hold, and the exit code says what happened.
"""

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.e2e.cli import (
    COLDBENCH,
    add_up,
    carried_out,
    coldbench,
    eventually,
    family,
    only_folder,
    parsed,
    started,
)
from tests.e2e.raw_server import Visit, ok, raw_server
from tests.e2e.test_distributed import SERVER, namespaces

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT or sys.platform != "linux", reason="NOT TESTED: mounts need root")
needs_namespaces = pytest.mark.skipif(
    not ROOT or not shutil.which("ip"), reason="NOT TESTED: namespaces need root and iproute2"
)


async def hello(visit: Visit) -> bytes:
    return ok(b"hello")


def rate(folder: Path, per_second: int, seconds: int) -> str:
    (folder / "load.toml").write_text(
        f'[[stage]]\nkind = "rate"\nrate = {per_second}\nduration = "{seconds}s"\n'
    )
    return "load.toml"


@contextmanager
def disk(place: Path, size: str) -> Iterator[Path]:
    """A file system of that size in memory."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@needs_root
@pytest.mark.promise("the disk fills in mid-run", "exit 1 and why; what was kept before reads and adds up")
def test_a_disk_that_fills(tmp_path: Path) -> None:
    profile = rate(tmp_path, 2000, 4)
    with disk(tmp_path / "reports", "1m") as reports, raw_server(hello) as server:
        done = coldbench("run", "--url", server.url, "--profile", profile, cwd=tmp_path)
        assert done.returncode == 1
        assert "disk is full" in done.stderr.splitlines()[-1]
        record = parsed(coldbench("report", "--format", "json", cwd=tmp_path))
        left = {path.name for path in only_folder(tmp_path).iterdir()}
        assert reports.is_dir()
    assert record["state"] == "interrupted"
    assert record["counts"]["completed"] > 0
    add_up(record)
    assert not [name for name in left if name.startswith(".")]


@needs_root
@pytest.mark.promise("the disk is full from the start", "one line that says so, exit 1")
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    profile = rate(tmp_path, 10, 1)
    with disk(tmp_path / "reports", "40k"), raw_server(hello) as server:
        done = coldbench("run", "--url", server.url, "--profile", profile, cwd=tmp_path)
        assert done.returncode in (1, 2)
        assert "No space left" in done.stderr or "disk is full" in done.stderr
        assert "fault of coldbench's own" not in done.stderr
        assert not server.visits


@needs_root
@pytest.mark.promise(
    "the reports folder is read-only", "reports read as ever; a run is refused before it sends, exit 2"
)
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    profile = rate(tmp_path, 50, 1)
    with raw_server(hello) as server:
        run = ("run", "--url", server.url, "--profile", profile)
        carried_out(coldbench(*run, cwd=tmp_path))
        before = coldbench("report", "--format", "json", cwd=tmp_path).stdout
        sent = len(server.visits)
        (unjudged,) = (tmp_path / "reports").glob("*/run.json")
        record = json.loads(unjudged.read_text())
        unjudged.write_text(json.dumps(record | {"judge_version": 0}))
        with closing(sqlite3.connect(unjudged.with_name("samples.db"))) as samples:
            samples.execute("DELETE FROM judged")
            samples.commit()
        reports = str(tmp_path / "reports")
        subprocess.run(["mount", "--bind", reports, reports], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,ro,bind", reports], check=True)
            assert coldbench("report", "--format", "json", cwd=tmp_path).stdout == before
            exported = coldbench("export", "--format", "jsonl", cwd=tmp_path).stdout.splitlines()
            verdicts = Counter(json.loads(line)["verdict"] for line in exported)
            assert verdicts == Counter(json.loads(before)["results"][0]["verdicts"])
            assert coldbench("compare", "--json", "-", cwd=tmp_path).returncode == 2  # one target
            refused = coldbench(*run, cwd=tmp_path)
        finally:
            subprocess.run(["umount", reports], check=True)
        assert refused.returncode == 2
        assert "Read-only file system" in refused.stderr
        assert len(server.visits) == sent


@pytest.mark.promise(
    "this machine is out of file descriptors",
    "the error `descriptors`, the run goes on, exit 4: the generator was the limit",
)
def test_no_descriptors_left(tmp_path: Path) -> None:
    (tmp_path / "burst.toml").write_text('[[stage]]\nkind = "burst"\nsize = 200\n')
    with raw_server(hello) as server:
        done = subprocess.run(
            [*COLDBENCH, "run", "--url", server.url, "--profile", "burst.toml", "--json", "-"],
            cwd=tmp_path,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
    record = parsed(done)
    add_up(record)
    [result] = record["results"]
    assert result["errors"]["descriptors"] > 100
    assert record["counts"]["completed"] > 10
    assert done.returncode == 4, done.stderr
    assert record["fidelity"]["limited_by_generator"]


@pytest.mark.slow
@pytest.mark.promise(
    "this machine sleeps in mid-run (every process stopped)",
    "nothing is dropped unseen: it is late, and exit 4 says so",
)
def test_a_machine_that_sleeps(tmp_path: Path) -> None:
    profile = rate(tmp_path, 50, 5)
    with (
        raw_server(hello) as server,
        started("run", "--url", server.url, "--profile", profile, "--json", "-", cwd=tmp_path) as run,
    ):
        eventually(lambda: len(server.visits) > 50, within_s=60)
        everybody = [run.pid, *family(run.pid)]
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in everybody:
                os.kill(pid, number)
            if number == signal.SIGSTOP:
                time.sleep(2)  # that is how long the machine sleeps
        out, words = run.communicate(timeout=60)
    record = json.loads(out)
    add_up(record)
    assert run.returncode == 4, words
    assert record["counts"]["completed"] == 250
    assert record["fidelity"]["lateness_ms"]["max"] > 1500
    assert record["fidelity"]["limited_by_generator"]


@pytest.mark.slow
@needs_namespaces
@pytest.mark.promise(
    "the network goes away in mid-run and comes back",
    "timeouts by name, the run goes on and adds up, none is judged cold",
)
def test_a_network_that_goes_away(tmp_path: Path) -> None:
    profile = rate(tmp_path, 50, 6)
    with namespaces(2) as (near, far):
        on = ["ip", "netns", "exec"]
        with subprocess.Popen([*on, far, sys.executable, "-c", SERVER.replace("10.77.0.1", "10.77.0.2")],
                              stdout=subprocess.PIPE, text=True) as server:  # fmt: skip
            try:
                assert server.stdout
                assert server.stdout.readline() == "ready\n"
                run = subprocess.Popen(
                    [
                        *(*on, near, *COLDBENCH, "run", "--url", "f=http://10.77.0.2:8080/"),
                        *("--profile", profile, "--timeout", "500ms", "--json", "-"),
                    ],
                    cwd=tmp_path,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                with run:
                    for state, after in (("down", 3.0), ("up", 1.5)):
                        try:
                            run.wait(after)
                        except subprocess.TimeoutExpired:
                            subprocess.run(["ip", "-n", far, "link", "set", "eth0", state], check=True)
                    out, words = run.communicate(timeout=60)
            finally:
                server.kill()
    record = json.loads(out)
    add_up(record)
    [result] = record["results"]
    assert record["counts"]["intended"] == 300, words
    assert record["counts"]["completed"] > 50
    assert sum(result["errors"].values()) > 10
    assert set(result["errors"]) <= {"timeout", "connect_timeout", "unreachable", "stale_reuse", "reset"}
    assert result["verdicts"]["cold"] == 0

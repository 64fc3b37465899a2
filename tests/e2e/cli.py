"""Runs the real command line as a process, in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COLDBENCH = [sys.executable, "-c", "from coldbench.cli import main; main()"]
_KEPT = ("PATH", "HOME", "PYTHONPATH", "COVERAGE_PROCESS_START")
_ENVIRONMENT = {name: os.environ[name] for name in _KEPT if name in os.environ}


def coldbench(
    *arguments: str, cwd: Path, within_s: float = 110, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        [*COLDBENCH, *arguments],
        cwd=cwd,
        env=_ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=within_s,
    )


def carried_out(done: subprocess.CompletedProcess[str]) -> None:
    """It ended well: with 0, or with 4 and the word that this machine was too busy to send on time."""
    words = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 0 or (done.returncode == 4 and "the generator was the limit" in words), words


def nowhere(secrets: Iterable[str], folder: Path, *done: subprocess.CompletedProcess[str]) -> None:
    """No secret is anywhere in what was written or printed."""
    written = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert any(name.endswith("samples.db") for name in written)
    for number, one in enumerate(done):
        written[f"printed by {number}"] = (one.stdout + one.stderr).encode()
    for secret in secrets:
        for name, data in written.items():
            assert secret.encode() not in data, (name, secret)


@contextmanager
def started(*arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Start it; whatever the test does, the process is gone at the end."""
    with subprocess.Popen(
        [*COLDBENCH, *arguments],
        cwd=cwd,
        env=_ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def only_folder(cwd: Path) -> Path:
    """The one run folder there is."""
    (folder,) = (cwd / "reports").iterdir()
    return folder


def add_up(record: dict[str, Any]) -> None:
    """The contract's sums."""
    counts = record["counts"]
    parts = ("completed", "errors", "unfinished", "dropped")
    assert counts["intended"] == sum(counts[part] for part in parts), counts
    verdicts = sum(sum(result["verdicts"].values()) for result in record["results"])
    assert verdicts == counts["completed"] + counts["errors"]


def eventually(holds: Any, *, within_s: float = 20) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def family(pid: int) -> set[int]:
    """The process and all that descend from it, by /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has just ended
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def command_line(pid: int) -> str:
    """Of a process; empty when it is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def alive(pids: Sequence[int] | set[int]) -> set[int]:
    """Those that still run."""
    return {pid for pid in pids if command_line(pid)}


def kill(pid: int) -> None:
    """SIGKILL, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def parsed(process: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Its JSON: all of its standard output."""
    found: dict[str, Any] = json.loads(process.stdout)
    return found

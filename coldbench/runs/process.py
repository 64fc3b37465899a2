"""Processes: how many descriptors ours may have, and telling one from another that got the same pid."""

import os
import resource
import subprocess
from pathlib import Path


def process_started(pid: int) -> str | None:
    """A mark of when the process was started, equal for equal processes; None when there is none."""
    try:
        # Linux: the fields after the command's closing parenthesis; starttime is the 22nd of all (proc(5)).
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    found = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    return found.stdout.strip() or None


def raise_descriptor_limit() -> int:
    """As many file descriptors as the system lets us have; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):
            return soft  # macOS names a hard limit that it does not grant
    return hard

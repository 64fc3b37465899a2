"""Telling a living process from another one that got the same pid."""

import os
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

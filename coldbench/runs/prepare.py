"""`--prepare 'COMMAND'`: the user's own way to make a target cold."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from coldbench.core.errors import UsageError
from coldbench.core.target import Target

LOG = "prepare.log"
_TICK_S = 0.1


def prepare(command: str, target: Target, folder: Path, stopping: Callable[[], bool]) -> bool:
    """Run `command` in the shell to its end; False when `stopping`, asked now and then, said to end it.

    What it prints goes to `prepare.log` in the run folder. It finds the target's name and URL in the
    environment as COLDBENCH_TARGET and COLDBENCH_URL. Raises UsageError when it fails.
    """
    with (folder / LOG).open("ab", buffering=0) as log:
        began = log.tell()
        process = subprocess.Popen(
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLDBENCH_TARGET": target.name, "COLDBENCH_URL": target.endpoint},
            # A terminal's Ctrl-C reaches us alone; what the shell has started can be ended as a whole.
            start_new_session=True,
        )
        try:
            while True:
                try:
                    code = process.wait(_TICK_S)
                    break
                except subprocess.TimeoutExpired:
                    if stopping():
                        return False
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if code:
        raise UsageError(
            f"the command ended with code {code}: {_last_line(folder / LOG, began)}",
            place="--prepare",
            hint=f"its output is in {folder / LOG}",
        )
    return True


def _last_line(log: Path, began: int) -> str:
    lines = log.read_bytes()[began:].decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"

"""Starts a server that is not ours and ends it again; as a script it restarts one (`--prepare`).

`external_server.py FOLDER`: end what FOLDER/pid names, start what FOLDER/server.json says, and return when it
listens.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_UP_S = 60.0


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def describe(folder: Path, command: Sequence[str], port: int, environment: dict[str, str]) -> None:
    """Say what is to be started in this folder."""
    server = {"command": list(command), "port": port, "environment": environment}
    (folder / "server.json").write_text(json.dumps(server))


def restart(folder: Path) -> None:
    """End it if it runs, start it, wait until it listens; TimeoutError when it never does."""
    end(folder)
    server = json.loads((folder / "server.json").read_text())
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            server["command"],
            cwd=folder,
            env=os.environ | server["environment"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (folder / "pid").write_text(str(process.pid))
    until = time.monotonic() + _UP_S
    while not _listens(server["port"]):
        if process.poll() is not None or time.monotonic() > until:
            raise TimeoutError((folder / "server.log").read_text())
        time.sleep(0.02)


def end(folder: Path) -> None:
    """End it and all that it has started."""
    pid = folder / "pid"
    if pid.exists():
        port = json.loads((folder / "server.json").read_text())["port"]
        os.killpg(int(pid.read_text()), signal.SIGTERM)
        pid.unlink()
        while _listens(port):
            time.sleep(0.02)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    restart(Path(sys.argv[1]))

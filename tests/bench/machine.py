"""Cores, servers and processes of the benchmark."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_CORES = sorted(os.sched_getaffinity(0))
CLIENT_CORE, SERVER_CORE = _CORES[0], _CORES[-1]

_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error;
events {{ worker_connections 8192; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            # No two answers are alike, as with the shim: whoever reads them reads each.
            set $age $connection_requests;
            add_header Server-Timing
                'init;dur=340, age;dur=$age, seq;desc="$age", inst;desc="$connection", exec;dur=5';
            return 200 "hello world\\n";
        }}
    }}
}}
"""


def describe() -> str:
    """The machine, in a line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{model}, {len(_CORES)} cores, {system}"


def pinned(command: Sequence[str], core: int) -> list[str]:
    """The command on one core."""
    return ["taskset", "-c", str(core), *command]


@contextmanager
def nginx() -> Iterator[str]:
    """nginx on the server's core; its URL. Its responses carry the shim's header."""
    if shutil.which("nginx") is None:
        sys.exit("make bench needs nginx, wrk, hey and ab: apt-get install nginx-light wrk hey apache2-utils")
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port))
        with subprocess.Popen(
            pinned(["nginx", "-c", f"{folder}/nginx.conf"], SERVER_CORE), stderr=subprocess.DEVNULL
        ) as process:
            try:
                _wait_for(port)
                yield f"http://127.0.0.1:{port}/"
            finally:
                process.terminate()
                process.wait()


@contextmanager
def exact_server(delay_ms: float) -> Iterator[tuple[str, dict[str, Any]]]:
    """The server that sees exactly, on the server's core; what it saw is there when the context has ended."""
    seen: dict[str, Any] = {}
    command = pinned([sys.executable, "-m", "tests.bench.server", str(delay_ms)], SERVER_CORE)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/", seen
        process.stdin.close()
        seen.update(json.loads(process.stdout.read()))


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    import socket

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("nginx did not start")

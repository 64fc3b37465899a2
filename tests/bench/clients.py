"""The clients: each runs a closed load of `connections` for `seconds` on the client's core.

What comes back is requests per second, and where the client tells them its latencies in ms.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from coldbench.core.messages import Finished, FrameReader, Order, Pulse, Started, frame
from coldbench.core.profile import parse_profile
from coldbench.core.schedule import plan
from coldbench.core.target import Target
from coldbench.runs.samples import read_invocations
from tests.bench.machine import CLIENT_CORE, SERVER_CORE, pinned


class Measured(Struct, frozen=True):
    """Of one run of one client; `latencies_ms` sorted, or its own p50 and p99."""

    per_second: float
    p50_ms: float | None = None
    p99_ms: float | None = None


Client = Callable[[str, int, float], Measured]


def coldbench(url: str, connections: int, seconds: float) -> Measured:
    """The engine on the client's core, its writer (every invocation, with its evidence) on the server's."""
    profile = f'[[stage]]\nkind = "users"\nusers = {connections}\nduration = "{seconds}s"\n'
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.db"
        run_engine(profile, url, samples)
        waits = sorted(i.service_ns / 1e6 for i in read_invocations(samples) if i.service_ns)
    return Measured(len(waits) / seconds, _at(waits, 0.5), _at(waits, 0.99))


def run_engine(profile: str, url: str, samples: Path) -> Finished:
    """The engine and its writer, as `coldbench run` starts them, each on its core."""
    target = Target(name="f", url=url, endpoint=url)
    order = Order(
        run_id="bench",
        plan=plan(parse_profile(profile, "bench"), 1, 1),
        targets=(target,),
        drain_ns=5 * 10**9,
    )
    reading, writing = os.pipe()
    writer = subprocess.Popen(
        pinned([sys.executable, "-m", "coldbench.engine.writer", str(samples)], SERVER_CORE),
        stdin=reading,
        stdout=subprocess.DEVNULL,
    )
    os.close(reading)
    os.write(writing, frame(order))
    engine = subprocess.Popen(
        pinned([sys.executable, "-m", "coldbench.engine", str(writing)], CLIENT_CORE),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(writing,),
    )
    os.close(writing)
    assert engine.stdin
    assert engine.stdout
    engine.stdin.write(frame(order))
    engine.stdin.flush()
    said = engine.stdout.read()
    engine.stdin.close()
    engine.wait()
    writer.wait()
    messages = [
        msgspec.msgpack.decode(payload, type=Started | Pulse | Finished)
        for payload in FrameReader().feed(said)
    ]
    return next(message for message in messages if isinstance(message, Finished))


def wrk(url: str, connections: int, seconds: float) -> Measured:
    said = _run("wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", url)
    return Measured(_number(r"Requests/sec:\s+([\d.]+)", said), _time("50%", said), _time("99%", said))


def hey(url: str, connections: int, seconds: float) -> Measured:
    said = _run("hey", "-cpus", "1", "-c", str(connections), "-z", f"{seconds:g}s", url)
    p50, p99 = (_number(rf"{p}%+ in ([\d.]+) secs", said) * 1e3 for p in (50, 99))
    return Measured(_number(r"Requests/sec:\s+([\d.]+)", said), p50, p99)


def ab(url: str, connections: int, seconds: float) -> Measured:
    said = _run("ab", "-k", "-q", "-c", str(connections), "-t", f"{seconds:g}", "-n", "100000000", url)
    return Measured(_number(r"Requests per second:\s+([\d.]+)", said))


def autocannon(url: str, connections: int, seconds: float) -> Measured:
    said = _run("autocannon", "-j", "-c", str(connections), "-d", f"{seconds:g}", url)
    found = json.loads(said[said.index("{") :])
    return Measured(found["requests"]["average"], found["latency"]["p50"], found["latency"]["p99"])


def fast_http_user(url: str, connections: int, seconds: float) -> Measured:
    """Locust's own fast client, headless, as its documentation runs it."""
    script = (
        "from locust import FastHttpUser, constant, task\n"
        "class U(FastHttpUser):\n"
        "    wait_time = constant(0)\n"
        "    @task\n"
        "    def get(self): self.client.get('/')\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "locustfile.py").write_text(script)
        _run(
            *(
                sys.executable,
                "-m",
                "locust",
                "-f",
                f"{folder}/locustfile.py",
                "--headless",
                "-H",
                url.rstrip("/"),
            ),
            *(
                "-u",
                str(connections),
                "-r",
                str(connections),
                "-t",
                f"{seconds:g}s",
                "--csv",
                f"{folder}/out",
            ),
        )
        *_, row = csv.DictReader((Path(folder) / "out_stats.csv").read_text().splitlines())
    return Measured(int(row["Request Count"]) / seconds, float(row["50%"]), float(row["99%"]))


CLIENTS: dict[str, Client] = {
    "coldbench": coldbench,
    "FastHttpUser": fast_http_user,
    "hey": hey,
    "ab": ab,
    "autocannon": autocannon,
    "wrk": wrk,
}


def installed() -> dict[str, Client]:
    """Those that are on this machine."""
    return {
        name: client
        for name, client in CLIENTS.items()
        if name in ("coldbench", "FastHttpUser") or shutil.which(name)
    }


def _run(*command: str) -> str:
    done = subprocess.run(pinned(command, CLIENT_CORE), capture_output=True, text=True)
    return done.stdout + done.stderr


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    return float(found[1]) if found else float("nan")


def _time(label: str, text: str) -> float:
    found = re.search(rf"{label}\s+([\d.]+)(us|ms|s)", text)
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]] if found else float("nan")


def _at(values: list[float], p: float) -> float:
    return values[min(len(values) - 1, int(p * len(values)))]

"""The clients: each runs a closed load of `connections` for `seconds` on the client's core.

What comes back is requests per second, and where the client tells them its latencies in ms.
"""

import csv
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns

import msgspec
from msgspec import Struct

from coldbench.core.messages import Finished, FrameReader, Order, Pulse, Started, frame
from coldbench.core.profile import parse_profile
from coldbench.core.schedule import plan
from coldbench.core.target import Target
from coldbench.runs.samples import read_invocations
from tests.bench.machine import CLIENT_CORE, SERVER_CORE, pinned


class Cpu(Struct, frozen=True):
    """What a process took for each request, us."""

    user_us: float
    system_us: float


class Measured(Struct, frozen=True):
    """Of one run of one client; `cpu` by process, where it was asked for."""

    per_second: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu: dict[str, Cpu] = {}
    kept_after_s: float | None = None  # from the last answer until every fact was in samples.db


class EngineRun(Struct, frozen=True):
    """What the engine said at its end, what it and its writer took from the load's beginning on, s of user
    and of system time, and when the writer had ended."""

    finished: Finished
    cpu: dict[str, tuple[float, float]]
    ended_ns: int  # on the run's clock


Client = Callable[[str, int, float], Measured]


def coldbench(url: str, connections: int, seconds: float) -> Measured:
    """The engine on the client's core, its writer (every invocation, with its evidence) on the server's."""
    profile = f'[[stage]]\nkind = "users"\nusers = {connections}\nduration = "{seconds}s"\n'
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.db"
        run = run_engine(profile, url, samples)
        waits, last_ns = [], 0
        for one in read_invocations(samples):
            if one.service_ns and one.end_ns:
                waits.append(one.service_ns / 1e6)
                last_ns = max(last_ns, one.end_ns)
    waits.sort()
    cpu = {
        process: Cpu(user * 1e6 / len(waits), system * 1e6 / len(waits))
        for process, (user, system) in run.cpu.items()
    }
    kept_after_s = (run.ended_ns - last_ns) / 1e9
    return Measured(len(waits) / seconds, _at(waits, 0.5), _at(waits, 0.99), cpu, kept_after_s)


def run_engine(profile: str, url: str, samples: Path) -> EngineRun:
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
    frames, before, zero_ns = FrameReader(), {}, 0
    finished: Finished | None = None
    while said := os.read(engine.stdout.fileno(), 65536):
        for payload in frames.feed(said):
            match msgspec.msgpack.decode(payload, type=Started | Pulse | Finished):
                case Started(zero_monotonic_ns=zero_ns):
                    before = {"engine": _taken_by(engine.pid), "writer": _taken_by(writer.pid)}
                case Finished() as finished:
                    pass
    engine.stdin.close()
    cpu = {name: _wait(its, before[name]) for name, its in (("engine", engine), ("writer", writer))}
    ended_ns = monotonic_ns() - zero_ns
    engine.stdout.close()
    assert finished
    return EngineRun(finished, cpu, ended_ns)


def _taken_by(pid: int) -> tuple[float, float]:
    """User and system time so far, s (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / ticks, int(fields[12]) / ticks


def _wait(process: "subprocess.Popen[bytes]", before: tuple[float, float]) -> tuple[float, float]:
    """Until it has ended; what it took beyond `before`."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime - before[0], used.ru_stime - before[1]


def wrk(url: str, connections: int, seconds: float) -> Measured:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = _run("wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", url)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    per_second = _number(r"Requests/sec:\s+([\d.]+)", said)
    us = 1e6 / (per_second * seconds)
    cpu = Cpu((after.ru_utime - before.ru_utime) * us, (after.ru_stime - before.ru_stime) * us)
    return Measured(per_second, _time("50%", said), _time("99%", said), {"wrk": cpu})


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

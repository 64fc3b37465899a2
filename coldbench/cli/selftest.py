"""`coldbench selftest`: the tool against the lab, whose truth is known."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import typer
from msgspec import Struct

from coldbench.cli import options
from coldbench.cli.output import Output
from coldbench.core.accuracy import Accuracy
from coldbench.core.errors import ColdbenchError
from coldbench.report.selftest import selftest_lines
from coldbench.runs.samples import SAMPLES, read_invocations, read_judgements
from coldbench.runs.truth import read_truth
from coldbench.stats.accuracy import accuracy

# The lab's `evidence=`, by the evidence level that it makes.
_EVIDENCE = ("none", "headers", "full")
_QUICK, _FULL = 1, 4

_IDLE = '[[stage]]\nkind = "idle"\nduration = "900ms"\n'
_BURST = '[[stage]]\nkind = "burst"\nsize = {size}\n'


class Case(Struct, frozen=True, kw_only=True):
    """Rounds of silence, in which all instances end, and of bursts of these sizes (0: another silence)."""

    name: str
    runtimes: tuple[str, ...]
    sizes: tuple[int, ...]
    rounds: int
    settings: str = "idle=500ms&start=uniform:0ms-80ms"
    hold_ms: int = 0  # what an execution takes
    levels: tuple[int, ...] = (0, 1, 2)

    def profile(self, times: int) -> str:
        """As TOML."""
        stages = (_BURST.format(size=size) if size else _IDLE for size in (0, *self.sizes))
        return f"repeat = {self.rounds * times}\n{''.join(stages)}"


CASES = (
    Case(name="serial", runtimes=("python", "node", "custom"), sizes=(1, 1, 1, 1), rounds=10),
    Case(
        name="serial, 40 ms away",
        runtimes=("python", "custom"),
        sizes=(1, 1, 1, 1),
        rounds=10,
        settings="idle=500ms&start=uniform:0ms-80ms&rtt=40ms&jitter=5ms",
        levels=(0,),
    ),
    Case(name="bursts of short calls", runtimes=("custom",), sizes=(1, 1, 5, 5), rounds=10),
    # Longer than the start of an instance: each call of a burst has an instance of its own.
    Case(
        name="bursts of long calls",
        runtimes=("custom",),
        sizes=(1, 1, 5, 5, 0, 5),
        rounds=10,
        settings="idle=500ms&start=400ms",
        hold_ms=780,
        levels=(0,),
    ),
)


def command(
    quick: Annotated[
        bool, typer.Option("--quick", help="A quarter of the invocations: three minutes instead of eleven.")
    ] = False,
    json_to: options.JsonTo = None,
    quiet: options.Quiet = False,
    seed: options.Seed = None,
) -> None:
    """Run the tool against the local platform, and show its own errors."""
    output = Output(json_to=json_to, quiet=quiet)
    found = []
    with TemporaryDirectory(prefix="coldbench-selftest-") as folder:
        for case, level in _each():
            output.console.print(f"{case.name}, evidence level {level} ...", style="dim")
            found.append(measure(case, level, Path(folder), _QUICK if quick else _FULL, seed or 0))
    output.lines(selftest_lines(found, "simple"))
    output.json(msgspec.json.format(msgspec.json.encode({"selftest": {"verdicts": found}}), indent=2) + b"\n")


def _each() -> Iterator[tuple[Case, int]]:
    for case, level in product(CASES, range(len(_EVIDENCE))):
        if level in case.levels:
            yield case, level


def measure(case: Case, level: int, folder: Path, times: int, seed: int) -> Accuracy:
    """One case: `coldbench run` as users have it, in a process of its own, and the lab's truth of it."""
    name = f"{case.name.replace(' ', '-')}-{level}"
    profile, truth, record = (folder / f"{name}.{kind}" for kind in ("toml", "truth", "json"))
    profile.write_text(case.profile(times))
    lab = f"{case.settings}&evidence={_EVIDENCE[level]}&seed={seed}&truth={truth}"
    # Python and the custom runtime's perl are everywhere; Node.js is not.
    runtimes = [runtime for runtime in case.runtimes if runtime != "node" or shutil.which("node")]
    urls = [flag for runtime in runtimes for flag in ("--url", f"lab:{runtime}?{lab}")]
    hold = ["-H", f"X-Coldbench-Hold-Ms: {case.hold_ms}"] if case.hold_ms else []
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from coldbench.cli import main; main()", "run", *urls, *hold),
            *("--profile", str(profile), "--seed", str(seed), "--out", str(folder / name)),
            *("--name", name, "--json", str(record), "--quiet"),
        ],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if not record.exists():
        raise ColdbenchError(f"its run failed: {done.stderr.strip()}", place=f"selftest, {case.name}")
    (run,) = (folder / name).iterdir()
    met = read_truth(truth, json.loads(record.read_text())["run_id"])
    judgements = {judgement.seq: judgement for judgement in read_judgements(run / SAMPLES)}
    return accuracy(
        case.name,
        level,
        (
            (invocation, judgements[invocation.seq], met[invocation.seq])
            for invocation in read_invocations(run / SAMPLES)
            if invocation.seq in met and invocation.seq in judgements
        ),
    )

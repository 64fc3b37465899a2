"""The cases of `coldbench selftest`: what the lab is set to do, and what the tool makes of it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from coldbench.core.accuracy import Accuracy, Recovered
from coldbench.core.concurrency import Concurrency
from coldbench.core.errors import ColdbenchError
from coldbench.core.summary import Lifetime
from coldbench.runs.samples import SAMPLES, read_invocations, read_judgements
from coldbench.runs.truth import read_truth
from coldbench.stats.accuracy import accuracy

# The lab's `evidence=`, by the evidence level that it makes.
EVIDENCE = ("none", "headers", "full")

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
# What the lab is set to, to be found by `coldbench lifetime` and `concurrency`; --quick takes the first ones.
LIFETIMES_S = (1.0, 2.0, 3.0, 0.5)
CONCURRENCIES = (5, 1, 2, 10)


def measure(case: Case, level: int, folder: Path, times: int, seed: int) -> Accuracy:
    """The verdicts of `coldbench run` in one case, against the lab's truth."""
    name = f"{case.name.replace(' ', '-')}-{level}"
    profile, truth = folder / f"{name}.toml", folder / f"{name}.truth"
    profile.write_text(case.profile(times))
    lab = f"{case.settings}&evidence={EVIDENCE[level]}&seed={seed}&truth={truth}"
    # Python and the custom runtime's perl are everywhere; Node.js is not.
    runtimes = [runtime for runtime in case.runtimes if runtime != "node" or shutil.which("node")]
    urls = [flag for runtime in runtimes for flag in ("--url", f"lab:{runtime}?{lab}")]
    hold = ["-H", f"X-Coldbench-Hold-Ms: {case.hold_ms}"] if case.hold_ms else []
    run_id = _run(folder, name, "run", *urls, *hold, "--profile", str(profile), "--seed", str(seed))["run_id"]
    (run,) = (folder / name).iterdir()
    met = read_truth(truth, str(run_id))
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


def recover_lifetime(lifetime_s: float, level: int, folder: Path, seed: int) -> Recovered:
    """What `coldbench lifetime` finds where every unused instance lives that long."""
    name = f"lifetime-{lifetime_s}-{level}"
    url = f"lab:custom?idle={round(lifetime_s * 1000)}ms&evidence={EVIDENCE[level]}&seed={seed}"
    record = _run(folder, name, "lifetime", "--url", url, "--seed", str(seed))
    median = msgspec.convert(record["lifetime"], Lifetime).p50
    found = Recovered(quantity="median idle lifetime, s", evidence_level=level, true=lifetime_s)
    if median is None:
        return found
    return replace(found, found=median.value, low=median.low, high=median.high)


def recover_concurrency(concurrency: int, level: int, folder: Path, seed: int) -> Recovered:
    """What `coldbench concurrency` finds where an instance takes so many calls at once."""
    name = f"concurrency-{concurrency}-{level}"
    # Python's sample serves its calls in threads; the custom runtime's would take one after the other.
    url = f"lab:python?concurrency={concurrency}&evidence={EVIDENCE[level]}&seed={seed}"
    record = _run(folder, name, "concurrency", "--url", url, "--seed", str(seed))
    found = msgspec.convert(record["concurrency"], Concurrency)
    return Recovered(
        quantity="calls at once in an instance",
        evidence_level=level,
        true=concurrency,
        found=found.per_instance,
        low=found.low,
        high=found.high,
    )


def _run(folder: Path, name: str, *command: str) -> dict[str, Any]:
    """coldbench as users have it, in a process of its own: its record; its run is in the folder `name`."""
    record = folder / f"{name}.json"
    tool = (sys.executable, "-c", "from coldbench.cli import main; main()")
    where = ("--out", str(folder / name), "--name", name, "--json", str(record), "--quiet")
    done = subprocess.run(
        [*tool, *command, *where], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    if not record.exists():
        raise ColdbenchError(f"its run failed: {done.stderr.strip()}", place=f"selftest, {name}")
    return dict(json.loads(record.read_bytes()))

"""Facts become a summary: the one place that composes judgement and statistics. No clock, no randomness
but the run's own seed.

The facts are read twice: to learn what surrounds each invocation, and to judge it and count it. Neither
keeps them, so that memory grows with the time of a run and its instances, not with its invocations. Targets
without evidence are read once more for their waits, of which 35 bytes an invocation are kept.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from msgspec.structs import replace

from coldbench.core.blocks import Blocks
from coldbench.core.by_latency import Telling, tell
from coldbench.core.calls import CallLog
from coldbench.core.change import Change
from coldbench.core.check import Check
from coldbench.core.comparison import Comparison
from coldbench.core.concurrency import BurstTally
from coldbench.core.errors import UsageError
from coldbench.core.invocation import Invocation
from coldbench.core.judge import JUDGE_VERSION, judge_one
from coldbench.core.lifetime import TrialTally
from coldbench.core.summary import Fidelity, Result, Run, State
from coldbench.core.surroundings import Surroundings, survey
from coldbench.core.verdict import Judgement
from coldbench.evidence.deployment import DeploymentTally
from coldbench.evidence.platforms import platforms
from coldbench.runs.folder import read_record, write_record
from coldbench.runs.samples import SAMPLES, copy_samples, read_invocations, write_judgements
from coldbench.stats.changes import changed
from coldbench.stats.checks import checked
from coldbench.stats.comparison import Sampled, contenders, group
from coldbench.stats.counts import CountTally
from coldbench.stats.fidelity import FidelityTally
from coldbench.stats.incomparable import doubts
from coldbench.stats.intervals import ByBlock
from coldbench.stats.latency import fit
from coldbench.stats.lifetime import lifetime
from coldbench.stats.probed import ProbedTally
from coldbench.stats.result import ResultTally
from coldbench.stats.stages import StageTally

Facts = Callable[[], Iterable[Invocation]]


def open_run(folder: Path) -> Run:
    """The run in `folder`; judged and summed up anew when it was cut off or judged by other rules.

    What is new is kept in the folder where that can be written. Raises UsageError for what is no run.
    """
    run = read_record(folder)
    if run.state is State.RUNNING or run.judge_version == JUDGE_VERSION:
        return run
    return close_run(folder, run)


@contextmanager
def judged_run(folder: Path) -> Iterator[tuple[Run, Path]]:
    """The run as `open_run` has it, and the samples that its judgements are kept in.

    They are a copy, as long as the context lasts, where the folder has others and cannot be written.
    """
    samples = folder / SAMPLES
    run = open_run(folder)
    if run.state is State.RUNNING or read_record(folder).judge_version == run.judge_version:
        yield run, samples
        return
    with TemporaryDirectory(prefix="coldbench-") as elsewhere:
        copy = Path(elsewhere) / SAMPLES
        copy_samples(samples, copy)
        yield analyse(run, partial(read_invocations, copy), partial(write_judgements, copy)), copy


def check_run(folder: Path, run: Run, checks: Sequence[Check]) -> Run:
    """The run with its checks; nothing is written."""
    nowhere: deque[Judgement] = deque(maxlen=0)
    return analyse(run, partial(read_invocations, folder / SAMPLES), nowhere.extend, checks)


def close_run(folder: Path, run: Run, checks: Sequence[Check] = ()) -> Run:
    """Judge the folder's facts, sum them up into `run`, and keep both where the folder can be written."""
    samples = folder / SAMPLES
    facts = partial(read_invocations, samples)
    try:
        run = analyse(run, facts, partial(write_judgements, samples), checks)
        write_record(folder, run)
    except OSError:
        # Somebody else's folder, a read-only copy, a full disk: it reads all the same.
        run = check_run(folder, run, checks)
    return run


def analyse(
    run: Run, facts: Facts, keep: Callable[[Iterator[Judgement]], None], checks: Sequence[Check] = ()
) -> Run:
    """The run with its counts, fidelity and results, and what comes of the checks.

    `facts` begins to read the invocations in the order of `seq`, each time it is called. `keep` takes the
    judgement of each one that ended, and must take them all.
    """
    tallies = _tally(run, facts, keep)
    measured = tallies.fidelity.fidelity(run.fidelity)
    targets = tallies.targets
    observed = tuple(
        replace(targets[its.name].observed(its), deployment=tallies.deployed[its.name].deployment())
        for its in run.targets
    )
    results = tuple(
        targets[its.name].result(run.seed, _idle_s(its.platform), tallies.deployed[its.name].notes())
        for its in observed
    )
    counted = tallies.counts.counts(max(run.planned or 0, run.counts.intended))
    by_target = {result.target: result for result in results}
    values = {target: tally.values() for target, tally in targets.items()}
    trials = [trial for its in tallies.trials.values() for trial in its.trials]
    return replace(
        run,
        state=_state(run.state, measured, results),
        judge_version=JUDGE_VERSION,
        counts=counted,
        fidelity=measured,
        targets=observed,
        results=results,
        probe=tuple(tally.probed(run.seed) for tally in tallies.probed.values()),
        lifetime=lifetime(trials) if tallies.trials else None,
        checks=tuple(checked(checks, counted, by_target, values)),
        concurrency=None if tallies.bursts is None else tallies.bursts.concurrency(_held_by(run)),
    )


class Compared(NamedTuple):
    """A comparison, and by group, side and field of `Result` a sample of the values that it is of, ms."""

    comparison: Comparison
    samples: dict[str, dict[str, Mapping[str, ByBlock]]]


def compare(
    folders: Sequence[Path],
    baseline: Path | None,
    by: str | None,
    changes: Callable[[Sequence[str]], Sequence[Change]],
) -> Compared:
    """The runs in those folders against one another; nothing is written but what `open_run` does.

    `changes` says what is forbidden, once it is told the targets there are. Raises UsageError for what is no
    run, where there is nothing to compare, and for changes without a baseline.
    """
    opened = [(folder, open_run(folder)) for folder in folders]
    forbidden = changes(sorted({target.name for _, run in opened for target in run.targets}))
    if forbidden and baseline is None:
        raise UsageError("there is no baseline", place="--fail-if", hint="name it: --baseline RUN")
    sampled = [_sample(folder, run) for folder, run in opened]
    groups = contenders(sampled, by)
    base = None if baseline is None else baseline.name
    return Compared(
        comparison=Comparison(
            comparison=tuple(group(name, its, base) for name, its in groups.items()),
            baseline=base,
            warnings=tuple(doubts(sampled, list(groups.values()))),
            checks=tuple(check for its in groups.values() if base for check in changed(forbidden, its, base)),
        ),
        samples={name: {one.side.name: one.samples for one in its} for name, its in groups.items()},
    )


def _sample(folder: Path, run: Run) -> Sampled:
    nowhere: deque[Judgement] = deque(maxlen=0)
    tallies = _tally(run, partial(read_invocations, folder / SAMPLES), nowhere.extend)
    return Sampled(
        folder=folder.name,
        run=run,
        cold_kinds={name: tally.cold_kind for name, tally in tallies.targets.items()},
        samples={name: tally.samples() for name, tally in tallies.targets.items()},
    )


class _Tallies(NamedTuple):
    """Of all facts of a run; by the name of the target where they are of one."""

    counts: CountTally
    fidelity: FidelityTally
    targets: dict[str, ResultTally]
    probed: dict[str, ProbedTally]
    trials: dict[str, TrialTally]
    bursts: BurstTally | None
    deployed: dict[str, DeploymentTally]


def _tally(run: Run, facts: Facts, keep: Callable[[Iterator[Judgement]], None]) -> _Tallies:
    around = survey(facts())
    told = _told_by_latency(facts, around)
    counts, fidelity = CountTally(), FidelityTally()
    blocks = Blocks(run.profile)
    tallies = {
        target.name: ResultTally(
            target.name,
            around[target.name].round_trip_ns,
            blocks,
            StageTally(run.profile, blocks),
            run.rates,
        )
        for target in run.targets
    }
    deployed = {target: DeploymentTally() for target in tallies}
    ahead_ns = (run.profile or {}).get("connect_ahead_ns")
    probes = tallies if run.command == "probe" else ()
    probed = {target: ProbedTally(target, ahead_ns if isinstance(ahead_ns, int) else 0) for target in probes}
    trials = {target: TrialTally() for target in tallies} if run.command == "lifetime" else {}
    bursts = BurstTally() if run.command == "concurrency" else None

    def judgements() -> Iterator[Judgement]:
        for invocation in facts():
            counts.add(invocation)
            fidelity.add(invocation)
            if invocation.unfinished:
                continue
            target = invocation.target
            by_wait = told[target].get(invocation.seq) if target in told else None
            judgement = judge_one(invocation, around[target], by_wait)
            counts.verdict(judgement.verdict)
            if target in tallies:
                tallies[target].add(invocation, judgement)
                deployed[target].add(invocation.evidence)
            if bursts is not None:
                bursts.add(invocation, judgement.verdict)
            if target in probed:
                probed[target].add(invocation, judgement)
            if target in trials:
                trials[target].add(invocation, judgement.verdict)
            yield judgement

    keep(judgements())
    return _Tallies(counts, fidelity, tallies, probed, trials, bursts, deployed)


def _told_by_latency(facts: Facts, around: Mapping[str, Surroundings]) -> dict[str, Telling]:
    """By name, what waits tell of the targets whose answers carry no evidence."""
    logs = {target: CallLog() for target, surroundings in around.items() if surroundings.silent}
    if logs:
        for invocation in facts():
            if invocation.target in logs:
                logs[invocation.target].add(invocation)
    told = {}
    for target, log in logs.items():
        calls, round_trip_ns = log.calls(), around[target].round_trip_ns or 0
        told[target] = tell(calls, fit(calls, round_trip_ns), round_trip_ns)
    return told


def _state(state: State, fidelity: Fidelity, results: Sequence[Result]) -> State:
    """A run that was carried out is degraded when the generator was its limit or a target never answered."""
    silent = any(not result.statuses for result in results)
    if state is State.COMPLETE and (fidelity.limited_by_generator or silent):
        return State.DEGRADED
    return state


def _idle_s(platform: str | None) -> tuple[float, float] | None:
    its = None if platform is None else platforms().get(platform)
    return None if its is None else its.idle_s


def _held_by(run: Run) -> str | None:
    held_by = (run.profile or {}).get("held_by")
    return held_by if isinstance(held_by, str) else None

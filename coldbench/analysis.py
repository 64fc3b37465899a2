"""Facts become a summary: the one place that composes judgement and statistics. No clock, no randomness
but the run's own seed.

The facts are read twice: to learn what surrounds each invocation, and to judge it and count it. Neither
keeps them, so that memory grows with the time of a run and its instances, not with its invocations. Targets
without evidence are read once more for their waits, of which 34 bytes an invocation are kept.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from coldbench.core.by_latency import Telling, tell
from coldbench.core.calls import CallLog
from coldbench.core.check import Check
from coldbench.core.concurrency import BurstTally
from coldbench.core.invocation import Invocation
from coldbench.core.judge import JUDGE_VERSION, judge_one
from coldbench.core.lifetime import TrialTally
from coldbench.core.summary import Fidelity, Result, Run, State
from coldbench.core.surroundings import Surroundings, survey
from coldbench.core.verdict import Judgement
from coldbench.runs.folder import read_record, write_record
from coldbench.runs.samples import SAMPLES, read_invocations, write_judgements
from coldbench.stats.checks import checked
from coldbench.stats.counts import CountTally
from coldbench.stats.fidelity import FidelityTally
from coldbench.stats.latency import fit
from coldbench.stats.lifetime import lifetime
from coldbench.stats.probed import ProbedTally
from coldbench.stats.result import ResultTally

Facts = Callable[[], Iterable[Invocation]]


def open_run(folder: Path) -> Run:
    """The run in `folder`; judged and summed up anew when it was cut off or judged by other rules.

    What is new is kept in the folder where that can be written. Raises UsageError for what is no run.
    """
    run = read_record(folder)
    if run.state is State.RUNNING or run.judge_version == JUDGE_VERSION:
        return run
    return close_run(folder, run)


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
    around = survey(facts())
    told = _told_by_latency(facts, around)
    counts, fidelity = CountTally(), FidelityTally()
    tallies = {
        target.name: ResultTally(target.name, around[target.name].round_trip_ns, _stages(run))
        for target in run.targets
    }
    probed = {target: ProbedTally(target) for target in tallies} if run.command == "probe" else {}
    trials = {target: TrialTally() for target in tallies} if run.command == "lifetime" else {}
    bursts = BurstTally() if run.command == "concurrency" else None

    def judgements() -> Iterator[Judgement]:
        for invocation in facts():
            counts.add(invocation)
            fidelity.add(invocation)
            if bursts is not None:
                bursts.add(invocation)
            if invocation.unfinished:
                continue
            target = invocation.target
            by_wait = told[target].get(invocation.seq) if target in told else None
            judgement = judge_one(invocation, around[target], by_wait)
            counts.verdict(judgement.verdict)
            if target in tallies:
                tallies[target].add(invocation, judgement)
            if target in probed:
                probed[target].add(invocation, judgement)
            if target in trials:
                trials[target].add(invocation, judgement.verdict)
            yield judgement

    keep(judgements())
    measured = fidelity.fidelity(run.fidelity)
    results = tuple(tallies[target.name].result(run.seed) for target in run.targets)
    counted = counts.counts(max(run.planned or 0, run.counts.intended))
    by_target = {result.target: result for result in results}
    values = {target: tally.values() for target, tally in tallies.items()}
    return replace(
        run,
        state=_state(run.state, measured, results),
        judge_version=JUDGE_VERSION,
        counts=counted,
        fidelity=measured,
        targets=tuple(tallies[target.name].observed(target) for target in run.targets),
        results=results,
        probe=tuple(tally.probed(run.seed) for tally in probed.values()),
        lifetime=lifetime([trial for its in trials.values() for trial in its.trials]) if trials else None,
        checks=tuple(checked(checks, counted, by_target, values)),
        concurrency=None if bursts is None else bursts.concurrency(_held_by(run)),
    )


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


def _held_by(run: Run) -> str | None:
    held_by = (run.profile or {}).get("held_by")
    return held_by if isinstance(held_by, str) else None


def _stages(run: Run) -> int:
    """Stages in a round: a phase's number counts them through all rounds."""
    stages = (run.profile or {}).get("stages")
    return len(stages) if isinstance(stages, list | tuple) and stages else 1

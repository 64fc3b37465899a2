"""Facts become a summary: the one place that composes judgement and statistics. No clock, no randomness
but the run's own seed."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from coldbench.core.invocation import Error, Invocation
from coldbench.core.judge import JUDGE_VERSION, judge
from coldbench.core.summary import (
    Counts,
    Fidelity,
    Interval,
    Lateness,
    Quantiles,
    Result,
    Run,
    State,
    TargetInfo,
)
from coldbench.core.surroundings import round_trip_ns
from coldbench.core.verdict import Judgement, Verdict
from coldbench.runs.folder import read_record, write_record
from coldbench.runs.samples import SAMPLES, read_invocations, write_judgements
from coldbench.stats.intervals import difference_of_medians
from coldbench.stats.latency import fit
from coldbench.stats.notes import notes
from coldbench.stats.quantiles import quantiles

# Verdicts of invocations that the function itself answered.
_RAN = (Verdict.COLD, Verdict.WARM, Verdict.PREINITIALISED, Verdict.COLD_AFFECTED, Verdict.UNKNOWN)

# The generator, not the target, was the limit: from this much of a core on, or when one invocation in a
# hundred was started this late.
_CPU_LIMIT_PCT = 90.0
_LATE_LIMIT_MS = 100.0


class Judged(Struct, frozen=True, gc=False):
    """An invocation with its verdict."""

    invocation: Invocation
    judgement: Judgement

    @property
    def verdict(self) -> Verdict:
        return self.judgement.verdict


def open_run(folder: Path) -> Run:
    """The run in `folder`; judged and summed up anew when it was cut off or judged by other rules.

    What is new is kept in the folder where that can be written. Raises UsageError for what is no run.
    """
    run = read_record(folder)
    if run.state is State.RUNNING or run.judge_version == JUDGE_VERSION:
        return run
    return close_run(folder, run)


def close_run(folder: Path, run: Run) -> Run:
    """Judge the folder's facts, sum them up into `run`, and keep both where the folder can be written."""
    samples = folder / SAMPLES
    run, judgements = analyse(run, list(read_invocations(samples)))
    try:
        write_judgements(samples, judgements)
        write_record(folder, run)
    except OSError:
        pass  # somebody else's folder, or a read-only copy: it reads all the same
    return run


def analyse(run: Run, invocations: Sequence[Invocation]) -> tuple[Run, list[Judgement]]:
    """The run with its counts, fidelity and results; and the judgement of each invocation that ended."""
    judgements = judge(invocations, fit(invocations))
    by_seq = {judgement.seq: judgement for judgement in judgements}
    by_target: defaultdict[str, list[Judged]] = defaultdict(list)
    for invocation in invocations:
        if invocation.seq in by_seq:
            by_target[invocation.target].append(Judged(invocation, by_seq[invocation.seq]))
    fidelity = _fidelity(run.fidelity, invocations)
    results = tuple(
        _result(target.name, by_target[target.name], _stages(run), run.seed) for target in run.targets
    )
    run = replace(
        run,
        state=_state(run.state, fidelity, results),
        judge_version=JUDGE_VERSION,
        counts=_counts(run, invocations, judgements),
        fidelity=fidelity,
        targets=tuple(_observed(target, by_target[target.name]) for target in run.targets),
        results=results,
    )
    return run, judgements


def _state(state: State, fidelity: Fidelity, results: Sequence[Result]) -> State:
    """A run that was carried out is degraded when the generator was its limit or a target never answered."""
    silent = any(not result.statuses for result in results)
    if state is State.COMPLETE and (fidelity.limited_by_generator or silent):
        return State.DEGRADED
    return state


def _counts(run: Run, invocations: Sequence[Invocation], judgements: Sequence[Judgement]) -> Counts:
    completed = sum(i.completed for i in invocations)
    unfinished = sum(i.unfinished for i in invocations)
    # What the plan had and nobody recorded was never started, or was lost with a killed engine.
    intended = max(run.planned or 0, run.counts.intended, len(invocations))
    return Counts(
        intended=intended,
        sent=sum(i.sent_ns is not None for i in invocations),
        completed=completed,
        errors=len(invocations) - completed - unfinished,
        unfinished=unfinished,
        dropped=intended - len(invocations),
        discarded=sum(j.verdict is Verdict.DISCARDED for j in judgements),
    )


def _fidelity(given: Fidelity, invocations: Sequence[Invocation]) -> Fidelity:
    lateness = quantiles([i.lateness_ns / 1e6 for i in invocations if i.lateness_ns is not None])
    bursts: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for i in invocations:
        if i.phase.endswith(":burst") and i.sent_ns is not None:
            bursts[i.target, i.phase].append(i.sent_ns)
    spreads = [(max(sent) - min(sent)) / 1e6 for sent in bursts.values() if len(sent) > 1]
    reused = [i.reused for i in invocations if i.reused is not None]
    late = lateness is not None and (lateness.p99 or lateness.max or 0.0) > _LATE_LIMIT_MS
    return replace(
        given,
        limited_by_generator=late or (given.generator_cpu_pct_max or 0.0) >= _CPU_LIMIT_PCT,
        lateness_ms=Lateness(p50=lateness.p50, p99=lateness.p99, max=lateness.max)
        if lateness
        else Lateness(),
        burst_spread_ms=max(spreads, default=None),
        reused_pct=100 * sum(reused) / len(reused) if reused else None,
    )


def _observed(target: TargetInfo, its: Sequence[Judged]) -> TargetInfo:
    levels = [j.invocation.evidence.level for j in its if j.invocation.completed]
    platforms = Counter(p for j in its if (p := j.invocation.evidence.platform))
    return replace(
        target,
        evidence_level=max(levels, default=None),
        platform=platforms.most_common(1)[0][0] if platforms else None,
    )


def _stages(run: Run) -> int:
    """Stages in a round: a phase's number counts them through all rounds."""
    stages = (run.profile or {}).get("stages")
    return len(stages) if isinstance(stages, list | tuple) and stages else 1


def _result(target: str, its: Sequence[Judged], stages: int, seed: int) -> Result:
    invocations = [j.invocation for j in its]
    ran = [j for j in its if j.verdict in _RAN and j.invocation.completed]
    cold_kinds = Counter(j.judgement.cold_kind for j in ran if j.verdict is Verdict.COLD)
    # Kinds of cold starts are never pooled: the figures are those of the kind that was met most.
    main_kind = cold_kinds.most_common(1)[0][0] if cold_kinds else None
    cold = [j.invocation for j in ran if j.verdict is Verdict.COLD and j.judgement.cold_kind is main_kind]
    warm = [j.invocation for j in ran if j.verdict is Verdict.WARM]
    answered = [j.invocation for j in ran]
    timeouts = sum(i.error is Error.TIMEOUT for i in invocations)
    round_trip = round_trip_ns(invocations)
    instances = {i.evidence.instance for i in answered} - {None}
    startup = {i.seq: s for i in cold if (s := _startup_ms(i, round_trip or 0)) is not None}
    # Who came into an init already under way paid for a part of it: only the others show what it is made of.
    paid = [i for i in cold if _paid_whole_init(i, startup.get(i.seq))]
    rest = [(i, startup[i.seq] - (i.evidence.init_ms or 0.0)) for i in paid if i.seq in startup]
    result = Result(
        target=target,
        verdicts=dict.fromkeys((verdict.value for verdict in Verdict), 0)
        | {verdict.value: number for verdict, number in Counter(j.verdict for j in its).items()},
        contradictions=sum(j.judgement.contradiction is not None for j in its),
        instances=len(instances) or None,
        startup_ms=quantiles(list(startup.values())),
        init_ms=_of(paid, lambda i: i.evidence.init_ms),
        platform_ms=quantiles([s for i, s in rest if i.evidence.init_from_process_start]),
        unattributed_ms=quantiles([s for i, s in rest if not i.evidence.init_from_process_start]),
        exec_ms=_of(answered, lambda i: i.evidence.exec_ms),
        wait_cold_ms=_of(cold, _ms(lambda i: i.wait_ns)),
        wait_warm_ms=_of(warm, _ms(lambda i: i.wait_ns)),
        service_ms=_of(answered, _ms(lambda i: i.service_ns), timeouts),
        response_ms=_of(answered, _ms(lambda i: i.response_ns), timeouts),
        dns_ms=_of(invocations, _ms(lambda i: i.dns_ns)),
        connect_ms=_of(invocations, _ms(lambda i: i.connect_ns)),
        tls_ms=_of(invocations, _ms(lambda i: i.tls_ns)),
        cold_penalty_ms=_penalty(cold, warm, stages, seed),
        round_trip_ms=None if round_trip is None else round_trip / 1e6,
        cold_kinds={kind.value: number for kind, number in cold_kinds.items() if kind},
        errors=dict(Counter(i.error.value for i in invocations if i.error)),
        statuses=dict(Counter(str(i.status) for i in invocations if i.completed)),
        first_response=_first_response(invocations),
    )
    return replace(result, notes=tuple(notes(result, invocations)))


def _startup_ms(invocation: Invocation, round_trip: int) -> float | None:
    """The wait without network and execution; None when nobody says how long the execution was."""
    wait, exec_ms = invocation.wait_ns, invocation.evidence.exec_ms
    if wait is None or exec_ms is None:
        return None
    return max(0.0, (wait - round_trip) / 1e6 - exec_ms)


def _paid_whole_init(invocation: Invocation, startup_ms: float | None) -> bool:
    init_ms = invocation.evidence.init_ms
    return init_ms is not None and (startup_ms is None or startup_ms >= init_ms)


def _penalty(
    cold: Sequence[Invocation], warm: Sequence[Invocation], stages: int, seed: int
) -> Interval | None:
    """Median wait of cold minus warm calls, on the kind of connection with the most cold ones."""
    kinds = Counter(i.dialled for i in cold)
    if not kinds:
        return None
    kind = kinds.most_common(1)[0][0]

    def by_round(invocations: Iterable[Invocation]) -> Mapping[int, list[float]]:
        rounds: defaultdict[int, list[float]] = defaultdict(list)
        for i in invocations:
            if i.dialled == kind and i.wait_ns is not None:
                rounds[int(i.phase.partition(":")[0]) // stages].append(i.wait_ns / 1e6)
        return rounds

    return difference_of_medians(by_round(cold), by_round(warm), seed)


def _of(
    invocations: Iterable[Invocation], value: Callable[[Invocation], float | None], censored: int = 0
) -> Quantiles | None:
    return quantiles([v for i in invocations if (v := value(i)) is not None], censored)


def _ms(value_ns: Callable[[Invocation], int | None]) -> Callable[[Invocation], float | None]:
    def in_ms(invocation: Invocation) -> float | None:
        value = value_ns(invocation)
        return None if value is None else value / 1e6

    return in_ms


def _first_response(invocations: Sequence[Invocation]) -> str | None:
    for i in invocations:
        if i.completed and (body := i.evidence.raw.get(":body")):
            return f"{i.status} {body}"
    return next((str(i.status) for i in invocations if i.completed), None)

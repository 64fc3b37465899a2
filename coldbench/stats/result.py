"""Judged invocations of one target, one after the other, to the figures of its `Result`.

What is kept is bounded: distributions, counts and samples, never the invocations.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from coldbench.core.blocks import Blocks
from coldbench.core.invocation import Error, Invocation
from coldbench.core.price import Rates
from coldbench.core.rounds import behind_connection
from coldbench.core.summary import Interval, Result, TargetInfo
from coldbench.core.verdict import RAN, ColdKind, Judgement, Verdict
from coldbench.stats.distribution import Distribution
from coldbench.stats.init_spans import InitSpanTally
from coldbench.stats.intervals import difference_of_medians
from coldbench.stats.notes import notes
from coldbench.stats.processes import ProcessTally
from coldbench.stats.reported import ReportedTimes
from coldbench.stats.spent import SpentTally
from coldbench.stats.stages import StageTally
from coldbench.stats.values import BlockSample, Values

# Of all calls: those that were given up belong to them.
_CUT_OFF = frozenset({"service_ms", "response_ms"})


class _Waits:
    """Of calls of one verdict: all of them, and a sample by the kind of connection."""

    def __init__(self) -> None:
        self.values = Values()
        self.number: Counter[bool] = Counter()  # by whether the connection was dialled within the call
        self.by_dialled = {dialled: BlockSample() for dialled in (True, False)}

    def add(self, invocation: Invocation, block: int) -> None:
        if invocation.wait_ns is None:
            return
        wait_ms = invocation.wait_ns / 1e6
        self.values.add(wait_ms, block)
        self.number[invocation.dialled] += 1
        self.by_dialled[invocation.dialled].add(wait_ms, block)


class _ColdStarts:
    """Of one kind. Who came into an init already under way paid for a part of it: only the others show
    what a start is made of."""

    def __init__(self) -> None:
        self.number = 0
        self.waits = _Waits()
        self.startup, self.init = Values(), Values()
        self.platform, self.unattributed = Values(), Values()

    def add(self, invocation: Invocation, block: int, round_trip_ns: int) -> None:
        self.number += 1
        self.waits.add(invocation, block)
        evidence = invocation.evidence
        startup_ms = _startup_ms(invocation, round_trip_ns)
        self.startup.add(startup_ms, block)
        init_ms = evidence.init_ms
        if init_ms is None or (startup_ms is not None and startup_ms < init_ms):
            return
        self.init.add(init_ms, block)
        if startup_ms is not None:
            rest = self.platform if evidence.init_from_process_start else self.unattributed
            rest.add(startup_ms - init_ms, block)


class ResultTally:
    """Of one target. `add` each invocation in the order of `seq`, then ask for the `result`."""

    def __init__(
        self,
        target: str,
        round_trip_ns: int | None,
        blocks: Blocks,
        stages: StageTally,
        rates: Rates | None = None,
    ) -> None:
        """`blocks` are those of the run, `stages` is a tally of its profile, `rates` what it is priced by."""
        self._spent = None if rates is None else SpentTally(rates)
        self._target = target
        self._round_trip_ns = round_trip_ns
        self._blocks = blocks
        self._stages = stages
        self._verdicts: Counter[Verdict] = Counter()
        self._errors: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._contradictions = 0
        self._silent = 0
        self._level: int | None = None
        self._platforms: Counter[str] = Counter()
        self._instances: set[str] = set()
        self._first_status: int | None = None
        self._first_body: str | None = None
        self._cold: defaultdict[ColdKind | None, _ColdStarts] = defaultdict(_ColdStarts)
        self._begun_before = 0  # cold calls behind a connection, with which their starts may have begun
        self._warm = _Waits()
        self._exec, self._service, self._response = Values(), Values(), Values()
        self._dns, self._connect, self._tls = Values(), Values(), Values()
        self._reported = ReportedTimes()
        self._init_spans = InitSpanTally()
        self._processes = ProcessTally()

    def add(self, invocation: Invocation, judgement: Judgement) -> None:
        """Count one that ended."""
        verdict = judgement.verdict
        self._verdicts[verdict] += 1
        self._contradictions += judgement.contradiction is not None
        block = self._blocks.of(invocation)
        self._dns.add(_ms(invocation.dns_ns), block)
        self._connect.add(_ms(invocation.connect_ns), block)
        self._tls.add(_ms(invocation.tls_ns), block)
        if invocation.error is not None:
            self._errors[invocation.error.value] += 1
        if invocation.error is Error.TIMEOUT:
            self._stages.cut_off(invocation)
            self._service.cut_off(block)
            self._response.cut_off(block)
        if invocation.evidence.platform is not None:
            self._platforms[invocation.evidence.platform] += 1
        if not invocation.completed:
            return
        self._answer(invocation)
        if verdict not in RAN:
            return
        if self._spent is not None:
            self._spent.add(invocation, verdict, self._round_trip_ns or 0)
        self._processes.add(invocation)
        evidence = invocation.evidence
        self._exec.add(evidence.exec_ms, block)
        self._service.add(_ms(invocation.service_ns), block)
        self._response.add(_ms(invocation.response_ns), block)
        if invocation.wait_ns is not None:
            wait_ms = (invocation.wait_ns - (self._round_trip_ns or 0)) / 1e6
            self._reported.add(evidence.exec_ms, evidence.billed_ms, wait_ms)
        self._stages.add(invocation, block)
        if evidence.instance is not None and evidence.instance not in self._instances:
            self._instances.add(evidence.instance)
            self._init_spans.add(invocation, block, verdict)
        if verdict is Verdict.COLD and behind_connection(invocation.phase):
            self._begun_before += 1
        elif verdict is Verdict.COLD:
            self._cold[judgement.cold_kind].add(invocation, block, self._round_trip_ns or 0)
        elif verdict is Verdict.WARM:
            self._warm.add(invocation, block)

    def _answer(self, invocation: Invocation) -> None:
        evidence = invocation.evidence
        self._statuses[str(invocation.status)] += 1
        self._silent += not evidence.tells_of_use
        self._level = max(self._level or 0, evidence.level)
        if self._first_status is None:
            self._first_status = invocation.status
        if self._first_body is None and (body := evidence.raw.get(":body")):
            self._first_body = f"{invocation.status} {body}"

    def observed(self, target: TargetInfo) -> TargetInfo:
        """What the answers told of the target itself."""
        platforms = self._platforms.most_common(1)
        return replace(target, evidence_level=self._level, platform=platforms[0][0] if platforms else None)

    def values(self) -> dict[str, tuple[Distribution, int]]:
        """By the field of Result that has their quantiles: the values, and how many more were cut off above
        them."""
        timeouts = self._errors[Error.TIMEOUT.value]
        return {
            field: (values.all, timeouts if field in _CUT_OFF else 0)
            for field, values in self._compared().items()
        }

    def samples(self) -> dict[str, dict[int, list[float]]]:
        """By the field of Result that has their quantiles: a sample of the values by block, ms; +inf for each
        one that was cut off."""
        return {field: values.sample.by_block() for field, values in self._compared().items()}

    @property
    def cold_kind(self) -> ColdKind | None:
        """The kind of cold starts that the figures are of."""
        return max(self._cold, key=lambda kind: self._cold[kind].number, default=None)

    def _compared(self) -> dict[str, Values]:
        cold = self._main_cold()
        return {
            "startup_ms": cold.startup,
            "init_ms": cold.init,
            "platform_ms": cold.platform,
            "unattributed_ms": cold.unattributed,
            "exec_ms": self._exec,
            "wait_cold_ms": cold.waits.values,
            "wait_warm_ms": self._warm.values,
            "service_ms": self._service,
            "response_ms": self._response,
            "dns_ms": self._dns,
            "connect_ms": self._connect,
            "tls_ms": self._tls,
        }

    def _main_cold(self) -> _ColdStarts:
        # Kinds of cold starts are never pooled: the figures are those of the kind that was met most.
        return self._cold[self.cold_kind] if self._cold else _ColdStarts()

    def _cold_kinds(self) -> dict[str, int]:
        """How many cold starts of each kind; those whose kind is not known only beside others."""
        known = {kind.value: its.number for kind, its in self._cold.items() if kind}
        return known | {"unknown": self._cold[None].number} if known and None in self._cold else known

    def _begun(self) -> Iterator[str]:
        if self._begun_before:
            behind = f"{self._begun_before} cold calls came behind a connection over which nothing was sent"
            yield f"{behind}: their starts may have begun with it, and are in no figure of a cold start"

    def result(
        self, seed: int, idle_s: tuple[float, float] | None = None, more: Iterable[str] = ()
    ) -> Result:
        """The figures; `seed` is that of the run and decides what is resampled.

        `idle_s` is how long an unused instance lives on this platform, shortest and longest; `more` are
        notes that others have.
        """
        cold = self._main_cold()
        first_status = None if self._first_status is None else str(self._first_status)
        result = Result(
            target=self._target,
            verdicts={verdict.value: self._verdicts[verdict] for verdict in Verdict},
            contradictions=self._contradictions,
            instances=len(self._instances) or None,
            cold_penalty_ms=_penalty(cold.waits, self._warm, seed),
            round_trip_ms=_ms(self._round_trip_ns),
            init_spans=self._init_spans.spans(),
            stages=self._stages.waits(seed),
            cold_kinds=self._cold_kinds(),
            errors=dict(self._errors),
            statuses=dict(self._statuses),
            first_response=self._first_body or first_status,
            cost=None if self._spent is None else self._spent.cost(),
        )
        quantiles = {field: values.quantiles(cut_off) for field, (values, cut_off) in self.values().items()}
        result = replace(result, **quantiles)
        found = (*self._reported.notes(), *self._processes.notes(), *self._begun(), *more)
        return replace(result, notes=tuple(notes(result, self._silent, found, idle_s)))


def _startup_ms(invocation: Invocation, round_trip_ns: int) -> float | None:
    """The wait without network and execution; None when nobody says how long the execution was."""
    wait, exec_ms = invocation.wait_ns, invocation.evidence.exec_ms
    if wait is None or exec_ms is None:
        return None
    return max(0.0, (wait - round_trip_ns) / 1e6 - exec_ms)


def _penalty(cold: _Waits, warm: _Waits, seed: int) -> Interval | None:
    """Median wait of cold minus warm calls, on the kind of connection with the most cold ones."""
    if not cold.number:
        return None
    (dialled, _), *_ = cold.number.most_common(1)
    return difference_of_medians(
        cold.by_dialled[dialled].by_block(), warm.by_dialled[dialled].by_block(), seed
    )


def _ms(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else duration_ns / 1e6

"""The probe's own figures: mean phases of cold and warm calls, the first execution against later ones."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from statistics import median

from coldbench.core.invocation import Invocation
from coldbench.core.judge import function_answered
from coldbench.core.rounds import CONNECTED, FIRST, FRESH, PREPARED, REUSED, UNCONNECTED, behind_connection
from coldbench.core.summary import Connecting, Phases, Probed
from coldbench.core.verdict import ColdKind, Judgement, Verdict
from coldbench.stats.intervals import difference_of_medians
from coldbench.stats.quantiles import quantiles

_ALPHA, _HALF = 0.05, 0.5
# An instance was there when the call came, or in its init.
_WOKEN = Verdict.WARM, Verdict.PREINITIALISED, Verdict.COLD_AFFECTED


class ProbedTally:
    """Of one target. `add` each invocation that ended, then ask what was `probed`."""

    def __init__(self, target: str, connect_ahead_ns: int = 0) -> None:
        """`connect_ahead_ns` is how long before the first calls of half of the rounds a connection came."""
        self._target = target
        self._connect_ahead_ns = connect_ahead_ns
        # Kinds of cold starts are never pooled.
        self._cold: defaultdict[ColdKind | None, list[Invocation]] = defaultdict(list)
        self._warm: list[Invocation] = []
        self._untold: list[Invocation] = []
        # Whatever they met, by round, ms: behind a silence or a command, and right afterwards.
        self._first_ms: defaultdict[int, list[float]] = defaultdict(list)
        self._later_ms: defaultdict[int, list[float]] = defaultdict(list)
        self._given_up = 0  # of these: they waited longer than is known
        self._first: Counter[str] = Counter()
        self._connected: Counter[str] = Counter()
        self._silent: Counter[str] = Counter()  # behind a silence, and nothing else
        self._silent_cold_ms: list[float] = []
        self._connections_failed = 0

    def add(self, invocation: Invocation, judgement: Judgement) -> None:
        """Count it, and keep it unless it overlapped others of ours, and was no cold start."""
        self._count_first(invocation, judgement.verdict)
        self._count_wait(invocation)
        if not invocation.completed:
            return
        if judgement.verdict is Verdict.COLD and not behind_connection(invocation.phase):
            self._cold[judgement.cold_kind].append(invocation)
        elif judgement.verdict is Verdict.WARM and not invocation.phase.endswith(":burst"):
            self._warm.append(invocation)
        elif judgement.verdict is Verdict.UNKNOWN and _is_first(invocation) is not None:
            self._untold.append(invocation)

    def _count_wait(self, invocation: Invocation) -> None:
        number, _, role = invocation.phase.partition(":")
        first = _is_first(invocation)
        if first is None or role == REUSED:
            return
        waits_ms = (self._first_ms if first else self._later_ms)[int(number)]
        if not invocation.completed:
            self._given_up += 1
        elif function_answered(invocation) and invocation.wait_ns is not None:
            waits_ms.append(invocation.wait_ns / 1e6)

    def _count_first(self, invocation: Invocation, verdict: Verdict) -> None:
        number, _, role = invocation.phase.partition(":")
        if role in (FIRST, PREPARED):
            self._first[verdict.value] += 1
        if role == FIRST and number != "0":  # before round 0 there is no silence
            self._silent[verdict.value] += 1
            if verdict is Verdict.COLD and invocation.wait_ns is not None:
                self._silent_cold_ms.append(invocation.wait_ns / 1e6)
        if role == CONNECTED:
            self._connected[verdict.value] += 1
        self._connections_failed += role == UNCONNECTED

    def probed(self, seed: int) -> Probed:
        """The figures; `seed` is that of the run and decides what is resampled."""
        numbers = Counter({kind: len(its) for kind, its in self._cold.items()})
        cold = self._cold[numbers.most_common(1)[0][0]] if numbers else []
        first, later = _executions(cold), _executions(self._warm)
        return Probed(
            target=self._target,
            first=dict(self._first),
            phases=tuple(self._phases(cold)),
            exec_first_ms=quantiles([value for its in first.values() for value in its]),
            exec_later_ms=quantiles([value for its in later.values() for value in its]),
            first_execution_ms=difference_of_medians(first, later, seed),
            first_over_later_ms=None
            if self._given_up
            else difference_of_medians(self._first_ms, self._later_ms, seed),
            connecting=self._connecting(),
        )

    def _phases(self, cold: list[Invocation]) -> Iterator[Phases]:
        """Of cold and warm calls; where none was told to be either, of first and later ones."""
        groups: list[tuple[Verdict, bool | None, list[Invocation]]]
        groups = [(Verdict.COLD, None, cold), (Verdict.WARM, None, self._warm)]
        if not any(its for _, _, its in groups):
            groups = [
                (Verdict.UNKNOWN, first, [one for one in self._untold if _is_first(one) is first])
                for first in (True, False)
            ]
        for verdict, first, its in groups:
            for dialled in (True, False):
                if alike := [one for one in its if one.dialled is dialled]:
                    yield _phases(verdict, dialled, alike, first)

    def _connecting(self) -> Connecting | None:
        if not (self._connect_ahead_ns and (self._connected or self._silent or self._connections_failed)):
            return None
        start_ms = median(self._silent_cold_ms) if self._silent_cold_ms else None
        in_time = start_ms is not None and start_ms * 1e6 < self._connect_ahead_ns
        wakes, at_most = _wakes(self._connected, self._silent, in_time=in_time)
        return Connecting(
            connected=dict(self._connected),
            silent=dict(self._silent),
            wakes=wakes,
            at_most=at_most,
            failed=self._connections_failed,
            start_ms=start_ms,
        )


def _wakes(
    connected: Counter[str], silent: Counter[str], *, in_time: bool
) -> tuple[bool | None, float | None]:
    """Yes where fewer were cold behind a connection than by chance (Fisher's exact test, one-sided).

    No where all were cold, so many that it wakes the target less than half the time, and a start would have
    been over `in_time`: a call that comes into one is cold as well. With the bound of that share (the exact
    one of none among n: Clopper and Pearson 1934).
    """
    from scipy.stats import fisher_exact  # late: it costs 0.5 s

    (cold, woken), others = _cold_or_not(connected), _cold_or_not(silent)
    if fisher_exact([(cold, woken), others], alternative="less").pvalue < _ALPHA:
        return True, None
    if not cold or cold < connected.total() or not in_time:
        return None, None
    at_most = 1 - _ALPHA ** (1 / cold)
    return (False, at_most) if at_most < _HALF else (None, None)


def _cold_or_not(verdicts: Counter[str]) -> tuple[int, int]:
    return verdicts[Verdict.COLD], sum(verdicts[other] for other in _WOKEN)


def _is_first(invocation: Invocation) -> bool | None:
    """Whether it was a round's first, behind a silence or a command, or came right after that; None for one
    that was neither: before round 0 there is no silence.
    """
    number, _, role = invocation.phase.partition(":")
    if role == PREPARED or (role == FIRST and number != "0"):
        return True
    return False if role in (FRESH, REUSED) else None


def _executions(invocations: list[Invocation]) -> dict[int, list[float]]:
    """Reported executions by round, ms."""
    rounds: defaultdict[int, list[float]] = defaultdict(list)
    for invocation in invocations:
        if invocation.evidence.exec_ms is not None:
            rounds[int(invocation.phase.partition(":")[0])].append(invocation.evidence.exec_ms)
    return rounds


def _phases(verdict: Verdict, dialled: bool, its: list[Invocation], first: bool | None) -> Phases:
    return Phases(
        verdict=verdict.value,
        first=first,
        connection="fresh" if dialled else "reused",
        n=len(its),
        dns_ms=_mean_ms([one.dns_ns for one in its]),
        connect_ms=_mean_ms([one.connect_ns for one in its]),
        tls_ms=_mean_ms([one.tls_ns for one in its]),
        wait_ms=_mean_ms([one.wait_ns for one in its]),
        download_ms=_mean_ms(
            [
                one.end_ns - one.first_byte_ns
                for one in its
                if one.end_ns is not None and one.first_byte_ns is not None
            ]
        ),
    )


def _mean_ms(durations_ns: list[int | None] | list[int]) -> float | None:
    known = [duration for duration in durations_ns if duration is not None]
    return sum(known) / len(known) / 1e6 if known else None

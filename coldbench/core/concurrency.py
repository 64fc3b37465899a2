"""How many invocations one instance takes at once, read from growing bursts against one warm instance.

Assumed: one instance is warm when the first burst comes, the platform fills it before it turns elsewhere,
and all calls last about as long. Then the first burst that is too large shows how many it took: the others
waited, for its room (about one whole call) or for another instance to start.

Calls that share a processor slow each other, which looks like a queue. What tells them apart is the execution
that an answer reports; without it a burst in which not even the quickest call was as quick as a lone one, as
the first of a queue is, tells nothing of the room.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from enum import StrEnum
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from coldbench.core.hold import HoldBy
from coldbench.core.invocation import AnsweredBy, Error, Invocation
from coldbench.core.verdict import RAN, Verdict

# A call was taken at once when it took no longer than a lone one by more than all of these: a time, a part of
# the lone one, and so many times what lone ones differ.
_UNLIKE_NS = 20_000_000
_UNLIKE = 0.1
_DIFFERENCES = 3
# Those who queue for room wait for about a whole call to end, less its head start; sharing calls do not.
_QUEUED = 0.5
# A delay this near to whole calls, in parts of one, is a queue's.
_NEAR_WHOLE = 0.2


# Faults of ours: they tell nothing of the platform.
_OURS = frozenset({Error.DESCRIPTORS, Error.INTERNAL})
_BAD_STATUS = 400
# What becomes of calls that one instance would take: others help it, as where its limit is a soft one.
SPREAD = "spread"


class Role(StrEnum):
    """Of an invocation: what follows the colon in its phase."""

    SETTLE = "settle"  # finds out what holds an instance, and leaves one warm
    SINGLE = "single"  # held as in the bursts, alone
    BURST = "burst"


class Fate(StrEnum):
    """What became of a call of a burst."""

    TAKEN = "taken"
    QUEUED = "queued"  # for room in an instance that was up
    STARTED = "started"  # an instance had to be started for it, or with it
    REJECTED = "rejected"  # no instance took it: refused, throttled, or answered in the function's place


class Burst(Struct, frozen=True, kw_only=True):
    """One burst. Where answers name no instance `instances` is None, and `at_once` is of all that are up.

    `parallel` is how many lone calls' work one instance did at once, queueing or not: its calls times a lone
    one's time, over the time until the last of them was answered, both less the network's round trip. None
    where not all calls were one instance's, and of held calls: waiting is no work.
    """

    size: int
    at_once: int  # the most that one instance took
    queued: int
    started: int
    instances: int | None
    spread_ms: float
    wait_max_ms: float
    parallel: float | None = None
    rejected: int = 0


class Concurrency(Struct, frozen=True, kw_only=True):
    """What one instance takes at once. `per_instance` is None while no burst shows a limit, or the limit is
    none (`when_full` is SPREAD): it is at least `low`. By ids low = high; by the waits they are what the two
    bursts around it prove.

    `parallel` is that of the largest burst that has one. `slowed` is the size of the first burst without a
    single call as quick as a lone one.
    """

    per_instance: int | None = None
    low: int | None = None
    high: int | None = None
    method: str = "none"  # ids, waits, or none: no lone call was answered, or they do not tell who waited
    when_full: str | None = None  # what became of the first calls that found no room
    parallel: float | None = None
    slowed: int | None = None
    held_by: str | None = None
    single_ms: float | None = None
    bursts: tuple[Burst, ...] = ()


class _Lone(Struct, frozen=True):
    """What a call takes alone, and from how much more on it is late; by the measure of `_waited_ns`."""

    waited_ns: int
    unlike_ns: int
    whole_ns: int  # its wait, whatever the measure
    less_execution: bool


class BurstTally:
    """Of one target: add its invocations in the order of their numbers, then ask."""

    def __init__(self) -> None:
        self._singles: list[Invocation] = []
        self._bursts: defaultdict[str, list[Invocation]] = defaultdict(list)
        self._rejected: defaultdict[str, list[Invocation]] = defaultdict(list)
        self._before: set[str] = set()  # instances that answered before the first burst
        self._named = self._reported = True
        self._round_trip_ns: int | None = None

    def add(self, invocation: Invocation, verdict: Verdict) -> None:
        """One more that ended. Whatever the function did not answer was never taken; of a burst it was
        rejected."""
        instance, role = invocation.evidence.instance, invocation.phase.rpartition(":")[2]
        if self._was_rejected(invocation, verdict):
            if role == Role.BURST and invocation.error not in _OURS:
                self._rejected[invocation.phase].append(invocation)
            return
        self._named = self._named and instance is not None
        self._reported = self._reported and invocation.evidence.exec_ms is not None
        connect_ns = invocation.connect_ns
        if connect_ns is not None and (self._round_trip_ns is None or connect_ns < self._round_trip_ns):
            self._round_trip_ns = connect_ns
        if role == Role.BURST:
            self._bursts[invocation.phase].append(invocation)
        elif instance is not None:
            self._before.add(instance)
        if role == Role.SINGLE:
            self._singles.append(invocation)

    def _was_rejected(self, invocation: Invocation, verdict: Verdict) -> bool:
        if not invocation.completed or invocation.wait_ns is None or verdict not in RAN:
            return True
        # A bad status that nobody signed is the platform's, unless lone calls are answered by it too.
        signed = invocation.evidence.answered_by is AnsweredBy.FUNCTION or invocation.evidence.instance
        status, usual = invocation.status or 0, {call.status for call in self._singles}
        return status >= _BAD_STATUS and not signed and bool(usual) and status not in usual

    def concurrency(self, held_by: str | None) -> Concurrency:
        """What the bursts come to; `held_by` is what kept the instances busy."""
        if not self._singles:
            return Concurrency(held_by=held_by)
        # Without ids a start, too, shows only as a wait, which half a call may exceed.
        lone = _lone(self._singles, less_execution=self._named and self._reported)
        working = held_by in (HoldBy.REQUEST, HoldBy.NATURAL)
        up = set(self._before)
        bursts: list[Burst] = []
        full: int | None = None
        when_full: str | None = None
        for phase in sorted({*self._bursts, *self._rejected}, key=_place):
            calls, rejected = self._bursts[phase], self._rejected[phase]
            fates = [_fate(call, lone, up) for call in calls]
            burst = _burst(calls, fates, rejected, named=self._named)
            alone = not rejected and Fate.STARTED not in fates
            if working and alone and len({call.evidence.instance for call in calls}) == 1:
                burst = replace(burst, parallel=_parallel(calls, lone, self._round_trip_ns or 0))
            if full is not None and when_full == Fate.REJECTED and burst.at_once > bursts[full].at_once:
                full = when_full = None  # it has room for more: what was rejected then was an accident
            if full is None and 0 < burst.at_once < burst.size:
                full = len(bursts)
                others = sorted({*fates, *([Fate.REJECTED] if rejected else [])} - {Fate.TAKEN})
                when_full = " and ".join(others) or None
            bursts.append(burst)
            up |= {call.evidence.instance or "" for call in calls}
        blurred = lone.unlike_ns > (1 - _NEAR_WHOLE) * lone.whole_ns
        if blurred and (full is None or not self._named):
            # Who waited for a whole call would be taken for one that did not; only ids tell of a start.
            return Concurrency(held_by=held_by, single_ms=lone.whole_ns / 1e6)
        # Who was rejected at once was not slow: such a burst is no sign that calls share a processor.
        slow = (burst.size for burst in bursts[:full] if not burst.at_once and burst.rejected < burst.size)
        low = max((burst.at_once for burst in bursts[:full]), default=1)
        found = Concurrency(
            low=max(1, low),
            method="ids" if self._named else "waits",
            when_full=when_full,
            parallel=next((burst.parallel for burst in reversed(bursts) if burst.parallel is not None), None),
            slowed=next(slow, None),
            held_by=held_by,
            single_ms=lone.whole_ns / 1e6,
            bursts=tuple(bursts),
        )
        if full is None:
            return found
        its = bursts[full]
        if self._named and its.at_once < low and not its.queued and not its.rejected:
            # It has taken more: another instance took calls for which this one had room.
            return replace(found, when_full=SPREAD)
        value = max(its.at_once, low)
        exact = self._named or when_full == Fate.REJECTED
        bounds = (value, value) if exact else (low, its.size - 1)
        return replace(found, per_instance=value, low=bounds[0], high=max(value, bounds[1]))


def _lone(singles: Sequence[Invocation], *, less_execution: bool) -> _Lone:
    waits = [_waited_ns(call, less_execution=less_execution) for call in singles]
    waited_ns = round(median(waits))
    whole_ns = round(median(call.wait_ns or 0 for call in singles))
    part = _QUEUED if less_execution else _UNLIKE
    unlike_ns = round(max(_UNLIKE_NS, part * whole_ns, _DIFFERENCES * (max(waits) - min(waits))))
    return _Lone(waited_ns, unlike_ns, whole_ns, less_execution)


def _waited_ns(call: Invocation, *, less_execution: bool) -> int:
    execution_ms = (call.evidence.exec_ms or 0.0) if less_execution else 0.0
    return (call.wait_ns or 0) - round(execution_ms * 1e6)


def _fate(call: Invocation, lone: _Lone, up: set[str]) -> Fate:
    """`up`: the instances that had answered before its burst."""
    instance = call.evidence.instance
    more_ns = _waited_ns(call, less_execution=lone.less_execution) - lone.waited_ns
    if instance is not None:
        if instance not in up:
            return Fate.STARTED
        return Fate.QUEUED if more_ns > lone.unlike_ns else Fate.TAKEN
    if more_ns <= lone.unlike_ns:
        return Fate.TAKEN
    calls = more_ns / lone.whole_ns
    return Fate.QUEUED if round(calls) and abs(calls - round(calls)) <= _NEAR_WHOLE else Fate.STARTED


def _parallel(calls: Sequence[Invocation], lone: _Lone, round_trip_ns: int) -> float | None:
    """As `Burst.parallel`; None of a lone call, and where the network hides the work."""
    alone_ns = lone.whole_ns - round_trip_ns
    last_ns = max(call.wait_ns or 0 for call in calls) - round_trip_ns
    if len(calls) < 2 or alone_ns <= 0 or last_ns <= 0:
        return None
    return len(calls) * alone_ns / last_ns


def _place(phase: str) -> int:
    """Of a burst among all of them."""
    return int(phase.partition(":")[0])


def _burst(
    calls: Sequence[Invocation], fates: Sequence[Fate], rejected: Sequence[Invocation], *, named: bool
) -> Burst:
    taken = Counter(
        call.evidence.instance for call, fate in zip(calls, fates, strict=True) if fate is Fate.TAKEN
    )
    sent = [call.sent_ns for call in (*calls, *rejected) if call.sent_ns is not None]
    return Burst(
        size=len(calls) + len(rejected),
        at_once=max(taken.values(), default=0),
        queued=fates.count(Fate.QUEUED),
        started=fates.count(Fate.STARTED),
        instances=len({call.evidence.instance for call in calls}) if named else None,
        spread_ms=(max(sent) - min(sent)) / 1e6 if sent else 0.0,
        wait_max_ms=max((call.wait_ns or 0 for call in calls), default=0) / 1e6,
        rejected=len(rejected),
    )

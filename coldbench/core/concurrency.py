"""How many invocations one instance takes at once, read from growing bursts against one warm instance.

Assumed: one instance is warm when the first burst comes, the platform fills it before it turns elsewhere,
and all calls last about as long. Then the first burst that is too large shows how many it took: the others
waited, for its room (about one whole call) or for another instance to start.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from enum import StrEnum
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from coldbench.core.invocation import Invocation

# A call was taken at once when it took no longer than a lone one by more than all of these: a time, a part of
# the lone one, and so many times what lone ones differ.
_UNLIKE_NS = 20_000_000
_UNLIKE = 0.1
_DIFFERENCES = 3
# A delay this near to whole calls, in parts of one, is a queue's.
_NEAR_WHOLE = 0.2


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


class Burst(Struct, frozen=True, kw_only=True):
    """One burst. Where answers name no instance `instances` is None, and `at_once` is of all that are up."""

    size: int
    at_once: int  # the most that one instance took
    queued: int
    started: int
    instances: int | None
    spread_ms: float
    wait_max_ms: float


class Concurrency(Struct, frozen=True, kw_only=True):
    """What one instance takes at once. `per_instance` is None while all bursts were taken: it is at least
    `low`. By ids low = high; by the waits they are what the two bursts around it prove."""

    per_instance: int | None = None
    low: int | None = None
    high: int | None = None
    method: str = "none"  # ids, waits, or none where no lone call was answered
    when_full: str | None = None  # what became of the first calls that found no room
    held_by: str | None = None
    single_ms: float | None = None
    bursts: tuple[Burst, ...] = ()


class BurstTally:
    """Of one target: add its invocations in the order of their numbers, then ask."""

    def __init__(self) -> None:
        self._single_ns: list[int] = []
        self._bursts: defaultdict[str, list[Invocation]] = defaultdict(list)
        self._before: set[str] = set()  # instances that answered before the first burst
        self._named = True

    def add(self, invocation: Invocation) -> None:
        """One more; those without an answer tell nothing."""
        if not invocation.completed or invocation.wait_ns is None:
            return
        instance, role = invocation.evidence.instance, invocation.phase.rpartition(":")[2]
        self._named = self._named and instance is not None
        if role == Role.BURST:
            self._bursts[invocation.phase].append(invocation)
        elif instance is not None:
            self._before.add(instance)
        if role == Role.SINGLE:
            self._single_ns.append(invocation.wait_ns)

    def concurrency(self, held_by: str | None) -> Concurrency:
        """What the bursts come to; `held_by` is what kept the instances busy."""
        if not self._single_ns:
            return Concurrency(held_by=held_by)
        single_ns = round(median(self._single_ns))
        differ_ns = max(self._single_ns) - min(self._single_ns)
        unlike_ns = round(max(_UNLIKE_NS, _UNLIKE * single_ns, _DIFFERENCES * differ_ns))
        up = set(self._before)
        bursts: list[Burst] = []
        full: int | None = None
        when_full: str | None = None
        for calls in self._bursts.values():
            fates = [_fate(call, single_ns, unlike_ns, up) for call in calls]
            burst = _burst(calls, fates, named=self._named)
            if full is None and burst.at_once < burst.size:
                full = len(bursts)
                others = sorted({fate for fate in fates if fate is not Fate.TAKEN})
                when_full = " and ".join(others) or None
            bursts.append(burst)
            up |= {call.evidence.instance or "" for call in calls}
        low = max((burst.at_once for burst in bursts[:full]), default=1)
        found = Concurrency(
            low=low,
            method="ids" if self._named else "waits",
            when_full=when_full,
            held_by=held_by,
            single_ms=single_ns / 1e6,
            bursts=tuple(bursts),
        )
        if full is None:
            return found
        value = max(bursts[full].at_once, low)
        bounds = (value, value) if self._named else (low, bursts[full].size - 1)
        return replace(found, per_instance=value, low=bounds[0], high=max(value, bounds[1]))


def _fate(call: Invocation, single_ns: int, unlike_ns: int, up: set[str]) -> Fate:
    """`up`: the instances that had answered before its burst."""
    instance, more_ns = call.evidence.instance, (call.wait_ns or 0) - single_ns
    if instance is not None:
        if instance not in up:
            return Fate.STARTED
        return Fate.QUEUED if more_ns > unlike_ns else Fate.TAKEN
    if more_ns <= unlike_ns:
        return Fate.TAKEN
    calls = more_ns / single_ns
    return Fate.QUEUED if round(calls) and abs(calls - round(calls)) <= _NEAR_WHOLE else Fate.STARTED


def _burst(calls: Sequence[Invocation], fates: Sequence[Fate], *, named: bool) -> Burst:
    taken = Counter(
        call.evidence.instance for call, fate in zip(calls, fates, strict=True) if fate is Fate.TAKEN
    )
    sent = [call.sent_ns or 0 for call in calls]
    return Burst(
        size=len(calls),
        at_once=max(taken.values(), default=0),
        queued=fates.count(Fate.QUEUED),
        started=fates.count(Fate.STARTED),
        instances=len({call.evidence.instance for call in calls}) if named else None,
        spread_ms=(max(sent) - min(sent)) / 1e6,
        wait_max_ms=max(call.wait_ns or 0 for call in calls) / 1e6,
    )

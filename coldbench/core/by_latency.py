"""Verdicts by waits alone, of one target whose answers carry no evidence. Rather `unknown` than wrong.

A wait says quick or slow (`latency_model`). What that means depends on what else was under way:

- A slow *lone* call (nobody overlapped it) is cold: no instance was up, and now one is.
- A quick call is warm, unless an instance may be waiting unused: then it may be preinitialised. One may
  until the first cold lone call, after a burst that may have started more instances than it used, and
  after a connection over which nothing was sent.
- A slow call *of a burst* may have had an instance of its own, or waited for somebody else's, or queued
  behind one. Only where the run has shown that calls do not share instances (`exclusive`) is it cold.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from coldbench.core.bursts import Burst, Lone, Speed, in_order
from coldbench.core.calls import Calls
from coldbench.core.exclusive import unshared_ns
from coldbench.core.latency_model import Models, odds
from coldbench.core.verdict import ColdKind, Verdict

if TYPE_CHECKING:
    from numpy import float64, int8
    from numpy.typing import NDArray

    from coldbench.core.calls import Flags, Ints

# A verdict is given from this probability on.
_SURE = 0.99

# What is told of a call is an index into these, so that a million are a column of bytes.
_NOTHING, _NOT_SURE, _WARM, _COLD, _SCALED_OUT, _UNUSED, _SHARED = range(7)
_MEANING: dict[int, tuple[Verdict, ColdKind | None, str]] = {
    _NOT_SURE: (Verdict.UNKNOWN, None, ""),
    _WARM: (Verdict.WARM, None, ""),
    _COLD: (Verdict.COLD, ColdKind.IDLE, ""),
    _SCALED_OUT: (Verdict.COLD, ColdKind.SCALEOUT, "; another call of its burst was quick"),
    _UNUSED: (Verdict.UNKNOWN, None, "; perhaps the first use of an instance started before"),
    _SHARED: (Verdict.UNKNOWN, None, "; it may have queued, or waited for another call's instance"),
}


class Told(Struct, frozen=True, gc=False):
    """What the wait tells of one invocation; `verdict` is `unknown` when it does not decide."""

    verdict: Verdict
    probability: float  # P(cold) of its wait by itself
    reason: str
    cold_kind: ColdKind | None = None


class Telling(Struct, frozen=True):
    """What the waits tell of all calls of a target: columns, by ascending `seq`."""

    seq: "Ints"
    meaning: "NDArray[int8]"
    probability: "NDArray[float64]"

    def get(self, seq: int) -> Told | None:
        """Of one invocation; None where there is no model for it."""
        place = int(self.seq.searchsorted(seq))
        if place == len(self.seq) or self.seq[place] != seq or self.meaning[place] == _NOTHING:
            return None
        verdict, kind, why = _MEANING[int(self.meaning[place])]
        p = float(self.probability[place])
        return Told(verdict, p, f"latency model: P(cold) = {p:.3f}{why}", kind)


def tell(calls: Calls, models: Models, round_trip_ns: int) -> Telling:
    """What the models, and how calls overlapped, tell of each call."""
    import numpy as np

    slow, cold = odds(calls, models, round_trip_ns)
    speeds = np.where(cold >= _SURE, Speed.SLOW, np.where(slow <= 1 - _SURE, Speed.QUICK, Speed.UNDECIDED))
    # A gateway's error or a cached answer, quick or slow, says nothing about instances.
    speeds = np.where(calls.of_function, speeds, Speed.UNDECIDED)
    meaning = np.where(np.isnan(cold), _NOTHING, _NOT_SURE).astype(np.int8)
    if models:
        soon_ns = min(model.penalty_ns for model in models.values()) / 2
        unshared = unshared_ns(in_order(calls, speeds, round_trip_ns, soon_ns))
        for place, what in _meanings(
            in_order(calls, speeds, round_trip_ns, soon_ns), calls.connected, unshared
        ):
            meaning[place] = what
    order = np.argsort(calls.seq)
    return Telling(calls.seq[order], meaning[order], cold[order])


def _meanings(
    groups: Iterable[Lone | Burst], connected: "Flags", unshared: float
) -> Iterator[tuple[int, int]]:
    """The place of each call that is quick or slow, and what that means."""
    up: int | None = None  # at most so many instances are, none of them unused; None when not known
    for group in groups:
        if isinstance(group, Burst):
            told = list(_of_burst(group, up, unshared))
            yield from told
            up = _up_after(group, up, [what for _, what in told])
            continue
        if connected[group.place]:
            up = None
        if group.speed == Speed.SLOW:
            up = 1
            yield group.place, _COLD
        elif group.speed == Speed.QUICK:
            yield group.place, _UNUSED if up is None else _WARM


def _of_burst(burst: Burst, up: int | None, unshared: float) -> Iterable[tuple[int, int]]:
    first = min((replies[0].answered_ns for replies in (burst.quick, burst.slow) if replies), default=0)
    for reply in burst.quick:
        yield reply.place, _WARM if burst.prompt and up is not None else _UNUSED
    for reply in burst.slow:
        own = burst.prompt and reply.answered_ns - first < unshared
        yield reply.place, (_SCALED_OUT if burst.quick else _COLD) if own else _SHARED


def _up_after(burst: Burst, up: int | None, meanings: list[int]) -> int | None:
    """Nothing was left unused only if each call is known to have had an instance, and none was needless."""
    colds = meanings.count(_COLD) + meanings.count(_SCALED_OUT)
    if burst.undecided or colds + meanings.count(_WARM) < len(meanings):
        return None
    if not colds and (up is None or len(meanings) > up):
        return None
    return (up or 0) + colds

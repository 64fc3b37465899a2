"""One target's calls in order of time, as lone calls and bursts, by what each wait says by itself."""

from collections.abc import Iterator
from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

from coldbench.core.calls import Calls

if TYPE_CHECKING:
    from coldbench.core.calls import Ints


class Speed(IntEnum):
    """What a wait says by itself."""

    QUICK = -1
    UNDECIDED = 0
    SLOW = 1


class Lone(Struct, frozen=True, gc=False):
    """A call that no other overlapped. `place` is that in the columns of `Calls`, here and below."""

    place: int
    speed: int


class Reply(Struct, frozen=True, gc=False):
    """One answered call of a burst; instants of the run's clock."""

    place: int
    answered_ns: int
    busy_ns: int  # its wait less the round trip: an execution at most, where it did not wait


class Burst(Struct, frozen=True, kw_only=True, gc=False):
    """Calls that overlapped; each kind by the time of its answer."""

    quick: tuple[Reply, ...]
    slow: tuple[Reply, ...]
    undecided: tuple[int, ...]  # places; those without a whole response too
    prompt: bool  # all were sent before an instance started for one could have answered another


def in_order(calls: Calls, speeds: "Ints", round_trip_ns: int, soon_ns: float) -> Iterator[Lone | Burst]:
    """All calls; a burst is prompt when it was sent within `soon_ns`."""
    import numpy as np

    lone = calls.lone
    bounds = np.append(np.flatnonzero(np.diff(calls.group, prepend=-1)), len(calls.seq))
    for first, end in pairwise(bounds):
        if lone[first]:
            yield Lone(int(first), int(speeds[first]))
        else:
            yield _burst(calls, speeds, slice(first, end), round_trip_ns, soon_ns)


def _burst(calls: Calls, speeds: "Ints", its: slice, round_trip_ns: int, soon_ns: float) -> Burst:
    sent, waits = calls.sent_ns[its].tolist(), calls.wait_ns[its].tolist()
    replies: dict[Speed, list[Reply]] = {speed: [] for speed in Speed}
    for place, (at, wait, speed) in enumerate(
        zip(sent, waits, speeds[its].tolist(), strict=True), start=int(its.start)
    ):
        replies[Speed(speed)].append(Reply(place, at + wait, wait - round_trip_ns))
    quick, slow = (
        tuple(sorted(replies[speed], key=lambda reply: reply.answered_ns))
        for speed in (Speed.QUICK, Speed.SLOW)
    )
    return Burst(
        quick=quick,
        slow=slow,
        undecided=tuple(reply.place for reply in replies[Speed.UNDECIDED]),
        prompt=sent[-1] - sent[0] <= soon_ns,
    )

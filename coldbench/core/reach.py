"""How many overlapping pings, held for how long, reach N distinct instances.

A ping that is answered before the last one of its round has arrived frees its instance, and the platform
gives that instance a second one: the hold has to outlast the spread. An instance that takes several
requests at once swallows several pings: then there have to be more of them. Neither the spread at the
platform nor the concurrency is known, so both are raised until N are reached, and lowered again with care.
"""

from enum import StrEnum
from math import ceil

from msgspec import Struct
from msgspec.structs import replace

FIRST_HOLD_NS = 75_000_000  # what the field's warmers use: 25 to 75 ms
_LEAST_HOLD_NS = 25_000_000
# A hold shorter than this many spreads is suspected first when too few were reached.
_SPREADS = 1.5
_LONGER = 2.0
# Pings leave together; on their way to the platform they may drift apart. A hold is not cut below this.
_AMPLE_SPREADS = 3
# After so many covered rounds in a row a shorter hold is tried.
_SETTLED_ROUNDS = 10
_SHORTER = 0.8


class Reach(Struct, frozen=True, kw_only=True):
    """What a round sends, and what of it has been seen to miss some instances."""

    pings: int
    hold_ns: int
    missed_pings: int = 0
    missed_hold_ns: int = 0
    covered_in_a_row: int = 0
    widest_ns: int = 0  # the widest spread in those rounds


class Limits(Struct, frozen=True, kw_only=True):
    """What a round may not exceed."""

    pings: int
    hold_ns: int


def first_reach(instances: int, limits: Limits) -> Reach:
    """One ping for each instance, held as the field's warmers hold theirs."""
    return Reach(pings=min(instances, limits.pings), hold_ns=min(FIRST_HOLD_NS, limits.hold_ns))


class Met(StrEnum):
    """What pings met that reached too few instances."""

    PACKED = "packed"  # several shared an instance
    GROWING = "growing"  # some waited for instances that are being started: those take the next pings
    LATE = "late"  # some came when others were no longer held, though no instance was started


def escalated(
    reach: Reach, reached: int, wanted: int, *, spread_ns: int, met: Met, limits: Limits
) -> Reach | None:
    """What to send after `reached` of `wanted` answered to pings that left within `spread_ns`.

    None when nothing more is allowed.
    """
    reach = replace(reach, covered_in_a_row=0, widest_ns=0)
    longer = replace(reach, missed_hold_ns=max(reach.missed_hold_ns, reach.hold_ns))
    too_short = reach.hold_ns < _SPREADS * spread_ns or met is Met.LATE
    if too_short and reach.hold_ns < limits.hold_ns:
        hold_ns = round(max(_LONGER * reach.hold_ns, _SPREADS * spread_ns))
        return replace(longer, hold_ns=min(limits.hold_ns, hold_ns))
    if met is Met.GROWING:
        return reach
    if reach.pings < limits.pings and met is Met.PACKED:
        # As many for each instance as it took now: at least one more.
        pings = max(reach.pings + 1, ceil(reach.pings * wanted / max(reached, 1)))
        missed = max(reach.missed_pings, reach.pings)
        return replace(reach, pings=min(limits.pings, pings), missed_pings=missed)
    if reach.hold_ns < limits.hold_ns:
        return replace(longer, hold_ns=min(limits.hold_ns, round(_LONGER * reach.hold_ns)))
    return None


def covered(reach: Reach, reached: int, wanted: int, spread_ns: int, least_hold_ns: int = 0) -> Reach:
    """What to send after pings that reached all: fewer when they reached more than that, and when that
    has gone well for some time a shorter hold, down to `least_hold_ns`. Never again what has missed.
    """
    reach = replace(reach, widest_ns=max(reach.widest_ns, spread_ns))
    fewer = max(wanted, reach.missed_pings + 1, ceil(reach.pings * wanted / max(reached, 1)))
    if fewer < reach.pings:
        return replace(reach, pings=fewer, covered_in_a_row=0)
    if reach.covered_in_a_row + 1 < _SETTLED_ROUNDS:
        return replace(reach, covered_in_a_row=reach.covered_in_a_row + 1)
    shorter_ns = round(_SHORTER * reach.hold_ns)
    hold_ns = max(_LEAST_HOLD_NS, least_hold_ns, shorter_ns, _AMPLE_SPREADS * reach.widest_ns)
    if not reach.missed_hold_ns < hold_ns < reach.hold_ns:
        hold_ns = reach.hold_ns
    return replace(reach, hold_ns=hold_ns, covered_in_a_row=0, widest_ns=0)


def lengthened(reach: Reach, hold_ns: int, limits: Limits) -> Reach | None:
    """What to send where only pings held for so long tell anything; None when that is not allowed."""
    if not reach.hold_ns < hold_ns <= limits.hold_ns:
        return None
    return replace(reach, hold_ns=hold_ns, covered_in_a_row=0, widest_ns=0)


def resumed(reach: Reach, pings: int, hold_ms: float, limits: Limits) -> Reach:
    """What an earlier run had come to, within today's limits."""
    return replace(
        reach,
        pings=max(reach.pings, min(pings, limits.pings)),
        hold_ns=min(round(hold_ms * 1e6), limits.hold_ns),
    )

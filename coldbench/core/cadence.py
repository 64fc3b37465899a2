"""How often to ping, found while pinging: a little oftener than instances are let go.

Colds met by all after the same silence say that it was too long; a cold one among survivors says that the
platform replaces instances that are in use, which no timer prevents.
"""

from msgspec import Struct
from msgspec.structs import replace

_CLEAN_ROUNDS = 3  # in a row, before a longer period is tried
_LONGER, _SHORTER = 1.5, 0.7
# Never again nearer than this to a period that was seen to be too long ...
_MARGIN = 0.8
# ... until so many clean rounds later: platforms change their minds.
_DRIFT_ROUNDS = 50
_DRIFT = 1.1


# A silence longer than the period by this part and this time was not the period's.
_BROKEN_OFF, _BROKEN_OFF_NS = 0.5, 500_000_000


class Cadence(Struct, frozen=True, kw_only=True):
    """The period now, the longest that is known to be too long, and clean rounds since the last change."""

    period_ns: int
    too_long_ns: int | None = None
    clean: int = 0


def after_round(cadence: Cadence, *, evicted: bool, shortest_ns: int) -> Cadence | None:
    """The cadence after a round that met instances let go in the silence before it, or none.

    None when even `shortest_ns` was too long: no timer helps.
    """
    if evicted:
        if cadence.period_ns <= shortest_ns:
            return None
        shorter = max(shortest_ns, round(_SHORTER * cadence.period_ns))
        return Cadence(period_ns=shorter, too_long_ns=cadence.period_ns)
    clean = cadence.clean + 1
    too_long_ns = cadence.too_long_ns
    if too_long_ns is None:
        if clean < _CLEAN_ROUNDS:
            return replace(cadence, clean=clean)
        return Cadence(period_ns=round(_LONGER * cadence.period_ns))
    if clean < _DRIFT_ROUNDS:
        return replace(cadence, clean=clean)
    too_long_ns = round(_DRIFT * too_long_ns)
    return Cadence(period_ns=round(_MARGIN * too_long_ns), too_long_ns=too_long_ns)


def broken_off(silent_ns: int, period_ns: int) -> bool:
    """Whether more than the period lay between two rounds: a closed window, an outage, a machine asleep.

    What such a silence lets go says nothing of the period.
    """
    return silent_ns > (1 + _BROKEN_OFF) * period_ns + _BROKEN_OFF_NS


def recycled(cold: int, reached: int) -> bool:
    """Whether `cold` first uses among `reached` instances are replacements of instances in use.

    What a silence lets go it lets go together: half of them at least.
    """
    return 0 < cold < reached / 2


def let_go(cold: int | None, slow: int, reached: int) -> bool:
    """Whether the silence before a round let instances go; where no answer says which pings were `cold`, by
    those that were `slow`. A few of these had to queue, perhaps, or met a replacement.
    """
    gone = slow if cold is None else cold
    return gone > 0 and not recycled(gone, reached)

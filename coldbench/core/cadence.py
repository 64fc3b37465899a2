"""How often to ping, found while pinging: a little oftener than instances are let go.

First uses met by most after the same silence say that it was too long. A few among survivors may have been
replaced in use, which no timer prevents, or have had shorter lives than the others: the period does not grow.
"""

from enum import StrEnum

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


class Gone(StrEnum):
    """How many of its instances a round found let go."""

    NONE = "none"
    FEW = "few"
    MOST = "most"  # half of them at least: what a silence lets go it lets go together


class Cadence(Struct, frozen=True, kw_only=True):
    """The period now, the longest that is known to be too long, clean rounds since the last change, and the
    shorter period that was clean before this one was tried."""

    period_ns: int
    too_long_ns: int | None = None
    clean: int = 0
    before_ns: int | None = None


def after_round(cadence: Cadence, *, gone: Gone, shortest_ns: int) -> Cadence | None:
    """The cadence after a round that met so many instances let go.

    None when even `shortest_ns` was too long: no timer helps.
    """
    period_ns, too_long_ns = cadence.period_ns, cadence.too_long_ns
    if gone is Gone.MOST:
        if period_ns <= shortest_ns:
            return None
        return Cadence(period_ns=max(shortest_ns, round(_SHORTER * period_ns)), too_long_ns=period_ns)
    if gone is Gone.FEW:
        if cadence.before_ns is None:
            return replace(cadence, clean=0)
        # With the shorter period there were none.
        return Cadence(period_ns=cadence.before_ns, too_long_ns=period_ns)
    clean = cadence.clean + 1
    if too_long_ns is None:
        if clean < _CLEAN_ROUNDS:
            return replace(cadence, clean=clean)
        return Cadence(period_ns=round(_LONGER * period_ns), before_ns=period_ns)
    if clean < _DRIFT_ROUNDS:
        return replace(cadence, clean=clean)
    too_long_ns = round(_DRIFT * too_long_ns)
    return Cadence(period_ns=round(_MARGIN * too_long_ns), too_long_ns=too_long_ns, before_ns=period_ns)


def broken_off(silent_ns: int, period_ns: int) -> bool:
    """Whether more than the period lay between two rounds: a closed window, an outage, a machine asleep.

    What such a silence lets go says nothing of the period.
    """
    return silent_ns > (1 + _BROKEN_OFF) * period_ns + _BROKEN_OFF_NS


def let_go(cold: int | None, slow: int, reached: int) -> Gone:
    """How many of the instances `reached` were let go before a round; where no answer says which pings were
    `cold`, by those that were `slow`.
    """
    gone = slow if cold is None else cold
    if not gone:
        return Gone.NONE
    return Gone.FEW if gone < reached / 2 else Gone.MOST

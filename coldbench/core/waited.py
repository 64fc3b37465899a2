"""What a caller's own wait says: how long it is unexplained, and which claims of others it bears out."""

from coldbench.core.invocation import Invocation
from coldbench.core.surroundings import Surroundings, WarmWaits

# An arrival this close to the end of init, seen only from outside, is not decided: the request's way to
# the instance and back is known to about this much.
EDGE_MS = 5.0
# A caller that waited at least this part of a reported init paid it. Where no warm calls are known, one
# that waited at most the smaller part did not; between them it is not decided.
_PAID, _NOT_PAID = 0.8, 0.1
# Up to the smaller multiple of the median warm wait is no sign of a start, from the larger on it is one.
_LIKE_WARM, _UNLIKE_WARM = 1.5, 3.0


def held_ms(invocation: Invocation, around: Surroundings) -> float | None:
    """The wait less the network's round trip and the reported execution, ms."""
    wait = invocation.wait_ns
    if wait is None:
        return None
    return max(0.0, (wait - (around.round_trip_ns or 0)) / 1e6 - (invocation.evidence.exec_ms or 0.0))


def longer_than_waited(queue_ms: float, invocation: Invocation, around: Surroundings) -> bool:
    """Nobody queued longer than the caller waited: the queue was measured by two clocks."""
    wait = invocation.wait_ns
    return wait is not None and queue_ms > (wait - (around.round_trip_ns or 0)) / 1e6 + EDGE_MS


def behind_the_start(queue: float, age: float, held: float | None, init: float | None) -> bool:
    """Whether a first use was stamped only behind the start that it waited for: it arrived right after the
    end of init, had not queued, and its caller waited for as long as the init took; ms.
    """
    if init is None or held is None or queue > age:
        return False
    return age <= EDGE_MS and held >= max(_PAID * init, EDGE_MS)


def explained(held: float, warm: WarmWaits | None, init: float | None) -> tuple[bool, bool]:
    """Whether a first use may have waited so long without its init, and with it; ms. Both, or neither, is
    no decision."""
    if warm is None:
        return held <= _NOT_PAID * (init or 0.0), held >= _PAID * (init or 0.0)
    if init is None:
        return held <= _LIKE_WARM * warm.median, held >= _UNLIKE_WARM * warm.median + EDGE_MS
    # Where warm calls take long and all alike, what is beyond them counts, not how many times as much.
    like_warm = min(_LIKE_WARM * warm.median, warm.high + EDGE_MS)
    return held <= like_warm, held >= warm.low + _PAID * init

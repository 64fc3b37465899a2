"""Ways to keep an instance busy until all pings of a round have arrived, best first."""

from enum import StrEnum
from urllib.parse import urljoin

from msgspec import Struct
from msgspec.structs import replace

from coldbench.core.target import Target

UNTIL_HEADER = "X-Coldbench-Hold-Until"
FOR_HEADER = "X-Coldbench-Hold-Ms"


# Less than this is the slow correction of a clock, or two readings that are not of one instant.
_STEP_NS = 5_000_000


class HoldBy(StrEnum):
    """What holds an instance."""

    UNTIL = "rendezvous"  # the shim holds until an instant of its own clock
    FOR = "hold header"  # the shim holds for a time
    REQUEST = "request"  # the user's own path or body takes its time
    NATURAL = "execution"  # nothing but the function's own execution


class Holding(Struct, frozen=True, kw_only=True):
    """How a target's instances can be held.

    `clock_ahead_ns` is the function's clock less ours, known to half a round trip, as long as our wall clock
    is ahead of our monotonic one by `wall_ahead_ns`; `warm_wait_ns` what a warm call waits without a hold
    (with the user's own request: with it).
    """

    by: HoldBy
    warm_wait_ns: int
    clock_ahead_ns: int = 0
    wall_ahead_ns: int = 0
    request: str = ""  # a path, or a body


def out_of_step(holding: Holding, wall_ahead_ns: int) -> bool:
    """Whether our wall clock was set, or this machine slept, since a rendezvous was agreed on.

    Pings would be held too long or not at all, by as much as it moved.
    """
    return holding.by is HoldBy.UNTIL and abs(wall_ahead_ns - holding.wall_ahead_ns) > _STEP_NS


def held(target: Target, holding: Holding, hold_ns: int, released_epoch_ns: int) -> Target:
    """The target with a request that holds its instance; `released_epoch_ns` is when the pings leave."""
    match holding.by:
        case HoldBy.UNTIL:
            until_ns = released_epoch_ns + holding.clock_ahead_ns + hold_ns
            return _with_header(target, UNTIL_HEADER, until_ns / 1e6)
        case HoldBy.FOR:
            return _with_header(target, FOR_HEADER, hold_ns / 1e6)
        case HoldBy.REQUEST if holding.request.startswith("/"):
            return replace(target, endpoint=urljoin(target.endpoint, holding.request))
        case HoldBy.REQUEST:
            method = "POST" if target.method == "GET" else target.method
            return replace(target, body=holding.request.encode(), method=method)
        case HoldBy.NATURAL:
            return target


def _with_header(target: Target, name: str, value_ms: float) -> Target:
    return replace(target, headers=(*target.headers, (name, f"{value_ms:.3f}")))

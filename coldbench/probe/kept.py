"""What is asked of keeping one target warm, and what there is to say of it."""

from collections import deque
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from coldbench.core.cadence import Cadence
from coldbench.core.durations import format_duration
from coldbench.core.hold import HoldBy, Holding
from coldbench.core.keepwarm import Round
from coldbench.core.reach import Limits, Reach

_STEPS_TOLD = 4


class Asked(Struct, frozen=True, kw_only=True):
    """What is to be done for a target. `adapts` finds the cadence; otherwise `every_ns` is kept."""

    instances: int
    every_ns: int
    adapts: bool
    shortest_ns: int
    limits: Limits
    per_instance: int  # for estimates without ids
    hold_with: str | None


class Happened(Struct, kw_only=True):
    """What is told beside the rounds, counted while they go."""

    left_out: int = 0  # rounds, because the one before took longer than the period
    hopeless: bool = False
    few: int = 0  # first uses, while most instances lived on
    steps: deque[str] = msgspec.field(default_factory=lambda: deque(maxlen=_STEPS_TOLD))
    silent_ns: int = 0  # while it was asked and nothing answered
    others: int = 0  # whole answers that were not the function's
    other_status: int | None = None  # of the last of them


def notes(
    asked: Asked,
    happened: Happened,
    last: Round | None,
    reach: Reach,
    holding: Holding | None,
    cadence: Cadence,
) -> Iterator[str]:
    """A sentence for each thing that its rounds alone do not show."""
    if happened.others:
        yield (
            f"answers not counted: {happened.others}, the last with status {happened.other_status}: "
            "not the function's own, as far as is told (--expect-status names those that are)"
        )
    if happened.silent_ns and last is not None:
        yield (
            f"nothing answered for {format_duration(round(happened.silent_ns, -8))} in all; the rounds that "
            "there was time for meanwhile count as missed"
        )
    if last is None:
        yield "never answered"
        return
    if happened.steps and last.reached is not None:
        yield f"{', '.join(happened.steps)}; now {step(reach, last.reached, asked.instances)}"
    if holding is not None and holding.by is HoldBy.NATURAL and asked.instances > 1:
        yield (
            "nothing holds its instances but their own execution: let it honour the shim's hold header, "
            "or name a path or a body that takes long enough with --hold-with"
        )
    if last.reached is None:
        yield (
            f"its answers name no instance, and {_busy(reach, holding)} is too short to tell pings that "
            "waited behind one another from pings with an instance each: how many there were is not known"
        )
    elif last.estimated:
        yield (
            "its answers name no instance: how many were reached is estimated by the waits, for "
            f"{asked.per_instance} at a time in an instance (--concurrency)"
        )
    if happened.hopeless:
        yield (
            f"instances are let go within {format_duration(cadence.period_ns)}: no timer of "
            f"{format_duration(asked.shortest_ns)} or more keeps them"
        )
    if happened.few:
        yield (
            f"first uses that were met while most instances lived on: {happened.few}; whether the platform "
            "replaced instances in use, or let some go sooner than others, is not told (a shorter --every "
            "prevents only the latter)"
        )
    if happened.left_out:
        yield f"{happened.left_out} rounds were left out because the one before took longer than the period"


def _busy(reach: Reach, holding: Holding | None) -> str:
    if holding is None or holding.by is HoldBy.FOR:
        return f"a hold of {reach.hold_ns / 1e6:.0f} ms (see --max-hold)"
    return f"an execution of at most {holding.warm_wait_ns / 1e6:.0f} ms"


def step(reach: Reach, reached: int, asked: int) -> str:
    """What was sent and what it came to, in words."""
    pings = "1 ping" if reach.pings == 1 else f"{reach.pings} pings"
    return f"{pings} held {reach.hold_ns / 1e6:.0f} ms reached {reached} of {asked}"

"""What the answers to overlapping pings tell: how many instances there were, and which were first uses."""

from collections.abc import Sequence

from coldbench.core.hold import HoldBy, Holding
from coldbench.core.invocation import Invocation
from coldbench.core.surroundings import round_trip_ns

# Without evidence: a ping that waited so much longer than a warm one had an instance started, or queued.
_UNLIKE_WARM_NS = 50_000_000
_UNLIKE_WARM = 0.5
_ROOM = 1.2
# A ping that came with the others is held for more than this part of the hold.
_HELD = 0.25


def instances_reached(
    answers: Sequence[Invocation], holding: Holding, hold_ns: int, spread_ns: int, per_instance: int
) -> tuple[int | None, bool]:
    """How many instances gave these answers to overlapping pings, and whether that is an estimate.

    By their ids. Without ids: pings that did not queue, `per_instance` to an instance; None where one that
    had queued would not be told from the others. One answer is one instance, whatever held it.
    """
    ids = {answer.evidence.instance for answer in answers} - {None}
    if ids:
        return len(ids), False
    number = -(-(len(answers) - queued(answers, holding, hold_ns)) // per_instance)
    if number > 1 and not tells_queued(answers, holding, hold_ns, spread_ns):
        return None, True
    return number, True


def tells_queued(answers: Sequence[Invocation], holding: Holding, hold_ns: int, spread_ns: int) -> bool:
    """Whether a ping that waited behind another one has waited so long that it is told from one that did not.

    The last of those that left within `spread_ns` waits so much less. The network is no part of a wait.
    """
    if holding.by is HoldBy.UNTIL:
        return True
    held_ns = max(0, holding.warm_wait_ns - (round_trip_ns(answers) or 0))
    if holding.by is HoldBy.FOR:
        held_ns = max(held_ns, hold_ns)
    return held_ns > _tolerance_ns(holding) + spread_ns


def least_hold_ns(holding: Holding, spread_ns: int) -> int:
    """Held for so long, pings that left within that spread and queued are surely told from others."""
    return round(_ROOM * (_tolerance_ns(holding) + spread_ns))


def queued(invocations: Sequence[Invocation], holding: Holding, hold_ns: int) -> int:
    """How many waited for an instance to start or to become free.

    At a rendezvous those came too late to be held; otherwise they waited longer than a held, warm call.
    """
    answered = [one for one in invocations if one.completed]
    if holding.by is HoldBy.UNTIL:
        shortest_ms = _HELD * hold_ns / 1e6
        return sum(
            one.evidence.exec_ms is not None and one.evidence.exec_ms < shortest_ms for one in answered
        )
    longest_ns = holding.warm_wait_ns + (hold_ns if holding.by is HoldBy.FOR else 0)
    longest_ns += _tolerance_ns(holding)
    return sum((one.wait_ns or 0) > longest_ns for one in answered)


def stayed(
    reached: int | None, cold: int | None, first: int | None, slow: int, *, estimated: bool
) -> int | None:
    """How many of the instances that a round reached had been there before it: all but the first uses.

    Where no answer tells those: the `first` that its first attempt reached, less the pings that were slow. An
    estimate has left those out already. None where it is not known how many were reached.
    """
    if cold is not None:
        return None if reached is None else max(0, reached - cold)
    if first is None or estimated:
        return first
    return max(0, first - slow)


def _tolerance_ns(holding: Holding) -> int:
    return max(_UNLIKE_WARM_NS, round(_UNLIKE_WARM * holding.warm_wait_ns))


def first_uses(invocations: Sequence[Invocation]) -> int | None:
    """How many answers say that they were the first of their instance; None where none says either way."""
    answers = [invocation.evidence for invocation in invocations if invocation.completed]
    telling = [its for its in answers if its.cold_flag is not None or its.instance_seq is not None]
    if not telling:
        return None
    return sum(its.instance_seq == 1 if its.cold_flag is None else its.cold_flag for its in telling)

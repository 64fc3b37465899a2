"""What the answers to overlapping pings tell: how many instances there were, and which were first uses."""

from collections.abc import Sequence

from coldbench.core.hold import HoldBy, Holding
from coldbench.core.invocation import Invocation

# Without evidence: a ping that waited so much longer than a warm one had an instance started, or queued.
_UNLIKE_WARM_NS = 50_000_000
_UNLIKE_WARM = 0.5
# A ping that came with the others is held for more than this part of the hold.
_HELD = 0.25


def instances_reached(
    invocations: Sequence[Invocation], holding: Holding, hold_ns: int, per_instance: int
) -> tuple[int, bool]:
    """How many instances answered overlapping pings, and whether that is an estimate.

    By their ids. Without ids: pings that did not queue, `per_instance` to an instance.
    """
    answered = [invocation for invocation in invocations if invocation.completed]
    ids = {invocation.evidence.instance for invocation in answered} - {None}
    if ids:
        return len(ids), False
    return -(-(len(answered) - queued(answered, holding, hold_ns)) // per_instance), True


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
    longest_ns += max(_UNLIKE_WARM_NS, round(_UNLIKE_WARM * holding.warm_wait_ns))
    return sum((one.wait_ns or 0) > longest_ns for one in answered)


def first_uses(invocations: Sequence[Invocation]) -> int | None:
    """How many answers say that they were the first of their instance; None where none says either way."""
    answers = [invocation.evidence for invocation in invocations if invocation.completed]
    telling = [its for its in answers if its.cold_flag is not None or its.instance_seq is not None]
    if not telling:
        return None
    return sum(its.instance_seq == 1 if its.cold_flag is None else its.cold_flag for its in telling)

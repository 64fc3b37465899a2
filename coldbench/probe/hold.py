"""Finds out what holds a target's instances, by asking it."""

from collections.abc import Awaitable, Callable
from time import time_ns

from msgspec.structs import replace

from coldbench.core.hold import HoldBy, Holding, held
from coldbench.core.invocation import Invocation
from coldbench.core.judge import function_answered
from coldbench.core.target import Target
from coldbench.probe.boot import wall_ahead_ns

# Sends one request of a target on a fresh connection.
Invoke = Callable[[Target], Awaitable[Invocation]]

_ASKED_NS = 250_000_000
# Longer than a warm call by less than this part of what was asked: not held.
_HELD = 0.8
_WARM_CALLS = 3
_CONFIRMATIONS = 2


async def find_holding(
    target: Target, invoke: Invoke, request: str | None, *, rendezvous: bool = True
) -> Holding | None:
    """The best way that works; `request` is the user's own. None when the function does not answer.

    `rendezvous` False leaves that out: each call is to be held for as long, whenever it is taken up.
    """
    if request is not None:
        wanted = Holding(by=HoldBy.REQUEST, request=request, warm_wait_ns=0)
        warm = await _warm(held(target, wanted, 0, 0), invoke)
        return None if warm is None else replace(wanted, warm_wait_ns=warm.wait_ns or 0)
    warm = await _warm(target, invoke)
    if warm is None:
        return None
    wait_ns = warm.wait_ns or 0
    # At a rendezvous all are answered at once: without ids and execution times it would hide who queued.
    tells = rendezvous and warm.evidence.instance is not None and warm.evidence.exec_ms is not None
    for by in (HoldBy.UNTIL, HoldBy.FOR) if tells else (HoldBy.FOR,):
        holding = Holding(by=by, warm_wait_ns=wait_ns)
        asked_ns = wait_ns + _ASKED_NS
        # Twice: a function of its own moods may once be slow where nothing holds it.
        for _ in range(_CONFIRMATIONS):
            wall_ns, released_ns = wall_ahead_ns(), time_ns()
            invocation = await invoke(held(target, holding, asked_ns, released_ns))
            answered_ns = time_ns()
            is_held = (
                function_answered(invocation, target.expect_status)
                and (invocation.wait_ns or 0) - wait_ns >= _HELD * _ASKED_NS
            )
            if not is_held:
                break
        if not is_held:
            continue
        if by is HoldBy.FOR:
            return holding
        # It answered when its clock showed the instant asked for; the answer took half a round trip.
        way_back_ns = (invocation.connect_ns or 0) // 2
        ahead_ns = released_ns + asked_ns - (answered_ns - way_back_ns)
        return replace(holding, clock_ahead_ns=ahead_ns, wall_ahead_ns=wall_ns)
    return Holding(by=HoldBy.NATURAL, warm_wait_ns=wait_ns)


async def _warm(target: Target, invoke: Invoke) -> Invocation | None:
    """The one that waited least of a few calls one after the other: the first may have been cold."""
    calls = [await invoke(target) for _ in range(_WARM_CALLS)]
    answered = [
        call for call in calls if function_answered(call, target.expect_status) and call.wait_ns is not None
    ]
    return min(answered, key=lambda call: call.wait_ns or 0, default=None)

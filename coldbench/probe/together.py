"""Invocations that overlap: released together, each on a connection of its own."""

import asyncio
from collections.abc import Sequence
from time import monotonic_ns

from coldbench.core.invocation import Invocation
from coldbench.core.target import Target
from coldbench.probe.invoke import Caller


async def invoke_together(
    targets: Sequence[Target], run_id: str, zero_ns: int, *, first_seq: int, phase: str
) -> list[Invocation]:
    """One invocation of each, released at one instant; `zero_ns` is the run's beginning.

    Cancelled, it leaves no connection behind.
    """
    intended_ns = monotonic_ns() - zero_ns
    callers = [Caller(target, run_id, zero_ns) for target in targets]
    try:
        return await asyncio.gather(
            *(
                caller.invoke(first_seq + place, phase=phase, intended_ns=intended_ns, fresh=True)
                for place, caller in enumerate(callers)
            )
        )
    finally:
        for caller in callers:
            await caller.close()


def cut_off(targets: Sequence[Target], *, first_seq: int, phase: str, intended_ns: int) -> list[Invocation]:
    """Of invocations that were cancelled with their answers outstanding: that they had begun."""
    return [
        Invocation(
            seq=first_seq + place,
            target=target.name,
            phase=phase,
            intended_ns=intended_ns,
            started_ns=intended_ns,
        )
        for place, target in enumerate(targets)
    ]


def spread_ns(invocations: Sequence[Invocation]) -> int:
    """From the first to the last one sent; 0 for fewer than two."""
    sent = [invocation.sent_ns for invocation in invocations if invocation.sent_ns is not None]
    return max(sent) - min(sent) if sent else 0

"""Bursts of growing size against one warm instance, each call held so long that they overlap."""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic_ns, time_ns

from coldbench.core.concurrency import Role
from coldbench.core.hold import Holding, held
from coldbench.core.invocation import Invocation
from coldbench.core.target import Target
from coldbench.probe.hold import find_holding
from coldbench.probe.together import cut_off, invoke_together

_SINGLES = 5
# A hold is so many times what a warm call waits, and at least this: longer than the spread of a burst.
_WAITS = 4
_LEAST_HOLD_NS = 400_000_000

Append = Callable[[Sequence[Invocation]], None]


class Bursts:
    """The experiment on one target; stopped by others of the same event loop."""

    def __init__(
        self, target: Target, run_id: str, zero_ns: int, *, append: Append, hold_with: str | None
    ) -> None:
        """`zero_ns` is the run's beginning on the monotonic clock; `hold_with` the user's long request."""
        self._target = target
        self._run_id = run_id
        self._zero_ns = zero_ns
        self._append = append
        self._hold_with = hold_with
        self._stopping = False
        self._next_seq = 0
        self.holding: Holding | None = None

    def stop(self) -> None:
        """End after the burst that is under way."""
        self._stopping = True

    @property
    def now_ns(self) -> int:
        """On the run's clock."""
        return monotonic_ns() - self._zero_ns

    async def carry_out(self, sizes: Sequence[int]) -> None:
        """Find what holds an instance, call alone, then in bursts; ends where the target does not answer."""

        async def settle(target: Target) -> Invocation:
            return (await self._send(target, 1, f"0:{Role.SETTLE}"))[0]

        self.holding = await find_holding(self._target, settle, self._hold_with, rendezvous=False)
        if self.holding is None:
            return
        hold_ns = max(_LEAST_HOLD_NS, _WAITS * self.holding.warm_wait_ns)
        target = held(self._target, self.holding, hold_ns, time_ns())
        for _ in range(_SINGLES):
            if not self._stopping:
                await self._send(target, 1, f"0:{Role.SINGLE}")
        for number, size in enumerate(sizes, 1):
            if self._stopping:
                return
            await self._send(target, size, f"{number}:{Role.BURST}")

    async def _send(self, target: Target, number: int, phase: str) -> list[Invocation]:
        """Those under way when this is cancelled are kept as unfinished."""
        first_seq, began_ns = self._next_seq, self.now_ns
        self._next_seq += number
        try:
            calls = await invoke_together(
                [target] * number, self._run_id, self._zero_ns, first_seq=first_seq, phase=phase
            )
        except asyncio.CancelledError:
            self._append(cut_off([target] * number, first_seq=first_seq, phase=phase, intended_ns=began_ns))
            raise
        self._append(calls)
        return calls

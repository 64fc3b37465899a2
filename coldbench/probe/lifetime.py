"""The idle lifetime: silence, a call, and at once a second one that settles the next trial's beginning."""

import asyncio
import time
from collections.abc import Callable, Sequence
from time import monotonic_ns

from coldbench.core.invocation import Invocation
from coldbench.core.lifetime import Role
from coldbench.core.target import Target
from coldbench.probe.invoke import Caller

_LONGEST_NAP_S = 0.1
# They show what a warm call waits, without which no wait tells a cold one.
_FIRST_CALLS = 6
# Clocks that go on during sleep have moved so much more than one that does not.
_ASLEEP_NS = 500_000_000
# After so many trials in a row without an answer a target is left alone.
_SILENT_TRIALS = 3

Append = Callable[[Sequence[Invocation]], None]
# The gap to try next, ns; None when it is enough.
NextGap = Callable[[], int | None]


class Trials:
    """One trial after the other for each target; the targets wait at the same time and are never called at
    the same time. Looked at and stopped by others of the same event loop."""

    def __init__(
        self,
        targets: Sequence[Target],
        run_id: str,
        zero_ns: int,
        *,
        first_seq: int,
        append: Append,
        next_gap: NextGap,
    ) -> None:
        """`zero_ns` is the run's beginning on the monotonic clock; a resumed run has calls before
        `first_seq`."""
        self._callers = [Caller(target, run_id, zero_ns) for target in targets]
        self._last_ns = [0] * len(targets)  # when each target last answered
        self._names = [target.name for target in targets]
        self._zero_ns = zero_ns
        self._append = append
        self._next_gap = next_gap
        self._calling = asyncio.Lock()
        self._stopping = False
        self._next_seq = first_seq
        self.trials = self.completed = self.errors = self.in_flight = 0

    @property
    def now_ns(self) -> int:
        """On the run's clock."""
        return monotonic_ns() - self._zero_ns

    @property
    def dispatched(self) -> int:
        """Invocations, those of a resumed run's earlier parts with them."""
        return self._next_seq

    def stop(self) -> None:
        """End after the invocation that is under way."""
        self._stopping = True

    async def carry_out(self) -> None:
        """Until `next_gap` has no more, or nothing answers."""
        await asyncio.gather(*(self._of(place) for place in range(len(self._callers))))

    async def _of(self, place: int) -> None:
        try:
            for _ in range(_FIRST_CALLS):
                await self._invoke(place, Role.SETTLE)
            silent = 0
            while not self._stopping and silent < _SILENT_TRIALS and (gap_ns := self._next_gap()) is not None:
                silent = 0 if await self._trial(place, gap_ns) else silent + 1
        finally:
            await self._callers[place].close()

    async def _trial(self, place: int, gap_ns: int) -> bool:
        """Whether it was answered."""
        # An open connection can keep a platform's proxy, and with it an instance, awake.
        await self._callers[place].close()
        end_ns, slept_ns = self._last_ns[place] + gap_ns, _slept_ns()
        while not self._stopping and (left_ns := end_ns - self.now_ns) > 0:
            await asyncio.sleep(min(left_ns / 1e9, _LONGEST_NAP_S))
        if self._stopping:
            return False
        slept = abs(_slept_ns() - slept_ns) > _ASLEEP_NS
        answered = await self._invoke(place, Role.SLEPT if slept else Role.TRIAL)
        self.trials += 1
        await self._invoke(place, Role.SETTLE)
        return answered

    async def _invoke(self, place: int, role: Role) -> bool:
        """Whether it was answered; nothing is sent when the user asked for the end before."""
        async with self._calling:
            if self._stopping:
                return False
            seq, began_ns, phase = self._next_seq, self.now_ns, f"{self.trials}:{role}"
            self._next_seq += 1
            self.in_flight = 1
            try:
                call = await self._callers[place].invoke(seq, phase=phase, intended_ns=began_ns, fresh=True)
            except asyncio.CancelledError:
                name = self._names[place]
                self._append(
                    [Invocation(seq=seq, target=name, phase=phase, intended_ns=began_ns, started_ns=began_ns)]
                )
                raise
            finally:
                self.in_flight = 0
            self._append([call])
        self._last_ns[place] = self.now_ns
        self.completed += call.completed
        self.errors += call.error is not None
        return call.completed


def _slept_ns() -> int:
    """How long this machine has slept, counted from anywhere: by the clock that goes on during sleep, else by
    the wall clock, whose steps are taken for sleep."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.time_ns() if boot is None else time.clock_gettime_ns(boot)) - monotonic_ns()

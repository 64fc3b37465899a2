"""Cold against warm: the visits of a plan, carried out one after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import monotonic_ns

from coldbench.core.invocation import Invocation
from coldbench.core.rounds import Visit
from coldbench.core.target import Target
from coldbench.probe.invoke import Caller

_LONGEST_NAP_S = 0.1

Append = Callable[[Sequence[Invocation]], None]
Prepare = Callable[[Target], Awaitable[None]]


class Visits:
    """Carries out visits; looked at and stopped by others of the same event loop.

    Invocations never overlap, save those of a burst, and two targets are never visited at once: nothing of
    ours disturbs what is measured. `idle` is true while no invocation is under way.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        run_id: str,
        zero_ns: int,
        *,
        append: Append,
        prepare: Prepare | None = None,
    ) -> None:
        """`zero_ns` is the run's beginning on the monotonic clock; `append` keeps facts as they come;
        `prepare` makes a target cold, and what it raises ends the visits."""
        self._targets = targets
        self._run_id = run_id
        self._zero_ns = zero_ns
        self._callers = [Caller(target, run_id, zero_ns) for target in targets]
        self._last_ns = [0] * len(targets)  # when each target last answered
        self._append = append
        self._prepare = prepare
        self._stopping = False
        self.idle = True
        self.phase = ""
        self.dispatched = self.completed = self.errors = self.in_flight = 0

    @property
    def now_ns(self) -> int:
        """On the run's clock."""
        return monotonic_ns() - self._zero_ns

    def spoken(self) -> dict[str, str]:
        """By target, the protocol of its latest answer where HTTP/2 was wanted and something else came."""
        return {
            target.name: caller.http_version
            for target, caller in zip(self._targets, self._callers, strict=True)
            if target.http2 and caller.http_version not in ("", "HTTP/2")
        }

    def stop(self) -> None:
        """End after the invocation that is under way."""
        self._stopping = True

    async def carry_out(self, rounds: Iterable[Sequence[Visit]], enough: Callable[[int], bool]) -> None:
        """Round after round, until `enough`, asked with the number of rounds behind us, says so.

        Ends after a round in which nothing ever was answered: what is wrong then is not cured by waiting.
        """
        try:
            for done, visits in enumerate(rounds, 1):
                for visit in visits:
                    await self._visit(visit)
                    if self._stopping:
                        return
                if not self.completed or enough(done):
                    return
        finally:
            for caller in self._callers:
                await caller.close()

    async def _visit(self, visit: Visit) -> None:
        target, caller = self._targets[visit.target], self._callers[visit.target]
        await self._wait_until(self._last_ns[visit.target] + visit.gap_ns, visit)
        if self._prepare is not None and not self._stopping:
            self.phase = f"{visit.round}:prepare"
            await self._prepare(target)
        try:
            first = await self._invoke(caller, visit, "first", fresh=True)
            if first is None or not first.completed:
                return
            for fresh in visit.fresh:
                await self._invoke(caller, visit, "fresh" if fresh else "reused", fresh=fresh)
            if visit.burst and not self._stopping:
                await self._burst(target, visit)
        finally:
            # An open connection can keep a platform's proxy, and with it an instance, awake.
            await caller.close()
            self._last_ns[visit.target] = self.now_ns

    async def _wait_until(self, due_ns: int, visit: Visit) -> None:
        self.phase = f"{visit.round}:idle"
        while not self._stopping and (left_ns := due_ns - self.now_ns) > 0:
            await asyncio.sleep(min(left_ns / 1e9, _LONGEST_NAP_S))

    async def _burst(self, target: Target, visit: Visit) -> None:
        callers = [Caller(target, self._run_id, self._zero_ns) for _ in range(visit.burst)]
        try:
            await asyncio.gather(*(self._invoke(caller, visit, "burst", fresh=True) for caller in callers))
        finally:
            for caller in callers:
                await caller.close()

    async def _invoke(self, caller: Caller, visit: Visit, role: str, *, fresh: bool) -> Invocation | None:
        """None when the user has asked for the end before."""
        if self._stopping:
            return None
        self.phase = f"{visit.round}:{role}"
        seq, intended_ns = self.dispatched, self.now_ns
        self.dispatched += 1
        self.in_flight += 1
        self.idle = False
        try:
            invocation = await caller.invoke(seq, phase=self.phase, intended_ns=intended_ns, fresh=fresh)
        except asyncio.CancelledError:
            unfinished = Invocation(
                seq=seq,
                target=self._targets[visit.target].name,
                phase=f"{visit.round}:{role}",
                intended_ns=intended_ns,
                started_ns=intended_ns,
            )
            self._append([unfinished])
            raise
        finally:
            self.in_flight -= 1
            self.idle = not self.in_flight
        self.completed += invocation.completed
        self.errors += invocation.error is not None
        self._append([invocation])
        return invocation

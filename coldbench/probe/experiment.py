"""Cold against warm: the visits of a plan, carried out one after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import monotonic_ns

from coldbench.core.invocation import Invocation
from coldbench.core.rounds import CONNECTED, FIRST, FRESH, PREPARED, REUSED, UNCONNECTED, Visit
from coldbench.core.target import Target
from coldbench.probe.invoke import Caller
from coldbench.probe.together import invoke_together

_LONGEST_NAP_S = 0.1

Append = Callable[[Sequence[Invocation]], None]
Prepare = Callable[[Target], Awaitable[None]]
# Sends invocations of a phase, numbered from the first on.
Send = Callable[[int, str], Awaitable[list[Invocation]]]


class Visits:
    """Carries out visits; looked at and stopped by others of the same event loop.

    Invocations never overlap, save those of a burst, and two targets are never visited at once: nothing of
    ours disturbs what is measured.
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
        self.phase = ""
        self.dispatched = self.completed = self.errors = self.in_flight = 0

    @property
    def idle(self) -> bool:
        """No answer is awaited."""
        return not self.in_flight

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
        due_ns, first_role = self._last_ns[visit.target] + visit.gap_ns, FIRST
        if visit.connect_ahead_ns:
            await self._wait_until(due_ns - visit.connect_ahead_ns, visit)
            stands = not self._stopping and await caller.connect(visit.connect_ahead_ns)
            first_role = CONNECTED if stands else UNCONNECTED
        await self._wait_until(due_ns, visit)
        if self._prepare is not None and not self._stopping:
            self.phase = f"{visit.round}:prepare"
            await self._prepare(target)
        try:
            first = await self._invoke(visit, first_role if self._prepare is None else PREPARED, fresh=True)
            if not any(one.completed for one in first):
                return
            for fresh in visit.fresh:
                await self._invoke(visit, FRESH if fresh else REUSED, fresh=fresh)
            if visit.burst:
                await self._burst(visit)
        finally:
            # An open connection can keep a platform's proxy, and with it an instance, awake.
            await caller.close()
            self._last_ns[visit.target] = self.now_ns

    async def _wait_until(self, due_ns: int, visit: Visit) -> None:
        self.phase = f"{visit.round}:idle"
        while not self._stopping and (left_ns := due_ns - self.now_ns) > 0:
            await asyncio.sleep(min(left_ns / 1e9, _LONGEST_NAP_S))

    async def _invoke(self, visit: Visit, role: str, *, fresh: bool) -> list[Invocation]:
        async def send(seq: int, phase: str) -> list[Invocation]:
            caller = self._callers[visit.target]
            return [await caller.invoke(seq, phase=phase, intended_ns=self.now_ns, fresh=fresh)]

        return await self._follow(visit, role, 1, send)

    async def _burst(self, visit: Visit) -> list[Invocation]:
        async def send(seq: int, phase: str) -> list[Invocation]:
            targets = [self._targets[visit.target]] * visit.burst
            return await invoke_together(targets, self._run_id, self._zero_ns, first_seq=seq, phase=phase)

        return await self._follow(visit, "burst", visit.burst, send)

    async def _follow(self, visit: Visit, role: str, number: int, send: Send) -> list[Invocation]:
        """Have `number` invocations sent, counted and kept; none when the user asked for the end before.

        Those under way when the visits are cancelled are kept as unfinished.
        """
        if self._stopping:
            return []
        self.phase = f"{visit.round}:{role}"
        first_seq, began_ns = self.dispatched, self.now_ns
        self.dispatched += number
        self.in_flight = number
        try:
            invocations = await send(first_seq, self.phase)
        except asyncio.CancelledError:
            target = self._targets[visit.target].name
            self._append(
                [
                    Invocation(
                        seq=seq, target=target, phase=self.phase, intended_ns=began_ns, started_ns=began_ns
                    )
                    for seq in range(first_seq, self.dispatched)
                ]
            )
            raise
        finally:
            self.in_flight = 0
        self._append(invocations)
        self.completed += sum(one.completed for one in invocations)
        self.errors += sum(one.error is not None for one in invocations)
        return invocations

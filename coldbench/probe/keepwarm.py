"""Keeps N instances of one target warm: round after round of overlapping pings, as many as it takes."""

import asyncio
import random
from collections.abc import Callable, Sequence
from time import monotonic_ns, time_ns

from coldbench.core.cadence import Cadence, Gone, after_round, broken_off, let_go
from coldbench.core.hold import HoldBy, Holding, held, out_of_step
from coldbench.core.invocation import Invocation
from coldbench.core.judge import function_answered
from coldbench.core.keepwarm import Kept, Round, Tally
from coldbench.core.pings import first_uses, instances_reached, least_hold_ns, queued, stayed
from coldbench.core.reach import Met, Reach, covered, escalated, first_reach, lengthened, resumed
from coldbench.core.target import Target
from coldbench.probe.boot import boot_clock_ns, wall_ahead_ns
from coldbench.probe.hold import find_holding
from coldbench.probe.kept import Asked, Happened, notes, step
from coldbench.probe.seen import Instances
from coldbench.probe.together import cut_off, invoke_together, spread_ns

_ATTEMPTS = 4  # in one round
# The part of the period by which a round may come early: a fixed cadence trains platforms, and meets others.
_JITTER = 0.1
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 300.0
_NAP_S = 0.1


class Keeper:
    """Of one target. `keep` goes on until `stop`; what it does is looked at meanwhile by others."""

    def __init__(
        self,
        target: Target,
        asked: Asked,
        *,
        run_id: str,
        zero_ns: int,
        next_seqs: Callable[[int], int],
        append: Callable[[Sequence[Invocation]], None],
        tell: Callable[[Round], None],
        awake: Callable[[], bool],
        seed: int,
        before: Round | None = None,
    ) -> None:
        """`next_seqs(n)` reserves n numbers and gives the first; `append` keeps facts, `tell` takes rounds;
        nothing is sent while `awake` says no.

        `before` is the last round of an earlier run for the same: it goes on with what that had found.
        """
        self.target = target
        self.asked = asked
        self.reach = first_reach(asked.instances, asked.limits)
        self.cadence = Cadence(period_ns=asked.every_ns)
        if before is not None:
            self.reach = resumed(self.reach, before.pings, before.hold_ms, asked.limits)
            if asked.adapts:
                self.cadence = Cadence(period_ns=round(before.every_s * 1e9))
        self.holding: Holding | None = None
        self.tally = Tally(target.name, asked.instances)
        self.instances = Instances()
        self._happened = Happened()
        self._run_id = run_id
        self._zero_ns = zero_ns
        self._next_seqs = next_seqs
        self._append = append
        self._tell = tell
        self._awake = awake
        self._random = random.Random(seed)
        self._stopping = False
        self._silent_ns = 0  # since nothing answers, while it was asked
        self._next_s = 0.0
        self._ended_ns: int | None = None  # the last round, on the clock that goes on during sleep

    def stop(self) -> None:
        """End after the round that is under way."""
        self._stopping = True

    @property
    def kept(self) -> Kept:
        """What the rounds so far come to."""
        words = notes(self.asked, self._happened, self.tally.last, self.reach, self.holding, self.cadence)
        return self.tally.kept(self.holding, self.cadence.period_ns, list(words))

    async def keep(self, begin_after_s: float) -> None:
        """Round after round. A target that does not answer is tried again less and less often."""
        await self._pause(begin_after_s)
        try:
            await self._rounds()
        finally:
            self._answers_again()

    async def _rounds(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping:
            if not self._awake():
                await self._pause(_FIRST_PAUSE_S)
                continue
            tried_ns = monotonic_ns()
            if self.holding is not None and out_of_step(self.holding, wall_ahead_ns()):
                self.holding = None
            if self.holding is None:
                self.holding = await find_holding(self.target, self._invoke_one, self.asked.hold_with)
            if self.holding is not None and await self._round():
                pause_s = _FIRST_PAUSE_S
                self._answers_again()
                await self._pause(self._next_s)
            else:
                failed_ns = monotonic_ns()
                await self._pause(pause_s * self._random.uniform(1 - _JITTER, 1))
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                # What is left of the pause when the window has closed was nobody's time.
                self._silent_ns += (monotonic_ns() if self._awake() else failed_ns) - tried_ns

    def _answers_again(self) -> None:
        """Or it is over: the rounds that there was time for meanwhile are missed."""
        if self._silent_ns:
            self.tally.miss(self._silent_ns, self.cadence.period_ns)
            self._happened.silent_ns += self._silent_ns
            self._silent_ns = 0

    async def _round(self) -> bool:
        """One round; False when the function did not answer, which is no round."""
        assert self.holding is not None
        began = monotonic_ns()
        if self._ended_ns is not None:
            silent_ns = boot_clock_ns() - self._ended_ns
            if broken_off(silent_ns, self.cadence.period_ns):
                self.tally.settle_anew()
        wanted, limits = self.asked.instances, self.asked.limits
        answers: list[Invocation] = []
        reached: int | None = 0
        first: int | None = 0
        estimated, widest_ns, slow = False, 0, 0
        for attempt in range(_ATTEMPTS):
            reach = self.reach
            sent = await self._ping(reach)
            ours = [one for one in sent if function_answered(one, self.target.expect_status)]
            answers += ours
            if not answers:
                return False
            if not ours:
                # All refused: what the attempts before it have reached stands.
                break
            if attempt == 0:
                slow = queued(ours, self.holding, reach.hold_ns)
            spread = spread_ns(sent)
            widest_ns = max(widest_ns, spread)
            by_these, estimated = self._reached(ours, reach, spread)
            first = by_these if attempt == 0 or first is None else first
            # Over all attempts of the round: each instance that was pinged lives on.
            reached = by_these if estimated else self._reached(answers, reach, spread)[0]
            least_ns = least_hold_ns(self.holding, max(reach.widest_ns, spread)) if estimated else 0
            if by_these is None:
                more = lengthened(reach, least_ns, limits) if self.holding.by is HoldBy.FOR else None
                self.reach = more or reach
                if more is None or self._stopping:
                    break
                continue
            if by_these >= wanted:
                self.reach = covered(reach, by_these, wanted, spread, least_ns)
                break
            met = self._met(ours, reach, first=attempt == 0)
            if met is not Met.GROWING:
                self._happened.steps.append(step(reach, by_these, wanted))
            more = escalated(reach, by_these, wanted, spread_ns=spread, met=met, limits=limits)
            self.reach = more or reach
            if (reached or 0) >= wanted or more is None or self._stopping:
                break
        there = stayed(reached, first_uses(answers), first, slow, estimated=estimated)
        self._rounded(began, answers, reached, there, estimated, widest_ns, slow)
        return True

    def _met(self, answers: Sequence[Invocation], reach: Reach, *, first: bool) -> Met:
        assert self.holding is not None
        if not queued(answers, self.holding, reach.hold_ns):
            return Met.PACKED
        # Whether instances are being started is seen by their first uses, or when the same is sent again.
        return Met.GROWING if first or first_uses(answers) else Met.LATE

    def _reached(self, answers: Sequence[Invocation], reach: Reach, spread: int) -> tuple[int | None, bool]:
        assert self.holding is not None
        return instances_reached(answers, self.holding, reach.hold_ns, spread, self.asked.per_instance)

    def _rounded(
        self,
        began: int,
        answers: Sequence[Invocation],
        reached: int | None,
        there: int | None,
        estimated: bool,
        widest_ns: int,
        slow: int,
    ) -> None:
        cold = first_uses(answers)
        # After a round that had reached all: before, instances are started because there are too few.
        last = self.tally.last
        settled = self.tally.settled and last is not None and _all(last)
        # Of which a part went, where nothing tells how many instances there were.
        among = len(answers) if reached is None else reached
        gone = let_go(cold, slow, among) if settled else Gone.NONE
        few = cold is not None and gone is Gone.FEW
        self._happened.few += (cold or 0) if few else 0
        if self.asked.adapts and settled:
            changed = after_round(self.cadence, gone=gone, shortest_ns=self.asked.shortest_ns)
            self._happened.hopeless = changed is None
            self.cadence = changed or self.cadence
        took_ns = monotonic_ns() - began
        period_ns = self.cadence.period_ns * self._random.uniform(1 - _JITTER, 1)
        # A round that took longer than the period is followed at once: pings never pile up.
        self._happened.left_out += int(took_ns // period_ns)
        self._next_s = max(0.0, period_ns - took_ns) / 1e9
        number = self.tally.rounds
        self.instances.forget(number)
        done = Round(
            target=self.target.name,
            number=number,
            at_s=(began - self._zero_ns) / 1e9,
            asked=self.asked.instances,
            reached=reached,
            stayed=there,
            estimated=estimated,
            pings=self.reach.pings,
            hold_ms=self.reach.hold_ns / 1e6,
            spread_ms=widest_ns / 1e6,
            cold=cold,
            slow=0 if cold is not None else slow,
            recycled=few,
            answers=len(answers),
            took_s=took_ns / 1e9,
            every_s=self.cadence.period_ns / 1e9,
        )
        self._ended_ns = boot_clock_ns()
        self.tally.add(done)
        self._tell(done)

    async def _ping(self, reach: Reach) -> list[Invocation]:
        assert self.holding is not None
        target = held(self.target, self.holding, reach.hold_ns, time_ns())
        return await self._send([target] * reach.pings, f"{self.tally.rounds}:ping")

    async def _invoke_one(self, target: Target) -> Invocation:
        (invocation,) = await self._send([target], "0:look")
        return invocation

    async def _send(self, targets: Sequence[Target], phase: str) -> list[Invocation]:
        """Those under way when this is cancelled are kept as unfinished."""
        first_seq, began_ns = self._next_seqs(len(targets)), monotonic_ns() - self._zero_ns
        try:
            sent = await invoke_together(
                targets, self._run_id, self._zero_ns, first_seq=first_seq, phase=phase
            )
        except asyncio.CancelledError:
            self._append(cut_off(targets, first_seq=first_seq, phase=phase, intended_ns=began_ns))
            raise
        self._keep_facts(sent)
        return sent

    def _keep_facts(self, sent: Sequence[Invocation]) -> None:
        self._append(sent)
        for one in sent:
            if function_answered(one, self.target.expect_status):
                self.instances.see(one, self.tally.rounds)
            elif one.completed:
                self._happened.others += 1
                self._happened.other_status = one.status

    async def _pause(self, seconds: float) -> None:
        end = monotonic_ns() + round(seconds * 1e9)
        while not self._stopping and (left_ns := end - monotonic_ns()) > 0:
            await asyncio.sleep(min(left_ns / 1e9, _NAP_S))


def _all(done: Round) -> bool:
    """Whether a round may have reached all: too few is what starts instances in the next one."""
    return done.reached is None or done.reached >= done.asked

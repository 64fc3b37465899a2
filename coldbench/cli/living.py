"""One execution of the search for the lifetime: follows its trials, shows them, says which gap comes next."""

import asyncio
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from time import monotonic_ns, time_ns

from msgspec.structs import replace

from coldbench.analysis import analyse
from coldbench.cli.record import Asked, now
from coldbench.core.invocation import Invocation
from coldbench.core.summary import Counts, Lifetime, Run, State
from coldbench.core.target import Target
from coldbench.probe.lifetime import Trials
from coldbench.report.live import LiveView, Now
from coldbench.runs.samples import SAMPLES, SampleWriter, read_invocations
from coldbench.stats.gaps import Limits, enough, in_vain, next_gap_s

_TICK_S = 0.1


class Living:
    """`carry_out` it once; then `finished` is its record, `interrupted` how it ended."""

    def __init__(
        self,
        run: Run,
        targets: Sequence[Target],
        *,
        folder: Path,
        writer: SampleWriter,
        asked: Asked,
        live: LiveView,
        limits: Limits,
        samples: int,
        precision: float,
        max_time_s: float | None,
    ) -> None:
        """A `run` that has begun before goes on: its clock, its numbers and its trials."""
        from numpy.random import default_rng  # late: numpy costs 0.1 s

        self.interrupted = False
        self._run = run if run.zero_epoch_ns is not None else replace(run, zero_epoch_ns=time_ns())
        self._zero_ns = monotonic_ns() - (time_ns() - (self._run.zero_epoch_ns or 0))
        self._facts: list[Invocation] = list(read_invocations(folder / SAMPLES))
        self._writer = writer
        self._asked = asked
        self._live = live
        self._limits = limits
        self._samples = samples
        self._precision = precision
        self._random = default_rng(run.seed)
        self._trials = Trials(
            targets,
            run.run_id,
            self._zero_ns,
            first_seq=max((one.seq for one in self._facts), default=-1) + 1,
            append=self._append,
            next_gap=self._next_gap,
        )
        self._began_ns = self._trials.now_ns
        self._end_ns = None if max_time_s is None else self._began_ns + round(max_time_s * 1e9)
        self._out_of_time = self._precise = False
        self._under_way = 0

    async def carry_out(self) -> None:
        """Ctrl-C ends it after the invocation under way, a second one at once."""
        task = asyncio.create_task(self._trials.carry_out())
        told = 0
        while not task.done():
            await asyncio.wait({task}, timeout=_TICK_S)
            if self._asked.count > told:
                self.interrupted = True
                self._trials.stop() if told == 0 else task.cancel()
                told = self._asked.count
                self._live.stopping()
            if not self._trials.in_flight:
                # Never while an answer is awaited: drawing takes milliseconds of the loop that times it.
                self._live.now(self._now())
        try:
            await task
        except asyncio.CancelledError:
            pass

    def finished(self) -> Run:
        """The record; counts and results are the analysis's."""
        return replace(
            self._run,
            finished_at=now(),
            state=State.INTERRUPTED if self.interrupted else State.COMPLETE,
            counts=Counts(intended=len(self._facts)),
            notes=tuple(self._notes()),
        )

    def _append(self, invocations: Sequence[Invocation]) -> None:
        self._writer.append(invocations)
        self._facts.extend(invocations)

    def _next_gap(self) -> int | None:
        """Called once a trial, by whichever target is free."""
        nowhere: deque[object] = deque(maxlen=0)
        found = analyse(self._run, lambda: self._facts, nowhere.extend)
        self._live.verdicts({result.target: result.verdicts for result in found.results})
        known = found.lifetime or Lifetime()
        gaps_s, cold = [point.gap_s for point in known.curve], [point.cold for point in known.curve]
        if gaps_s:
            self._precise = enough(gaps_s, cold, self._limits, self._precision)
        else:
            # Without evidence no call is known to be warm, either, before there are cold ones to compare.
            gaps_s, cold = [*known.unknown_gaps_s], [False] * known.unknown
            self._precise = in_vain(gaps_s, self._limits, decided=False)
        if self._precise or self._under_way >= self._samples:
            return None
        gap_ns = round(1e9 * next_gap_s(gaps_s, cold, self._limits, self._random))
        self._out_of_time = self._end_ns is not None and self._trials.now_ns + gap_ns > self._end_ns
        if self._out_of_time:
            return None
        self._under_way += 1
        return gap_ns

    def _notes(self) -> list[str]:
        if self._out_of_time:
            return [f"ended by --max-time after {self._trials.trials} trials; --resume goes on"]
        if not self._precise and not self.interrupted:
            return [
                f"ended after {self._trials.trials} trials, the median not being known to "
                f"{100 * self._precision:g} %; --resume goes on"
            ]
        return []

    def _now(self) -> Now:
        trials = self._trials
        at_s = (trials.now_ns - self._began_ns) / 1e9
        each_s = at_s / trials.trials if trials.trials else self._limits.first_s
        return Now(
            phase=f"trial {trials.trials + 1}",
            at_s=at_s,
            expected_s=max(at_s, self._samples * each_s),
            dispatched=trials.dispatched,
            planned=None,
            completed=trials.completed,
            errors=trials.errors,
            in_flight=trials.in_flight,
        )

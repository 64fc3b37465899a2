"""One execution of a probe's experiment: follows its visits, shows them, and says when it is enough."""

import asyncio
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from time import monotonic_ns, time_ns

from msgspec.structs import replace

from coldbench.analysis import analyse
from coldbench.cli.record import Asked, now
from coldbench.core.errors import ColdbenchError
from coldbench.core.invocation import Invocation
from coldbench.core.rounds import Experiment, planned_duration_ns, rounds
from coldbench.core.summary import Counts, Fidelity, Result, Run, State
from coldbench.core.target import Target
from coldbench.probe.experiment import Prepare, Visits
from coldbench.report.live import LiveView, Now
from coldbench.runs.prepare import prepare as run_prepare
from coldbench.runs.samples import SampleWriter
from coldbench.stats.precision import relative_half_width, rounds_needed

_TICK_S = 0.1


class Probing:
    """`carry_out` it once; then `finished` is its record, `interrupted` and `fault` how it ended."""

    def __init__(
        self,
        run: Run,
        experiment: Experiment,
        targets: Sequence[Target],
        *,
        command: str | None,
        folder: Path,
        writer: SampleWriter,
        asked: Asked,
        live: LiveView,
    ) -> None:
        """`command` is that of `--prepare`; its output goes to `folder`."""
        self.interrupted = False
        self.fault: ColdbenchError | None = None
        self._experiment = experiment
        self._targets = targets
        self._writer = writer
        self._asked = asked
        self._live = live
        self._zero_ns = monotonic_ns()
        self._run = replace(run, zero_epoch_ns=time_ns())
        self._visits = Visits(
            targets,
            run.run_id,
            self._zero_ns,
            append=self._append,
            prepare=None if command is None else self._preparation(command, folder),
        )
        self._facts: list[Invocation] = []
        self._gaps_ns = planned_duration_ns(experiment, len(targets))
        self._rounds_expected = experiment.samples
        self._rounds_done = 0
        self._results: Sequence[Result] = ()
        self._out_of_time = False

    async def carry_out(self) -> None:
        """Ctrl-C ends it after the invocation under way, a second one at once."""
        plan = rounds(self._experiment, len(self._targets))
        task = asyncio.create_task(self._visits.carry_out(plan, self._enough))
        told = 0
        while not task.done():
            await asyncio.wait({task}, timeout=_TICK_S)
            if self._asked.count > told:
                self.interrupted = True
                self._visits.stop() if told == 0 else task.cancel()
                told = self._asked.count
                self._live.stopping()
            if self._visits.idle:
                # Never while an answer is awaited: drawing takes milliseconds of the loop that times it.
                self._live.now(self._now())
        try:
            await task
        except asyncio.CancelledError:
            pass
        except ColdbenchError as error:
            self.fault = error

    def finished(self) -> Run:
        """The record; counts and results are the analysis's."""
        cut_off = self.interrupted or self.fault is not None
        return replace(
            self._run,
            finished_at=now(),
            state=State.INTERRUPTED if cut_off else State.COMPLETE,
            # What an experiment that is over did not need was not intended.
            planned=self._run.planned if cut_off else len(self._facts),
            counts=Counts(intended=len(self._facts)),
            fidelity=Fidelity(connections_opened=sum(one.connect_ns is not None for one in self._facts)),
            notes=tuple(self._notes()),
        )

    def _append(self, invocations: Sequence[Invocation]) -> None:
        self._writer.append(invocations)
        self._facts.extend(invocations)

    def _preparation(self, command: str, folder: Path) -> Prepare:
        async def run_it(target: Target) -> None:
            ended = await asyncio.to_thread(
                run_prepare, command, target, folder, lambda: self._asked.count > 0
            )
            if not ended:
                self._visits.stop()

        return run_it

    def _enough(self, done: int) -> bool:
        """Whether no further round is to begin, `done` being behind us."""
        self._rounds_done = done
        kept: deque[object] = deque(maxlen=0)
        self._results = analyse(self._run, lambda: self._facts, kept.extend).results
        self._live.verdicts({result.target: result.verdicts for result in self._results})
        experiment = self._experiment
        if experiment.precision is not None:
            needed = [rounds_needed(done, part, experiment.precision) for part in self._reached().values()]
            most = max((number or experiment.samples for number in needed), default=experiment.samples)
            self._rounds_expected = min(most, experiment.samples)
        if self._rounds_expected <= done:
            return True
        at_ns, most_ns = self._visits.now_ns, experiment.max_time_ns
        self._out_of_time = most_ns is not None and at_ns + at_ns // done > most_ns
        return self._out_of_time

    def _reached(self) -> dict[str, float | None]:
        """By target, how precisely its penalty is known; of a target that never answered nothing is."""
        return {
            result.target: relative_half_width(result.cold_penalty_ms)
            for result in self._results
            if result.statuses
        }

    def _notes(self) -> list[str]:
        notes = []
        precision = self._experiment.precision
        if self.fault:
            notes.append(f"{self.fault}: what was measured until then is kept")
        if self._out_of_time:
            notes.append(f"ended by --max-time after {self._rounds_done} of {self._rounds_expected} rounds")
        for target, reached in self._reached().items():
            if precision is not None and (reached is None or reached > precision):
                known = "not known" if reached is None else f"known to {100 * reached:.0f} % of itself"
                notes.append(f"{target}: the cold penalty is {known}, not to {100 * precision:g} %")
        for target_name, spoken in self._visits.spoken().items():
            notes.append(f"{target_name}: it answered in {spoken}, since it does not offer HTTP/2")
        return notes

    def _now(self) -> Now:
        visits = self._visits
        at_s = visits.now_ns / 1e9
        each_s = (
            at_s / self._rounds_done if self._rounds_done else self._gaps_ns / 1e9 / self._experiment.samples
        )
        return Now(
            phase=visits.phase,
            at_s=at_s,
            expected_s=max(at_s, self._rounds_expected * each_s),
            dispatched=visits.dispatched,
            planned=None if self._experiment.precision is not None else self._run.planned,
            completed=visits.completed,
            errors=visits.errors,
            in_flight=visits.in_flight,
        )

"""`coldbench probe`: cold against warm, one invocation at a time."""

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic_ns, time_ns
from typing import Annotated

import typer
from msgspec import Struct, to_builtins
from msgspec.structs import replace

from coldbench.analysis import analyse, close_run
from coldbench.cli import options
from coldbench.cli.experiment import read_experiment
from coldbench.cli.output import Output
from coldbench.cli.page import show_and_keep
from coldbench.cli.record import Asked, exit_code, new_run, now, signals
from coldbench.cli.targets import TargetOptions, reachable, read_targets, with_targets
from coldbench.core.errors import ColdbenchError, UsageError
from coldbench.core.invocation import Invocation
from coldbench.core.rounds import Experiment, planned_duration_ns, planned_invocations, rounds
from coldbench.core.summary import Counts, Fidelity, Run, State
from coldbench.core.target import Target
from coldbench.probe.experiment import Prepare, Visits
from coldbench.report.experiment import experiment_lines
from coldbench.report.live import LiveView, Now
from coldbench.runs.folder import create, write_record
from coldbench.runs.prepare import prepare as run_prepare
from coldbench.runs.samples import SAMPLES, SampleWriter
from coldbench.stats.precision import relative_half_width, rounds_needed

_TICK_S = 0.1


class Outcome(Struct, kw_only=True):
    """How the experiment ended."""

    interrupted: bool = False
    fault: ColdbenchError | None = None
    notes: list[str] = []


@with_targets
def command(
    given: TargetOptions,
    gap: Annotated[
        str | None,
        typer.Option(
            "--gap",
            metavar="DURATION|A-B",
            help="The silence before a cold sample, drawn between A and B (6m-10m; the lab: its own).",
        ),
    ] = None,
    prepare: Annotated[
        str | None,
        typer.Option(
            "--prepare", metavar="'COMMAND'", help="Run this before each cold sample instead of waiting."
        ),
    ] = None,
    force: Annotated[
        str | None,
        typer.Option("--force", metavar="burst", help="Make new instances by overlapping calls instead."),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option("--samples", metavar="N", help="Rounds, of one cold sample of each target (10)."),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            "--precision", metavar="5%", help="Stop when the cold penalty is known to so much of itself."
        ),
    ] = None,
    max_time: Annotated[
        str | None,
        typer.Option("--max-time", metavar="DURATION", help="Begin no round that would end later."),
    ] = None,
    runtime: options.Runtime = None,
    name: options.Name = None,
    out: options.Out = Path("reports"),
    json_to: options.JsonTo = None,
    quiet: options.Quiet = False,
    seed: options.Seed = None,
    max_invocations: options.MaxInvocations = None,
    dry_run: options.DryRun = False,
) -> None:
    """Make functions cold, invoke them, invoke them again at once; show what a cold start is made of."""
    targets = read_targets(given, runtimes=runtime or [])
    experiment = read_experiment(
        targets,
        gap=gap,
        prepare=prepare,
        force=force,
        samples=samples,
        precision=precision,
        max_time=max_time,
        seed=secrets.randbelow(1 << 32) if seed is None else seed,
    )
    planned = planned_invocations(experiment, len(targets))
    if max_invocations is not None and planned > max_invocations:
        raise UsageError(
            f"the plan has {planned} invocations, more than {max_invocations}",
            place="--max-invocations",
            hint="ask for fewer with --samples",
        )
    output = Output(json_to=json_to, quiet=quiet)
    output.lines(experiment_lines(experiment, targets))
    if dry_run:
        return
    with reachable(targets) as there:
        run = new_run(
            "probe",
            name or "-".join(target.name for target in targets),
            there,
            seed=experiment.seed,
            planned=planned,
            profile=to_builtins(experiment),
        )
        folder = create(out, run.command, run.name, datetime.now(UTC))
        write_record(folder, run)
        probing = Probing(run, experiment, there, folder, prepare)
        with SampleWriter(folder / SAMPLES) as writer, signals() as asked, LiveView(output.console) as live:
            outcome = asyncio.run(probing.drive(writer, asked, live))
    run = close_run(folder, probing.finished(outcome))
    show_and_keep(run, folder, output)
    if outcome.fault:
        raise outcome.fault
    raise typer.Exit(exit_code(run, interrupted=outcome.interrupted))


class Probing:
    """One execution of an experiment: follows its visits, and says when it is enough."""

    def __init__(
        self,
        run: Run,
        experiment: Experiment,
        targets: Sequence[Target],
        folder: Path,
        prepare: str | None,
    ) -> None:
        self._experiment = experiment
        self._targets = targets
        self._folder = folder
        self._command = prepare
        self._zero_ns = monotonic_ns()
        self._run = replace(run, zero_epoch_ns=time_ns())
        self._facts: list[Invocation] = []
        self._rounds_expected = experiment.samples
        self._rounds_done = 0
        self._notes: list[str] = []

    async def drive(self, writer: SampleWriter, asked: Asked, live: LiveView) -> Outcome:
        """Carry it out. Ctrl-C ends it after the invocation under way, a second one at once."""

        def append(invocations: Sequence[Invocation]) -> None:
            writer.append(invocations)
            self._facts.extend(invocations)

        visits = Visits(
            self._targets,
            self._run.run_id,
            self._zero_ns,
            append=append,
            prepare=self._preparation(asked),
        )
        outcome, told = Outcome(), 0
        plan = rounds(self._experiment, len(self._targets))
        task = asyncio.create_task(visits.carry_out(plan, partial(self._enough, live)))
        while not task.done():
            await asyncio.wait({task}, timeout=_TICK_S)
            if asked.count > told:
                outcome.interrupted = True
                visits.stop() if told == 0 else task.cancel()
                told = asked.count
                live.stopping()
            if visits.idle:
                # Never while an answer is awaited: drawing takes milliseconds of the loop that times it.
                live.now(self._now(visits))
        try:
            await task
        except asyncio.CancelledError:
            pass
        except ColdbenchError as error:
            outcome.fault = error
        return outcome

    def _preparation(self, asked: Asked) -> Prepare | None:
        command = self._command
        if command is None:
            return None

        async def run_it(target: Target) -> None:
            await asyncio.to_thread(run_prepare, command, target, self._folder, lambda: asked.count > 0)

        return run_it

    def _enough(self, live: LiveView, done: int) -> bool:
        """Whether no further round is to begin, `done` being behind us."""
        self._rounds_done = done
        kept: deque[object] = deque(maxlen=0)
        results = analyse(self._run, lambda: self._facts, kept.extend).results
        live.verdicts({result.target: result.verdicts for result in results})
        asked_for = self._experiment.precision
        if asked_for is not None:
            reached = [relative_half_width(result.cold_penalty_ms) for result in results if result.statuses]
            needed = [rounds_needed(done, part, asked_for) for part in reached]
            self._rounds_expected = min(
                max((number or self._experiment.samples for number in needed), default=done),
                self._experiment.samples,
            )
            if self._rounds_expected <= done:
                return True
        most_ns = self._experiment.max_time_ns
        at_ns = monotonic_ns() - self._zero_ns
        if most_ns is not None and at_ns + at_ns // done > most_ns and done < self._rounds_expected:
            self._notes.append(f"ended by --max-time after {done} of {self._rounds_expected} rounds")
            return True
        return False

    def _now(self, visits: Visits) -> Now:
        at_s = visits.now_ns / 1e9
        gaps_s = planned_duration_ns(self._experiment, len(self._targets)) / 1e9
        each_s = at_s / self._rounds_done if self._rounds_done else gaps_s / self._experiment.samples
        return Now(
            phase=visits.phase,
            at_s=at_s,
            expected_s=max(at_s, self._rounds_expected * each_s),
            dispatched=visits.dispatched,
            planned=None if self._experiment.precision else self._run.planned,
            completed=visits.completed,
            errors=visits.errors,
            in_flight=visits.in_flight,
        )

    def finished(self, outcome: Outcome) -> Run:
        """The record; counts and results are the analysis's."""
        if outcome.fault:
            self._notes.append(f"{outcome.fault}: what was measured until then is kept")
        cut_off = outcome.interrupted or outcome.fault is not None
        return replace(
            self._run,
            finished_at=now(),
            state=State.INTERRUPTED if cut_off else State.COMPLETE,
            # What an experiment that is over did not need was not intended.
            planned=self._run.planned if cut_off else len(self._facts),
            counts=Counts(intended=len(self._facts)),
            fidelity=Fidelity(connections_opened=sum(one.connect_ns is not None for one in self._facts)),
            notes=tuple(self._notes),
        )

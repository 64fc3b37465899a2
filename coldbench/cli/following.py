"""A run's load, followed to its end: what the engine tells, for the screen and for the record."""

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from coldbench.cli import crew
from coldbench.cli.load import Load
from coldbench.cli.output import Output
from coldbench.cli.preparing import Preparation
from coldbench.cli.record import now, signals
from coldbench.core.errors import ColdbenchError, UsageError
from coldbench.core.guard import ErrorGuard
from coldbench.core.messages import Failed, Finished, Listening, Order, Progress, Pulse, Started, Waiting
from coldbench.core.redact import redact_text
from coldbench.core.schedule import Plan, planned_duration_ns, planned_invocations
from coldbench.core.summary import Counts, Fidelity, Run, State, Worker
from coldbench.report.live import LiveView, Now
from coldbench.runs.samples import SAMPLES
from coldbench.stats.notes import advice

_TICK_S = 0.1


class Outcome(Struct, kw_only=True):
    """What the engine said of the run; `finished` is None when it ended without a word."""

    started: Started | None = None
    finished: Finished | None = None
    failed: Failed | None = None
    interrupted: bool = False
    aborted: str | None = None  # why, when the run stopped by itself
    fault: ColdbenchError | None = None


def follow(
    order: Order,
    shared: crew.Shared | None,
    folder: Path,
    output: Output,
    guard: ErrorGuard | None,
    prepare: str | None,
) -> Outcome:
    """Start the load and stay with it to its end. Ctrl-C ends it in order, a second one at once.

    `prepare` is the user's command that makes the targets cold before each round.
    """
    outcome = Outcome()
    lead = None if shared is None else shared.lead(order)
    with (
        Load(order, folder / SAMPLES, lead) as load,
        signals() as asked,
        LiveView(output.console) as live,
        Preparation(prepare or "", order.targets, folder) as preparation,
    ):
        told = 0
        for message in load.messages(_TICK_S):
            if asked.count > told:
                outcome.interrupted = True
                load.stop() if told == 0 else load.abort()
                told = asked.count
                live.stopping()
            try:
                if preparation.ended():
                    load.go()
            except UsageError as error:
                outcome.fault = error
                load.stop()
            match message:
                case Listening() if shared is not None:
                    output.lines(shared.waiting(message))
                    if shared.local:
                        load.enlist(shared.expect, shared.join(message))
                case Pulse():
                    live.now(_now_of(message, order.plan))
                    if guard and not outcome.aborted:
                        outcome.aborted = guard.look(message.completed, message.errors)
                        if outcome.aborted:
                            load.stop()
                case Waiting():
                    preparation.begin()
                case Progress():
                    live.verdicts(message.verdicts)
                case Started():
                    outcome.started = message
                case Finished():
                    outcome.finished = message
                case Failed():
                    outcome.failed = message
        if outcome.failed is not None:
            kind = UsageError if outcome.failed.usage else ColdbenchError
            outcome.fault = kind(outcome.failed.message, place=outcome.failed.place, hint=outcome.failed.hint)
        elif outcome.fault is None:
            outcome.fault = load.fault()
    return outcome


def _now_of(pulse: Pulse, the_plan: Plan) -> Now:
    return Now(
        phase=pulse.phase,
        at_s=pulse.now_ns / 1e9,
        expected_s=planned_duration_ns(the_plan) / 1e9,
        dispatched=pulse.dispatched,
        planned=planned_invocations(the_plan),
        completed=pulse.completed,
        errors=pulse.errors,
        in_flight=pulse.in_flight,
    )


def as_told(run: Run, outcome: Outcome) -> Run:
    """The record with what the engine told; counts and results are the analysis's."""
    notes = []
    finished = outcome.finished
    if outcome.started:
        notes += [
            f"{name} could not be reached: {error}{advice(error)}"
            for name, error in outcome.started.unreachable.items()
        ]
    if finished is not None:
        notes += [
            f"worker {said.rank + 1} ({said.name}) was lost {said.lost_after_ns / 1e9:.1f} s into the run: "
            "what it had not reported counts as dropped, and the load was smaller from then on"
            for said in finished.workers
            if said.lost_after_ns is not None
        ]
    if finished is not None and finished.held_ns:
        notes.append(
            f"the load was held back for {finished.held_ns / 1e9:.1f} s: what was measured came faster than "
            "it could be written"
        )
    if outcome.aborted:
        notes.append(outcome.aborted)
    if outcome.fault:
        notes.append(f"{outcome.fault}: what was measured until then is kept")
    if finished:
        notes += [
            # An exception's words may have the URL in them.
            f"a task failed {times:,} times: {redact_text(words)}"
            for words, times in finished.task_failures.items()
        ]
    if outcome.interrupted or outcome.fault or finished is None:
        state = State.INTERRUPTED
    else:
        state = State.DEGRADED if notes else State.COMPLETE
    if finished and finished.elsewhere:
        notes.append(f"{finished.elsewhere:,} requests of the Locust file went to no target: not in this run")
    zero = outcome.started.zero_epoch_ns if outcome.started else None
    run = replace(run, finished_at=now(), zero_epoch_ns=zero, state=state, notes=tuple(notes))
    if finished is None:
        return run
    return replace(
        run,
        counts=Counts(intended=finished.intended),
        fidelity=Fidelity(
            connections_opened=finished.connections_opened,
            generator_cpu_pct_max=finished.cpu_pct_max,
            held_ms=finished.held_ns / 1e6,
        ),
        workers=tuple(
            Worker(
                rank=said.rank,
                name=said.name,
                clock_error_ms=None if said.clock_error_ns is None else said.clock_error_ns / 1e6,
                cpu_pct_max=said.cpu_pct_max,
                lost_after_s=None if said.lost_after_ns is None else said.lost_after_ns / 1e9,
            )
            for said in finished.workers
        ),
    )

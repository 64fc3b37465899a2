"""`coldbench run`: drives a load profile through Locust and judges each invocation."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct, to_builtins
from msgspec.structs import replace

from coldbench.analysis import close_run
from coldbench.cli import crew, options
from coldbench.cli.checks import read_checks
from coldbench.cli.idle import auto_idle_ns, idle_lines
from coldbench.cli.load import Load
from coldbench.cli.locustfile import check_own_requests, is_locustfile, locustfile_profile
from coldbench.cli.output import Output
from coldbench.cli.page import show_and_keep
from coldbench.cli.pricing import check_cost, read_rates
from coldbench.cli.profiles import find_profile, find_recordings
from coldbench.cli.record import exit_code, new_run, now, signals
from coldbench.cli.targets import TargetOptions, reachable, read_targets, with_targets
from coldbench.core.errors import ColdbenchError, UsageError
from coldbench.core.guard import ErrorGuard
from coldbench.core.messages import Failed, Finished, Listening, Order, Progress, Pulse, Started
from coldbench.core.profile import apply_settings, parse_profile, with_idle
from coldbench.core.schedule import Plan, plan, planned_duration_ns, planned_invocations
from coldbench.core.summary import Counts, Fidelity, Run, State, Worker
from coldbench.core.target import Target
from coldbench.report.cost import planned_cost_lines
from coldbench.report.live import LiveView, Now
from coldbench.report.plan import locustfile_lines, plan_lines
from coldbench.runs.folder import create, write_record
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


@with_targets
def command(
    given: TargetOptions,
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            metavar="NAME|FILE",
            help="The load: burst, steady, ..., a TOML file, or a Locust file (.py).",
        ),
    ] = "burst",
    settings: options.Set = None,
    runtime: options.Runtime = None,
    connections: options.Connections = "reuse",
    name: options.Name = None,
    out: options.Out = Path("reports"),
    json_to: options.JsonTo = None,
    quiet: options.Quiet = False,
    seed: options.Seed = None,
    max_invocations: options.MaxInvocations = None,
    price: options.PriceOf = None,
    prices: options.Prices = None,
    memory: options.Memory = 512,
    vcpu: options.Vcpu = 0.0,
    max_cost: options.MaxCost = None,
    abort_on_errors: Annotated[
        float | None,
        typer.Option(
            min=0, max=100, metavar="PERCENT", help="Stop when more of the latest invocations have no answer."
        ),
    ] = None,
    dry_run: options.DryRun = False,
    check: options.Checks = None,
    junit: options.Junit = None,
    processes: crew.Processes = None,
    expect_workers: crew.ExpectWorkers = None,
    bind: crew.Bind = crew.LOOPBACK,
    token_file: crew.TokenFile = None,
) -> None:
    """Drive a load profile against functions; show what is cold, what warm, and what a start costs."""
    targets = read_targets(given, runtimes=runtime or [], connections=connections)
    checks = read_checks(check, targets)
    shared = crew.read_shared(processes, expect_workers, bind, token_file)
    locustfile = Path(profile).resolve() if is_locustfile(profile) else None
    if locustfile is None:
        text, place = find_profile(profile)
        chosen = apply_settings(parse_profile(text, place), settings or [])
        chosen = with_idle(chosen, partial(auto_idle_ns, targets))
        recordings = find_recordings(chosen, place)
    else:
        check_own_requests(given, connections=connections, shared=shared is not None)
        chosen, recordings = locustfile_profile(profile, settings or []), {}
    seed = secrets.randbelow(1 << 32) if seed is None else seed
    the_plan = plan(chosen, len(targets), seed, recordings)
    planned = planned_invocations(the_plan)
    _check_size(planned, max_invocations)
    rates = read_rates(price, prices, targets, memory_mb=memory, vcpu=vcpu)
    check_cost(planned, rates, max_cost)
    output = Output(json_to=json_to, junit_to=junit, quiet=quiet)
    say = plan_lines if locustfile is None else locustfile_lines
    output.lines(say(chosen, the_plan, targets))
    output.lines(idle_lines(chosen, targets))
    if rates is not None:
        output.lines(planned_cost_lines(planned, rates))
    if dry_run:
        return
    with reachable(targets) as there:
        run = new_run(
            "run",
            name or chosen.name,
            there,
            seed=seed,
            planned=planned,
            profile=to_builtins(chosen),
        )
        run = replace(run, rates=rates)
        folder = create(out, run.command, run.name, datetime.now(UTC))
        write_record(folder, run)
        guard = None if abort_on_errors is None else ErrorGuard(abort_on_errors)
        outcome = _drive(_order(run, the_plan, there, locustfile), shared, folder, output, guard)
    run = close_run(folder, _finished(run, outcome), checks)
    if isinstance(outcome.fault, UsageError):
        raise outcome.fault  # nothing was measured
    show_and_keep(run, folder, output)
    if outcome.fault:
        raise outcome.fault
    raise typer.Exit(exit_code(run, interrupted=outcome.interrupted))


def _check_size(planned: int | None, most: int | None) -> None:
    if most is None:
        return
    if planned is None:
        raise UsageError(
            "users are paced by the answers, so that their invocations cannot be bounded beforehand",
            place="--max-invocations",
            hint="use a profile of bursts and rates",
        )
    if planned > most:
        raise UsageError(
            f"the plan has {planned} invocations, more than {most}",
            place="--max-invocations",
            hint="make it smaller, for instance --set size=... or --set repeat=1",
        )


def _order(run: Run, the_plan: Plan, targets: Sequence[Target], locustfile: Path | None) -> Order:
    # Every invocation ends by its own timeout; the barrier is only there for what should not happen.
    drain_ns = max(target.timeout_ns for target in targets) + 1_000_000_000
    return Order(
        run_id=run.run_id,
        plan=the_plan,
        targets=tuple(targets),
        drain_ns=drain_ns,
        locustfile=None if locustfile is None else str(locustfile),
    )


def _drive(
    order: Order, shared: crew.Shared | None, folder: Path, output: Output, guard: ErrorGuard | None
) -> Outcome:
    """Start the load and follow it to its end. Ctrl-C ends it in order, a second one at once."""
    outcome = Outcome()
    lead = None if shared is None else shared.lead(order)
    with Load(order, folder / SAMPLES, lead) as load, signals() as asked, LiveView(output.console) as live:
        told = 0
        for message in load.messages(_TICK_S):
            if asked.count > told:
                outcome.interrupted = True
                load.stop() if told == 0 else load.abort()
                told = asked.count
                live.stopping()
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
        else:
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


def _finished(run: Run, outcome: Outcome) -> Run:
    """The record with what the engine said; counts and results are the analysis's."""
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
    if outcome.aborted:
        notes.append(outcome.aborted)
    if outcome.fault:
        notes.append(f"{outcome.fault}: what was measured until then is kept")
    if finished:
        notes += [
            f"a task failed {times:,} times: {words}" for words, times in finished.task_failures.items()
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

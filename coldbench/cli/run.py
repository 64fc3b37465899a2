"""`coldbench run`: drives a load profile through Locust and judges each invocation."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from msgspec import to_builtins
from msgspec.structs import replace

from coldbench.analysis import close_run
from coldbench.cli import crew, options
from coldbench.cli.checks import read_checks
from coldbench.cli.following import as_told, follow
from coldbench.cli.idle import auto_idle_ns, idle_lines
from coldbench.cli.locustfile import check_own_requests, is_locustfile, locustfile_profile
from coldbench.cli.output import Output
from coldbench.cli.page import show_and_keep
from coldbench.cli.pricing import check_cost, read_rates
from coldbench.cli.profiles import find_profile, find_recordings
from coldbench.cli.record import exit_code, new_run
from coldbench.cli.targets import TargetOptions, reachable, read_targets, with_targets
from coldbench.core.errors import UsageError
from coldbench.core.guard import ErrorGuard
from coldbench.core.messages import Order
from coldbench.core.profile import apply_settings, parse_profile, with_idle
from coldbench.core.schedule import Plan, plan, planned_invocations
from coldbench.core.summary import Run
from coldbench.core.target import Target
from coldbench.report.cost import planned_cost_lines
from coldbench.report.plan import locustfile_lines, plan_lines, prepare_lines
from coldbench.runs.folder import create, write_record

# So many invocations take a few seconds to judge and sum up.
_SLOW_TO_JUDGE = 100_000


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
    prepare: Annotated[
        str | None,
        typer.Option(
            "--prepare", metavar="'COMMAND'", help="Run this before each round: it makes the targets cold."
        ),
    ] = None,
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
    if prepare is not None and (shared is not None or locustfile is not None):
        hint = "not with --processes, --expect-workers or a Locust file"
        raise UsageError("it is for a load of one engine", place="--prepare", hint=hint)
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
    output.lines(idle_lines(chosen, targets) if prepare is None else prepare_lines(prepare))
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
        order = _order(run, the_plan, there, locustfile, prepared=prepare is not None)
        outcome = follow(order, shared, folder, output, guard, prepare)
    if outcome.finished is not None and outcome.finished.intended >= _SLOW_TO_JUDGE:
        output.lines([f"judging {outcome.finished.intended:,} invocations"])
    run = close_run(folder, as_told(run, outcome), checks)
    if isinstance(outcome.fault, UsageError) and not run.counts.sent:
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


def _order(
    run: Run, the_plan: Plan, targets: Sequence[Target], locustfile: Path | None, *, prepared: bool
) -> Order:
    # Every invocation ends by its own timeout; the barrier is only there for what should not happen.
    drain_ns = max(target.timeout_ns for target in targets) + 1_000_000_000
    return Order(
        run_id=run.run_id,
        plan=the_plan,
        targets=tuple(targets),
        drain_ns=drain_ns,
        locustfile=None if locustfile is None else str(locustfile),
        prepare=prepared,
    )

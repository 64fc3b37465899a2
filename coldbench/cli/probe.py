"""`coldbench probe`: cold against warm, one invocation at a time."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from msgspec import to_builtins
from msgspec.structs import replace

from coldbench.analysis import close_run
from coldbench.cli import options
from coldbench.cli.checks import read_checks
from coldbench.cli.experiment import read_experiment
from coldbench.cli.output import Output
from coldbench.cli.page import show_and_keep
from coldbench.cli.probing import Probing
from coldbench.cli.record import exit_code, new_run, signals
from coldbench.cli.targets import TargetOptions, reachable, read_targets, with_targets
from coldbench.core.errors import UsageError
from coldbench.core.rounds import planned_invocations
from coldbench.core.target import Target
from coldbench.report.experiment import experiment_lines
from coldbench.report.live import LiveView
from coldbench.runs.folder import create, write_record
from coldbench.runs.samples import SAMPLES, SampleWriter


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
    connect_ahead: Annotated[
        str | None,
        typer.Option(
            "--connect-ahead",
            metavar="DURATION",
            help="In half of the rounds connect so long before the first call: does that wake it?",
        ),
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
    http2: Annotated[
        bool, typer.Option("--http2", help="Speak HTTP/2 to targets that offer it (needs coldbench[http2]).")
    ] = False,
    runtime: options.Runtime = None,
    name: options.Name = None,
    out: options.Out = Path("reports"),
    json_to: options.JsonTo = None,
    quiet: options.Quiet = False,
    seed: options.Seed = None,
    max_invocations: options.MaxInvocations = None,
    dry_run: options.DryRun = False,
    check: options.Checks = None,
    junit: options.Junit = None,
) -> None:
    """Make functions cold, invoke them, invoke them again at once; show what a cold start is made of."""
    targets = read_targets(given, runtimes=runtime or [])
    checks = read_checks(check, targets)
    if http2:
        targets = _with_http2(targets)
    experiment = read_experiment(
        targets,
        gap=gap,
        prepare=prepare,
        force=force,
        connect_ahead=connect_ahead,
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
    output = Output(json_to=json_to, junit_to=junit, quiet=quiet)
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
        with SampleWriter(folder / SAMPLES) as writer, signals() as asked, LiveView(output.console) as live:
            probing = Probing(
                run, experiment, there, command=prepare, folder=folder, writer=writer, asked=asked, live=live
            )
            asyncio.run(probing.carry_out())
    run = close_run(folder, probing.finished(), checks)
    show_and_keep(run, folder, output)
    if probing.fault:
        raise probing.fault
    raise typer.Exit(exit_code(run, interrupted=probing.interrupted))


def _with_http2(targets: Sequence[Target]) -> tuple[Target, ...]:
    if find_spec("h2") is None:
        hint = "pip install 'coldbench[http2]'"
        raise UsageError("HTTP/2 needs the package h2", place="--http2", hint=hint)
    return tuple(replace(target, http2=True) for target in targets)

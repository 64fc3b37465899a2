"""`coldbench lifetime`: how long an unused instance lives."""

import asyncio
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from coldbench.analysis import close_run
from coldbench.cli import options
from coldbench.cli.experiment import read_part
from coldbench.cli.living import Living
from coldbench.cli.output import Output
from coldbench.cli.page import show_and_keep
from coldbench.cli.record import exit_code, new_run, signals
from coldbench.cli.targets import LAB, TargetOptions, reachable, read_targets, with_targets
from coldbench.core.durations import parse_duration
from coldbench.core.errors import UsageError
from coldbench.core.summary import Run, State
from coldbench.core.target import Target
from coldbench.report.lifetime import plan_lines
from coldbench.report.live import LiveView
from coldbench.runs.folder import create, find_run, read_record, write_record
from coldbench.runs.process import process_started
from coldbench.runs.samples import SAMPLES, SampleWriter
from coldbench.stats.gaps import Limits

_FIRST_GAP_S = 30.0
_MOST_GAP_S = 3600.0
# The lab says what its instances live; the search is told no more than where to begin and to end.
_LAB_FIRST, _LAB_MOST = 0.1, 5.0


@with_targets
def command(
    given: TargetOptions,
    samples: Annotated[int, typer.Option("--samples", metavar="N", min=1, help="Trials at most.")] = 60,
    precision: Annotated[
        str, typer.Option("--precision", metavar="10%", help="Stop when the median is known to so much.")
    ] = "10%",
    max_gap: Annotated[
        str | None, typer.Option("--max-gap", metavar="DURATION", help="The longest gap to try (1h).")
    ] = None,
    max_time: Annotated[
        str | None, typer.Option("--max-time", metavar="DURATION", help="Begin no gap that would end later.")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option("--resume", metavar="RUN", help="Go on with an earlier run of the same targets."),
    ] = None,
    runtime: options.Runtime = None,
    name: options.Name = None,
    out: options.Out = Path("reports"),
    json_to: options.JsonTo = None,
    quiet: options.Quiet = False,
    seed: options.Seed = None,
    dry_run: options.DryRun = False,
) -> None:
    """Leave an instance unused for gaps that follow the outcomes; say how long one lives."""
    targets = read_targets(given, runtimes=runtime or [])
    limits = _limits(targets, max_gap)
    part = read_part(precision)
    time_s = None if max_time is None else parse_duration(max_time, place="--max-time") / 1e9
    output = Output(json_to=json_to, quiet=quiet)
    output.lines(
        plan_lines(targets, samples=samples, precision=part, most_s=limits.most_s, max_time_s=time_s)
    )
    if dry_run:
        return
    earlier = None if resume is None else find_run(out, resume)
    with reachable(targets) as there:
        run = new_run(
            "lifetime",
            name or "-".join(target.name for target in targets),
            there,
            seed=secrets.randbelow(1 << 32) if seed is None else seed,
            planned=None,
        )
        if earlier is None:
            folder = create(out, run.command, run.name, datetime.now(UTC))
        else:
            folder, run = earlier, _resumed(read_record(earlier), run, earlier)
        write_record(folder, run)
        with SampleWriter(folder / SAMPLES) as writer, signals() as asked, LiveView(output.console) as live:
            living = Living(
                run,
                there,
                folder=folder,
                writer=writer,
                asked=asked,
                live=live,
                limits=limits,
                samples=samples,
                precision=part,
                max_time_s=time_s,
            )
            asyncio.run(living.carry_out())
    run = close_run(folder, living.finished())
    show_and_keep(run, folder, output)
    raise typer.Exit(exit_code(run, interrupted=living.interrupted))


def _limits(targets: Sequence[Target], max_gap: str | None) -> Limits:
    first_s, most_s = _FIRST_GAP_S, _MOST_GAP_S
    if all(target.url.startswith(LAB) for target in targets):
        from coldbench.targets.lab import parse_lab_url

        idle_s = max(parse_lab_url(target.url).idle_ns for target in targets) / 1e9
        first_s, most_s = _LAB_FIRST * idle_s, _LAB_MOST * idle_s
    if max_gap is not None:
        most_s = parse_duration(max_gap, place="--max-gap") / 1e9
        if not most_s:
            raise UsageError("expected a duration above 0", place=f"--max-gap {max_gap}")
    return Limits(first_s=min(first_s, most_s), most_s=most_s)


def _resumed(earlier: Run, new: Run, folder: Path) -> Run:
    """The earlier record, open again in this process; UsageError when it is not one to go on with."""
    place = f"--resume {folder}"
    if earlier.command != "lifetime":
        raise UsageError(f"a run of {earlier.command}, not of lifetime", place=place)
    if earlier.state is State.RUNNING:
        raise UsageError("its process still runs", place=place)
    was, now = ({(its.name, its.url) for its in run.targets} for run in (earlier, new))
    if was != now:
        hint = "give the same --url"
        raise UsageError(
            f"its targets are {', '.join(sorted(name for name, _ in was))}", place=place, hint=hint
        )
    return replace(
        earlier,
        state=State.RUNNING,
        pid=os.getpid(),
        pid_started=process_started(os.getpid()),
        seed=new.seed,
        finished_at=None,
        planned=None,
    )

"""`coldbench concurrency`: how many invocations one instance takes at once, and how instances grow."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic_ns, time_ns
from typing import Annotated

import typer
from msgspec.structs import replace

from coldbench.analysis import close_run
from coldbench.cli import options
from coldbench.cli.output import Output
from coldbench.cli.page import show_and_keep
from coldbench.cli.record import Asked, exit_code, new_run, now, signals
from coldbench.cli.targets import TargetOptions, reachable, read_targets, with_targets
from coldbench.core.errors import UsageError
from coldbench.core.summary import State
from coldbench.probe.concurrency import Bursts
from coldbench.report.concurrency import plan_lines
from coldbench.runs.folder import create, write_record
from coldbench.runs.samples import SAMPLES, SampleWriter

_TICK_S = 0.1
# Up to here each size is tried; then each is larger by about this part.
_EACH = 6
_GROWTH = 1.3


@with_targets
def command(
    given: TargetOptions,
    max_burst: Annotated[
        int, typer.Option("--max-burst", metavar="N", min=2, help="The most calls at once.")
    ] = 16,
    hold_with: Annotated[
        str | None,
        typer.Option(
            "--hold-with", metavar="/PATH|BODY", help="A request that keeps an instance busy long enough."
        ),
    ] = None,
    name: options.Name = None,
    out: options.Out = Path("reports"),
    json_to: options.JsonTo = None,
    quiet: options.Quiet = False,
    seed: options.Seed = None,
    max_invocations: options.MaxInvocations = None,
    dry_run: options.DryRun = False,
) -> None:
    """Overlap ever more calls on one warm instance; say how many it takes, and what happens to the others."""
    targets = read_targets(given, runtimes=[])
    if len(targets) > 1:
        raise UsageError("takes one target at a time", place="--url")
    planned = sizes_up_to(max_burst)
    output = Output(json_to=json_to, quiet=quiet)
    output.lines(plan_lines(targets[0], planned))
    if max_invocations is not None and sum(planned) > max_invocations:
        hint = "ask for a smaller --max-burst"
        raise UsageError(f"more than {max_invocations} are planned", place="--max-invocations", hint=hint)
    if dry_run:
        return
    with reachable(targets) as there:
        run_name = name or targets[0].name
        chosen_seed = secrets.randbelow(1 << 32) if seed is None else seed
        run = new_run("concurrency", run_name, there, seed=chosen_seed, planned=None)
        folder = create(out, run.command, run.name, datetime.now(UTC))
        write_record(folder, run)
        with SampleWriter(folder / SAMPLES) as writer, signals() as asked:
            run = replace(run, zero_epoch_ns=time_ns())
            bursts = Bursts(there[0], run.run_id, monotonic_ns(), append=writer.append, hold_with=hold_with)
            asyncio.run(_follow(bursts, planned, asked))
    run = replace(
        run,
        finished_at=now(),
        state=State.INTERRUPTED if asked.count else State.COMPLETE,
        profile={"sizes": planned, "held_by": bursts.holding.by if bursts.holding else None},
    )
    run = close_run(folder, run)
    show_and_keep(run, folder, output)
    raise typer.Exit(exit_code(run, interrupted=asked.count > 0))


def sizes_up_to(most: int) -> list[int]:
    """1, 2, 3, ... and then in growing steps; the last is `most`."""
    sizes = [1]
    while sizes[-1] < most:
        last = sizes[-1]
        sizes.append(min(most, last + 1 if last < _EACH else max(last + 1, round(_GROWTH * last))))
    return sizes


async def _follow(bursts: Bursts, sizes: Sequence[int], asked: Asked) -> None:
    """Ctrl-C ends it after the burst under way, a second one at once."""
    task = asyncio.create_task(bursts.carry_out(sizes))
    while not task.done():
        await asyncio.wait({task}, timeout=_TICK_S)
        if asked.count:
            bursts.stop()
        if asked.count > 1:
            task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass

"""`coldbench keepwarm`: N instances kept warm, and proved to be."""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from math import inf
from pathlib import Path
from time import time_ns
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from coldbench.analysis import close_run
from coldbench.cli import options
from coldbench.cli.crew import LOOPBACK, read_address
from coldbench.cli.earlier import last_rounds, measured_lifetime_ns
from coldbench.cli.keeping import Keeping
from coldbench.cli.keepwarm_file import Wish, read_keepwarm_file
from coldbench.cli.output import Output
from coldbench.cli.page import show_and_keep
from coldbench.cli.pricing import price_of
from coldbench.cli.profiles import read_text
from coldbench.cli.record import exit_code, new_run, signals
from coldbench.cli.targets import TargetOptions, reachable, read_targets, with_targets
from coldbench.core.durations import parse_duration
from coldbench.core.errors import ExitCode, UsageError
from coldbench.core.keepwarm import COVERED_PCT, Round
from coldbench.core.reach import FIRST_HOLD_NS, Limits
from coldbench.core.summary import Run
from coldbench.core.target import Target
from coldbench.core.trace import Recording, parse_trace
from coldbench.core.window import Window, is_open, parse_window
from coldbench.probe.kept import Asked
from coldbench.report.keeping import KeepingView
from coldbench.report.keepwarm_plan import keepwarm_lines
from coldbench.report.metrics import Metrics
from coldbench.report.schedules import KINDS, schedule
from coldbench.runs.events import EventLog
from coldbench.runs.folder import create, write_record
from coldbench.runs.samples import SAMPLES, SampleWriter
from coldbench.stats.cost import Budget

_AUTO = "auto"
# Where a search for the cadence begins, and the least that a timer of the field can do.
_FIRST_PERIOD_NS = 30 * 10**9
_SHORTEST_PERIOD_NS = 10**9
# Of a lifetime that is known: the period that the search begins with.
_LIFETIME_PART = 0.8
_MOST_PINGS = 10  # for each instance
_MOST_HOLD = "2s"


@with_targets
def command(
    given: TargetOptions,
    instances: Annotated[int, typer.Option("--instances", metavar="N", min=1, help="How many to keep.")] = 1,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Several targets, each with its own N and period: TOML."),
    ] = None,
    every: Annotated[
        str, typer.Option("--every", metavar="DURATION|auto", help="The period; auto finds the longest.")
    ] = _AUTO,
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="Stop after so long (default: never).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", help="Stop at that local time, 2026-12-24T18:00:00.")
    ] = None,
    window: Annotated[
        list[str] | None,
        typer.Option("--window", metavar="'mon-fri 08:00-20:00'", help="Ping only within it. Repeatable."),
    ] = None,
    tz: Annotated[
        str | None,
        typer.Option("--tz", metavar="ZONE", help="Of the windows, such as Europe/Berlin (local)."),
    ] = None,
    hold_with: Annotated[
        str | None,
        typer.Option(
            "--hold-with", metavar="/PATH|BODY", help="A request that keeps an instance busy long enough."
        ),
    ] = None,
    max_hold: Annotated[
        str, typer.Option("--max-hold", metavar="DURATION", help="The longest that a ping is held.")
    ] = _MOST_HOLD,
    max_pings: Annotated[
        int | None,
        typer.Option("--max-pings", metavar="N", min=1, help="The most in one round (10 an instance)."),
    ] = None,
    concurrency: Annotated[
        int,
        typer.Option(
            "--concurrency", metavar="C", min=1, help="Requests at once in an instance, where no ids tell."
        ),
    ] = 1,
    price: options.PriceOf = None,
    prices: options.Prices = None,
    memory: options.Memory = 512,
    vcpu: options.Vcpu = 0.0,
    arrivals: Annotated[
        str | None,
        typer.Option("--arrivals", metavar="N|FILE", help="Your calls a day, or recorded: what it saves."),
    ] = None,
    lifetime: Annotated[
        str | None,
        typer.Option("--lifetime", metavar="DURATION", help="How long an unused instance lives, if known."),
    ] = None,
    max_cost: options.MaxCost = None,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", metavar="[ADDR:]PORT", help="Serve /metrics for Prometheus there."),
    ] = None,
    export: Annotated[
        str | None,
        typer.Option("--export", metavar="KIND", help=f"Print a schedule instead: {', '.join(KINDS)}."),
    ] = None,
    runtime: options.Runtime = None,
    name: options.Name = None,
    out: options.Out = Path("reports"),
    json_to: options.JsonTo = None,
    quiet: options.Quiet = False,
    seed: options.Seed = None,
    dry_run: options.DryRun = False,
) -> None:
    """Ping so that N distinct instances stay warm, as often as it takes; prove it, and say what it costs."""
    if file is None:
        targets = read_targets(given, runtimes=runtime or [])
        wish = Wish(instances=instances, every=every, concurrency=concurrency, hold_with=hold_with)
        wishes = [wish] * len(targets)
    else:
        targets, wishes = read_keepwarm_file(file, given)
    hold_ns = parse_duration(max_hold, place="--max-hold")
    lifetime_ns = None if lifetime is None else parse_duration(lifetime, place="--lifetime")
    asked = [
        Asked(
            instances=wish.instances,
            every_ns=_period(wish.every, lifetime_ns or measured_lifetime_ns(out, target)),
            adapts=wish.every == _AUTO,
            shortest_ns=_SHORTEST_PERIOD_NS,
            limits=Limits(pings=max_pings or _MOST_PINGS * wish.instances, hold_ns=hold_ns),
            per_instance=wish.concurrency,
            hold_with=wish.hold_with,
        )
        for target, wish in zip(targets, wishes, strict=True)
    ]
    budget = _budget(price, prices, gb=memory / 1024, vcpu=vcpu, most_usd=max_cost)
    awake = _awake([parse_window(text, "--window") for text in window or []], _zone(tz))
    output = Output(json_to=json_to, quiet=quiet)
    if export is not None:
        typer.echo(_exported(export, targets, asked[0], max_pings), nl=False)
        return
    output.lines(keepwarm_lines(targets, asked, budget, traffic=_traffic(arrivals), lifetime_ns=lifetime_ns))
    if dry_run:
        return
    end_ns = _end(lasting, until)
    chosen_seed = secrets.randbelow(1 << 32) if seed is None else seed
    with reachable(targets) as there:
        run_name = name or "-".join(target.name for target in targets)
        before = last_rounds(out, run_name, there, asked)
        run = new_run("keepwarm", run_name, there, seed=chosen_seed, planned=None)
        folder = create(out, run.command, run.name, datetime.now(UTC))
        write_record(folder, run)
        with (
            SampleWriter(folder / SAMPLES) as writer,
            EventLog[Round](folder) as events,
            signals() as stop,
            _serving(metrics) as serving,
            KeepingView(output.console) as view,
        ):
            keeping = Keeping(
                run,
                there,
                asked,
                before,
                writer=writer,
                events=events,
                view=view,
                metrics=serving,
                awake=awake,
            )
            notes = asyncio.run(keeping.until(end_ns, stop, budget))
    run = keeping.record(notes)
    run = close_run(folder, run)
    show_and_keep(run, folder, output)
    code = exit_code(run, interrupted=stop.interrupt)
    if code is not ExitCode.INTERRUPTED:
        # What was covered decides, however busy this machine was: a late ping is held like the others.
        code = ExitCode.DONE if _covered(run) else ExitCode.DEGRADED
    raise typer.Exit(code)


@contextmanager
def _serving(where: str | None) -> Iterator[Metrics | None]:
    if where is None:
        yield None
        return
    text = f"{LOOPBACK}:{where}" if where.isdigit() else where
    metrics = Metrics(*read_address(text, "--metrics"))
    try:
        yield metrics
    finally:
        metrics.close()


def _exported(kind: str, targets: Sequence[Target], asked: Asked, max_pings: int | None) -> str:
    if kind not in KINDS:
        raise UsageError(f"no such schedule: {kind}", place="--export", hint=f"there are {', '.join(KINDS)}")
    if any(target.url.startswith("lab:") for target in targets):
        raise UsageError("a lab ends with its command", place="--export", hint="export for a URL")
    if any(target.signing is not None for target in targets):
        raise UsageError("a signature lasts minutes", place="--export", hint="use the platform's own timer")
    # With --max-pings: what a run has settled on.
    return schedule(kind, targets, max_pings or asked.instances, asked.every_ns / 1e9, FIRST_HOLD_NS / 1e6)


def _period(text: str, lifetime_ns: int | None) -> int:
    if text != _AUTO:
        period_ns = parse_duration(text, place="--every")
        if not period_ns:
            raise UsageError("expected a duration above 0", place="--every 0s")
        return period_ns
    if lifetime_ns is not None:
        return max(_SHORTEST_PERIOD_NS, round(_LIFETIME_PART * lifetime_ns))
    return _FIRST_PERIOD_NS


def _budget(
    platform: str | None, own: Path | None, *, gb: float, vcpu: float, most_usd: float | None
) -> Budget:
    if platform is None:
        if most_usd is not None:
            raise UsageError("needs a price", place="--max-cost", hint="say whose with --price PLATFORM")
        return Budget(price=None, gb=gb, vcpu=vcpu, most_usd=None)
    return Budget(price=price_of(platform, own), gb=gb, vcpu=vcpu, most_usd=most_usd)


def _traffic(text: str | None) -> float | Recording | None:
    """Calls a day, or recorded ones."""
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        return parse_trace(read_text(Path(text)), text)
    if not 0 < number < inf:
        raise UsageError(
            "expected a number above 0, or a file of recorded arrivals", place=f"--arrivals {text}"
        )
    return number


def _end(lasting: str | None, until: datetime | None) -> int | None:
    """On the wall clock, ns; None for never."""
    ends = []
    if lasting is not None:
        ends.append(time_ns() + parse_duration(lasting, place="--for"))
    if until is not None:
        ends.append(round(until.timestamp() * 1e9))
    return min(ends, default=None)


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(f"no such time zone: {name}", place="--tz") from error


def _awake(windows: Sequence[Window], zone: tzinfo | None) -> Callable[[], bool]:
    return lambda: is_open(windows, datetime.now(zone))


def _covered(run: Run) -> bool:
    kept = run.keepwarm
    return kept is not None and all((one.coverage_pct or 0.0) >= COVERED_PCT for one in kept.targets)

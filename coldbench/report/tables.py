"""The tables of a run, as plain cells: the terminal, the text and the Markdown show the same ones."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from coldbench.core.durations import format_duration
from coldbench.core.keepwarm import Keepwarm
from coldbench.core.summary import (
    Checked,
    Interval,
    Outcome,
    Quantiles,
    Result,
    Run,
    StageWaits,
    TargetInfo,
)
from coldbench.core.verdict import Verdict
from coldbench.report.concurrency import growth_table
from coldbench.report.lifetime import curve_table
from coldbench.report.table import Column, Table
from coldbench.report.words import WITHHELD, at, interval, ms, shown, silence

_Cells = dict[Column, Callable[[Result], str]]

_TARGET = Column("target", words=True)

_VERDICTS = {
    Verdict.COLD: Column("cold"),
    Verdict.WARM: Column("warm"),
    Verdict.COLD_AFFECTED: Column("cold", "affected"),
    Verdict.PREINITIALISED: Column("preini-", "tialised"),
    Verdict.UNKNOWN: Column("unknown"),
    Verdict.START_FAILED: Column("start", "failed"),
    Verdict.THROTTLED: Column("throttled"),
    Verdict.DISCARDED: Column("discarded"),
}
# Always shown; the others only where they occur.
_MAIN = (Verdict.COLD, Verdict.WARM)

# DESIGN.md, "Words": evidence level
_EVIDENCE = {0: "0 timing", 1: "1 headers", 2: "2 shim", 3: "3 platform API"}


# Titles by which a face with pictures finds the table that a picture belongs to.
MET, WAITS, STARTUP = "What the invocations met", "Waits, in ms", "Startup and execution, in ms"
KEPT = "Instances kept warm"


def tables(run: Run) -> Iterator[Table]:
    """All tables of the run, in reading order; none when it has no results yet."""
    if run.keepwarm is not None:
        # Its calls are held on purpose: their times are not the function's.
        yield _kept(run.keepwarm)
        yield _met(run)
        return
    if run.concurrency is not None:
        # Its calls are held on purpose: their times are not the function's.
        if run.concurrency.bursts:
            yield growth_table(run.concurrency)
        yield _met(run)
        return
    if run.lifetime is not None and run.lifetime.curve:
        yield curve_table(run.lifetime)
    if run.results:
        yield _met(run)
        yield from _filled(run, WAITS, _WAITS)
        yield from _filled(run, STARTUP, _STARTUP)
        yield from _staged(run)
    if run.command == "run":
        yield from _filled(run, "All calls, in ms", _ALL)
    if any(probed.phases for probed in run.probe):
        yield _phases(run)
    if run.checks:
        few = "a bound on p95 needs 59 of 59 below it to be proved (exact binomial, 95 %)"
        yield checks_table(run.checks, few)


def _number(verdict: Verdict, result: Result) -> str:
    return f"{result.verdicts.get(verdict, 0):,}"


def _met(run: Run) -> Table:
    info = {target.name: target for target in run.targets}
    cells: _Cells = {_TARGET: lambda r: shown(r.target, 24)}
    if any(target.runtime not in (None, target.name) for target in run.targets):
        cells[Column("runtime", words=True)] = lambda r: shown(info[r.target].runtime or "", 16)
    cells[Column("evidence", "level", words=True)] = lambda r: _evidence(info[r.target])
    for verdict, column in _VERDICTS.items():
        if verdict in _MAIN or any(result.verdicts.get(verdict) for result in run.results):
            cells[column] = partial(_number, verdict)
    cells[Column("instances")] = lambda r: "" if r.instances is None else f"{r.instances:,}"
    cells[Column("errors")] = lambda r: f"{sum(r.errors.values()):,}"
    if any(not status.startswith("2") for result in run.results for status in result.statuses):
        cells[Column("status")] = _statuses
    return _table(run, MET, cells)


def _evidence(target: TargetInfo) -> str:
    return "" if target.evidence_level is None else _EVIDENCE.get(target.evidence_level, "")


def _statuses(result: Result) -> str:
    return ", ".join(f"{number:,} x {status}" for status, number in sorted(result.statuses.items()))


def _times(group: str, of: Callable[[Result], Quantiles | None], *figures: str) -> _Cells:
    def cell(figure: str) -> Callable[[Result], str]:
        return lambda result: at(of(result), figure)

    return {Column(group, figure): cell(figure) for figure in figures}


def _estimate(found: Interval | None) -> str:
    return "" if found is None else f"{ms(found.value)} {interval(found)}"


_WAITS: _Cells = {
    **_times("wait cold", lambda r: r.wait_cold_ms, "p50", "p95", "n"),
    **_times("wait warm", lambda r: r.wait_warm_ms, "p50", "p95", "n"),
    Column("cold penalty", "[95 % interval]"): lambda r: _estimate(r.cold_penalty_ms),
}
_STARTUP: _Cells = {
    **_times("startup", lambda r: r.startup_ms, "p50", "p95", "p99", "n"),
    **_times("init", lambda r: r.init_ms, "p50", "n"),
    **_times("platform", lambda r: r.platform_ms, "p50", "n"),
    **_times("unattributed", lambda r: r.unattributed_ms, "p50", "n"),
    **_times("exec", lambda r: r.exec_ms, "p50", "n"),
}
_ALL: _Cells = {
    **_times("response", lambda r: r.response_ms, "p50", "p95", "p99", "max", "n"),
    **_times("service", lambda r: r.service_ms, "p50", "p95", "p99", "n"),
}

# Said below a table in which the word occurs.
_LEGEND = {
    "cold penalty": "Cold penalty: median wait cold minus median wait warm, on the same kind of connection.",
    "startup": "Startup: what a cold call waits, without network and execution.",
    "init": "Init: runtime boot and your code at import.",
    "platform": "Platform: the platform's overhead, startup without init.",
    "response": "Response: from the intended start to the end of the answer.",
    "service": "Service: from the first byte sent to the end of the answer.",
    "unattributed": "Unattributed: startup without init, of which it is not known whose it is.",
}


def _staged(run: Run) -> Iterator[Table]:
    """Of targets of which it is not known what a cold start costs: what is known all the same."""
    rows = [
        [
            shown(result.target, 24),
            _stage(its),
            *(at(its.wait_ms, figure) for figure in ("p50", "p95", "n")),
            _estimate(its.over_next_ms),
        ]
        for result in run.results
        if result.cold_penalty_ms is None and len(result.stages) > 1
        for its in result.stages
    ]
    if rows:
        yield Table(
            title="Waits by stage, in ms",
            columns=[
                _TARGET,
                Column("stage", words=True),
                *(Column("wait", figure) for figure in ("p50", "p95", "n")),
                Column("over the next", "[95 % interval]"),
            ],
            rows=rows,
            caption="Over the next: median wait minus that of the same stage right after it: what the "
            "silence costs a caller, whether by cold starts or not.",
        )


def _stage(its: StageWaits) -> str:
    after = f" after {silence(round(its.silence_s * 1e9))}" if its.silence_s else ""
    return f"{its.stage + 1}: {shown(its.kind, 24)}{after}"


_PLACES = {None: "", True: "first, ", False: "later, "}
_PHASES = ("dns_ms", "connect_ms", "tls_ms", "wait_ms", "download_ms")


def _phases(run: Run) -> Table:
    rows = [
        [
            shown(probed.target, 24),
            f"{its.verdict}, {_PLACES[its.first]}{its.connection}",
            *("" if (value := getattr(its, field)) is None else ms(value) for field in _PHASES),
            f"{its.n:,}",
        ]
        for probed in run.probe
        for its in probed.phases
    ]
    return Table(
        title="Phases of a call, mean ms",
        columns=[
            _TARGET,
            Column("call,", "connection", words=True),
            *(Column(field.removesuffix("_ms")) for field in _PHASES),
            Column("n"),
        ],
        rows=rows,
        caption="Means, which add up along a call. Wait: first byte sent to first byte received.",
    )


def checks_table(checks: Sequence[Checked], few: str) -> Table:
    """What was asked for, and what was seen; `few` says what too few samples means."""
    rows = [
        [
            shown(its.check, 60),
            "" if its.target is None else shown(its.target, 24),
            its.outcome,
            "" if its.seen is None else f"{its.seen:,.6g}",
            "" if its.n is None else f"{its.n:,}",
        ]
        for its in checks
    ]
    undecided = any(its.outcome is Outcome.TOO_FEW for its in checks)
    return Table(
        title="Checks",
        columns=[
            Column("check", words=True),
            _TARGET,
            Column("outcome", words=True),
            Column("seen"),
            Column("n"),
        ],
        rows=rows,
        caption=f"Too few samples: {few}." if undecided else "",
    )


def _kept(keepwarm: Keepwarm) -> Table:
    rows = [
        [
            shown(kept.target, 24),
            f"{kept.asked:,}",
            "" if kept.reached is None else f"{'~' if kept.estimated else ''}{kept.reached:,}",
            "" if kept.coverage_pct is None else f"{kept.coverage_pct:.0f} %",
            f"{kept.rounds:,}",
            f"{kept.pings:,}",
            "" if kept.cold is None else f"{kept.cold:,}",
            "" if kept.hold_ms is None else f"{kept.hold_ms:.0f}",
            kept.held_by or "",
            "" if kept.every_s is None else format_duration(round(kept.every_s * 1e9)),
        ]
        for kept in keepwarm.targets
    ]
    return Table(
        title=KEPT,
        columns=[
            _TARGET,
            Column("asked"),
            Column("reached"),
            Column("covered", "rounds"),
            Column("rounds"),
            Column("pings"),
            Column("cold", "slipped in"),
            Column("hold", "ms"),
            Column("held", "by"),
            Column("every"),
        ],
        rows=rows,
        caption="Reached: distinct instances, the median of the rounds after the first two. ~: estimated by "
        "waits, since the answers name no instance."
        if any(kept.estimated for kept in keepwarm.targets)
        else "Reached: distinct instances, the median of the rounds after the first two.",
    )


_NO_INTERVAL = f"[{WITHHELD}]"


def _filled(run: Run, title: str, cells: _Cells) -> Iterator[Table]:
    """The table without the groups of which nothing was observed; none when there is nothing at all."""
    seen = {column.group for column, cell in cells.items() if any(cell(result) for result in run.results)}
    if seen:
        kept = {column: cell for column, cell in cells.items() if column.group in seen}
        yield _table(run, title, {_TARGET: lambda r: shown(r.target, 24), **kept})


def _table(run: Run, title: str, cells: _Cells) -> Table:
    rows = [[cell(result) for cell in cells.values()] for result in run.results]
    groups = {column.group for column in cells}
    legend = [sentence for group, sentence in _LEGEND.items() if group in groups]
    written = [cell for row in rows for cell in row]
    if WITHHELD in written:
        legend.append(f"{WITHHELD}: too few samples for this quantile: n(1-p) < 5, or n < 5 for p50.")
    if any(cell.endswith(_NO_INTERVAL) for cell in written):
        legend.append(f"{_NO_INTERVAL}: too few rounds for an interval.")
    return Table(title=title, columns=list(cells), rows=rows, caption=" ".join(legend))

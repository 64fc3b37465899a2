"""The tables of a run, as plain cells: the terminal, the text and the Markdown show the same ones."""

from collections.abc import Callable

from msgspec import Struct

from coldbench.core.summary import Result, Run
from coldbench.core.verdict import Verdict
from coldbench.report.words import at, interval, ms, shown


class Table(Struct, frozen=True, kw_only=True):
    """A title, a line that says how to read it, the heads of the columns, and rows of text.

    The first `text_columns` columns are words, the rest are figures. Heads may have several lines.
    """

    title: str
    caption: str
    heads: list[str]
    rows: list[list[str]]
    text_columns: int = 1


_Cell = Callable[[Result], str]

_VERDICTS: dict[Verdict, str] = {
    Verdict.COLD: "cold",
    Verdict.WARM: "warm",
    Verdict.COLD_AFFECTED: "cold-affected",
    Verdict.PREINITIALISED: "pre-init",
    Verdict.UNKNOWN: "unknown",
    Verdict.START_FAILED: "start failed",
    Verdict.THROTTLED: "throttled",
    Verdict.DISCARDED: "discarded",
}
# Always shown; the others only where they occur.
_MAIN = (Verdict.COLD, Verdict.WARM)

_TIMES: dict[str, _Cell] = {
    "startup\np50": lambda r: at(r.startup_ms, "p50"),
    "\np95": lambda r: at(r.startup_ms, "p95"),
    "\np99": lambda r: at(r.startup_ms, "p99"),
    "init\np50": lambda r: at(r.init_ms, "p50"),
    "platform\np50": lambda r: at(r.platform_ms, "p50"),
    "wait\ncold\np50": lambda r: at(r.wait_cold_ms, "p50"),
    "wait\nwarm\np50": lambda r: at(r.wait_warm_ms, "p50"),
    "exec\np50": lambda r: at(r.exec_ms, "p50"),
}


def tables(run: Run) -> list[Table]:
    """All tables of the run, in reading order; none when it has no results yet."""
    if not run.results:
        return []
    return [_met(run), _times(run), _penalties(run)]


def _met(run: Run) -> Table:
    occurring = [
        verdict
        for verdict in _VERDICTS
        if verdict in _MAIN or any(result.verdicts.get(verdict) for result in run.results)
    ]
    runtimes = {target.name: target.runtime or "" for target in run.targets}
    labelled = any(runtime not in ("", name) for name, runtime in runtimes.items())
    rows = []
    for result in run.results:
        row = [shown(result.target, 24)]
        if labelled:
            row.append(shown(runtimes.get(result.target, ""), 16))
        row += [f"{result.verdicts.get(verdict, 0):,}" for verdict in occurring]
        row.append("-" if result.instances is None else f"{result.instances:,}")
        row.append(f"{sum(result.errors.values()):,}")
        rows.append(row)
    heads = ["target", *(["runtime"] if labelled else []), *(_VERDICTS[v] for v in occurring)]
    return Table(
        title="What the invocations met",
        caption="Number of invocations by verdict; instances that answered; transport errors.",
        heads=[*heads, "instances", "errors"],
        rows=rows,
        text_columns=2 if labelled else 1,
    )


def _times(run: Run) -> Table:
    unattributed = any(result.unattributed_ms for result in run.results)
    columns = dict(_TIMES)
    if unattributed:
        columns["unattri-\nbuted\np50"] = lambda r: at(r.unattributed_ms, "p50")
    rows = [
        [shown(result.target, 24), *(cell(result) for cell in columns.values())] for result in run.results
    ]
    return Table(
        title="Times, in ms",
        caption=(
            "Startup: the wait of a cold call without network and execution. A quantile p is withheld (-) "
            "unless n(1-p) >= 5."
        ),
        heads=["target", *columns],
        rows=rows,
    )


def _penalties(run: Run) -> Table:
    rows = []
    for result in run.results:
        cold, warm = result.wait_cold_ms, result.wait_warm_ms
        rows.append(
            [
                shown(result.target, 24),
                "-" if result.cold_penalty_ms is None else interval(result.cold_penalty_ms),
                f"{cold.n:,}" if cold else "0",
                f"{warm.n:,}" if warm else "0",
                ms(result.round_trip_ms),
            ]
        )
    return Table(
        title="What a cold start costs its caller",
        caption=(
            "Difference of the median waits, cold minus warm, on the same kind of connection, with its 95 % "
            "interval over rounds; n of each; the network's round trip in ms."
        ),
        heads=["target", "cold penalty", "n cold", "n warm", "round trip"],
        rows=rows,
        text_columns=2,
    )

"""When each instance was used: the scale-out and the reaping, as far as they show from outside."""

import sqlite3
from collections.abc import Iterable

from coldbench.core.summary import Run
from coldbench.core.verdict import Verdict
from coldbench.report.html import charts, verdicts
from coldbench.report.html.charts import XY
from coldbench.report.html.document import Figure, Section
from coldbench.report.table import Column, Table
from coldbench.report.words import count, ms, shown
from coldbench.runs import thinned
from coldbench.runs.thinned import Busy, Instance

_MOST_ROWS, _MOST_BARS = 200, 8_000
# A bar is drawn at least so long a part of the run: ECharts leaves out what is shorter than a pixel.
_SHORTEST_BAR = 1 / 250
_ROW_PX, _FRAME_PX, _TALLEST_PX = 9, 110, 900


def instances(run: Run, samples: sqlite3.Connection) -> Section:
    """A picture and a row of the table for each target whose answers name their instances."""
    end_ns = thinned.end_ns(samples)
    seen = {target.name: thinned.instances(samples, target.name) for target in run.targets}
    named = {target: its for target, its in seen.items() if its}
    return Section(
        title="Instances",
        figures=[_figure(samples, target, its, end_ns) for target, its in named.items()],
        tables=[_table(named)] if named else [],
    )


def _figure(samples: sqlite3.Connection, target: str, seen: list[Instance], end_ns: int) -> Figure:
    drawn = [instance.name for instance in seen[:_MOST_ROWS]]
    resolution_ns = max(end_ns * len(drawn) // _MOST_BARS, end_ns // 1000, 1)
    least_ns = round(end_ns * _SHORTEST_BAR)
    bars = _bars(thinned.busy(samples, target, drawn, resolution_ns), drawn, least_ns)
    part = "" if len(drawn) == len(seen) else f" The first {len(drawn):,} of {len(seen):,} are drawn."
    return Figure(
        title=shown(target, 60),
        caption="Each row is an instance, in the order of first use; each bar an invocation, from the first "
        "byte sent to the last one received. Rows that begin together are the scale-out. A row that ends was "
        "reaped, or was not chosen again: from outside both look alike. Bars are at least "
        f"{ms(least_ns / 1e6)} ms long to be seen, those less than {ms(resolution_ns / 1e6)} ms apart on one "
        f"instance are one, and cold ones lie over the others. n = {count(len(seen), 'instance')}.{part}",
        option=charts.rows(
            [verdicts.series(verdict, bars[verdict]) for verdict in verdicts.VERDICTS if verdict in bars],
            charts.SECONDS,
            "instance",
            end_ns / 1e9,
            len(drawn),
        ),
        height_px=min(_FRAME_PX + _ROW_PX * len(drawn), _TALLEST_PX),
    )


def _bars(busy: Iterable[Busy], drawn: list[str], least_ns: int) -> dict[Verdict | None, list[XY]]:
    """By verdict, two points a bar and a gap behind it."""
    row = {name: number for number, name in enumerate(drawn, 1)}
    bars: dict[Verdict | None, list[XY]] = {}
    for name, verdict, from_ns, to_ns in busy:
        begins = (charts.seconds(from_ns), row[name])
        ends = (charts.seconds(max(to_ns, from_ns + least_ns)), row[name])
        bars.setdefault(verdict, []).extend((begins, ends, (None, None)))
    return bars


def _table(named: dict[str, list[Instance]]) -> Table:
    return Table(
        title="Instances",
        columns=[
            Column("target", words=True),
            Column("instances"),
            Column("used", "once"),
            Column("calls of one,", "most"),
            Column("first to last use,", "longest"),
        ],
        rows=[
            [
                shown(target, 24),
                f"{len(seen):,}",
                f"{sum(instance.invocations == 1 for instance in seen):,}",
                f"{max(instance.invocations for instance in seen):,}",
                f"{max(instance.last_ns - instance.first_ns for instance in seen) / 1e9:,.1f} s",
            ]
            for target, seen in named.items()
        ],
        caption="First to last use: at least so long it lived; idle time before and after is not seen.",
    )

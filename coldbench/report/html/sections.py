"""The order in which a page tells its story: what was met, what it cost, of what, where, how it was asked."""

import sqlite3
from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from coldbench.core.keepwarm import Round
from coldbench.core.summary import Run
from coldbench.report import lines
from coldbench.report.html import experiments, figures
from coldbench.report.html.document import Section
from coldbench.report.html.instances import instances
from coldbench.report.known import known
from coldbench.report.lifetime import LIVED
from coldbench.report.table import Column, Table
from coldbench.report.tables import KEPT, MET, STARTUP, WAITS, tables
from coldbench.report.words import shown

_LONGEST = 1000


def sections(run: Run, samples: sqlite3.Connection, rounds: Sequence[Round]) -> Iterator[Section]:
    """A section for each table, with its pictures; then what the samples alone tell, then what was asked.

    `rounds` are those of a keep-warm run.
    """
    pictures = {
        MET: list(figures.over_time(run, samples)),
        WAITS: list(figures.waits(run, samples)),
        STARTUP: list(figures.startup(run)),
        LIVED: list(experiments.survival(run)),
        KEPT: list(experiments.kept(rounds)),
    }
    for table in tables(run):
        drawn = pictures.pop(table.title, [])
        if table.title == LIVED:  # its bars are those of a terminal
            table = replace(table, columns=table.columns[:-1], rows=[row[:-1] for row in table.rows])
        yield Section(title=table.title, figures=drawn, tables=[table])
    for title, its in pictures.items():  # a run under way has pictures before it has tables
        if its:
            yield Section(title=title, figures=its)
    seen = instances(run, samples)
    if seen.figures:
        yield seen
    counted = run.judge_version is not None
    yield Section(
        title="Arrivals",
        figures=list(figures.arrivals(samples)),
        words=list(lines.generator(run)) if counted else [],
    )
    if how := list(known(run)):
        yield Section(title="How it is known", words=how)
    yield Section(title="What was asked", tables=[_targets(run)], words=list(_asked(run)))


def _targets(run: Run) -> Table:
    first = {result.target: result.first_response for result in run.results}
    return Table(
        title="Targets",
        columns=[
            Column("target", words=True),
            Column("request", words=True),
            Column("connections", words=True),
            Column("platform", words=True),
            Column("first response", words=True),
        ],
        rows=[
            [
                shown(target.name, 60),
                shown(f"{target.method} {target.url}", _LONGEST),
                target.connections,
                shown(target.platform or "not told", 60),
                shown(first.get(target.name) or "", _LONGEST),
            ]
            for target in run.targets
        ],
    )


def _asked(run: Run) -> Iterator[str]:
    yield f"coldbench {shown(run.version)} {shown(run.command)}, seed {run.seed}"
    for name, given in (("profile", run.profile), ("machine", run.machine)):
        if given:
            yield f"{name}: {shown(msgspec.json.encode(given).decode(), _LONGEST)}"

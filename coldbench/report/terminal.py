"""The terminal's face of a run (rich)."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from coldbench.core.comparison import Comparison
from coldbench.core.summary import Run, State
from coldbench.report import lines
from coldbench.report.comparison import comparison_tables, comparison_title, comparison_words
from coldbench.report.drawing import breakdown
from coldbench.report.known import known
from coldbench.report.ranges import ranges
from coldbench.report.reading import reading
from coldbench.report.table import Table
from coldbench.report.tables import WAITS, tables
from coldbench.report.waterfall import waterfall
from coldbench.report.words import WITHHELD, shown

_INDENT = 2
_SHORTEST_NAME = 6
_NARROWEST = 80

_STATES = {State.COMPLETE: "green", State.DEGRADED: "yellow", State.INTERRUPTED: "yellow"}
_HEADS = {"cold": "cyan", "warm": "red"}
_FIGURES = {"n": "dim", "p50": "bold", "[95 % interval]": "bold"}

# A rule under the heads, of characters that every encoding has.
_ASCII_RULE = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def face(run: Run, folder: Path | None, console: Console) -> RenderableType:
    """All of it, for `console.print`; `folder` is where the run is kept."""
    return Group(*_parts(run, folder, console))


def comparison_face(comparison: Comparison, console: Console) -> RenderableType:
    """All of it, for `console.print`."""
    return Group(*_comparison_parts(comparison, console))


def narrowest(shown_tables: Iterable[Table]) -> int:
    """How many columns a console needs at least: in fewer, rich would leave columns of the tables out.

    A terminal that has fewer wraps the lines, and no figure is lost.
    """
    return max([_NARROWEST, *(_INDENT + _least(table) for table in shown_tables)])


def _least(table: Table) -> int:
    widths: list[int] = [
        max([_width(head), *([_SHORTEST_NAME] if column.words else map(cell_len, cells))])
        for column, head, *cells in zip(table.columns, table.heads, *table.rows, strict=True)
    ]
    return sum(widths) + 2 * len(widths)  # a blank on the right of each, and one between two of them


def _width(head: str) -> int:
    return max(map(cell_len, head.split("\n")))


def _parts(run: Run, folder: Path | None, console: Console) -> Iterator[RenderableType]:
    yield from _heading(run, folder)
    bars = _section(
        "What a cold call waits for, median ms", breakdown(run, console, console.width - 2 * _INDENT)
    )
    spread = _section("Waits, log scale", ranges(run, console, console.width - 2 * _INDENT))
    for table in tables(run):
        yield from _section(table.title, _table(table, console))
        yield from bars  # after the first table, which says how many calls they stand for
        if table.title == WAITS:
            yield from spread
    yield from _section(
        "A cold call's phases, mean ms on fresh connections",
        waterfall(run, console, console.width - 2 * _INDENT),
    )
    yield from _section("Generator", (Text(line) for line in lines.generator(run)))
    yield from _section("First responses", (Text(line, style="dim") for line in lines.first_responses(run)))
    bullet = "-" if console.options.ascii_only else "•"
    yield from _section("How it is known", (_item(bullet, "dim", line) for line in known(run)))
    yield from _section("Notes", (_item(bullet, "yellow", note) for note in lines.notes(run)))
    yield from _section("In words", (_item(bullet, "cyan", answer) for answer in reading(run)))
    yield Text()


def _comparison_parts(comparison: Comparison, console: Console) -> Iterator[RenderableType]:
    yield Text()
    yield Text(comparison_title(comparison), style="bold")
    for table in comparison_tables(comparison):
        yield from _section(table.title, _table(table, console))
    bullet = "-" if console.options.ascii_only else "•"
    yield from _section("Doubts", (_item(bullet, "yellow", line) for line in comparison.warnings))
    yield from _section("In words", (_item(bullet, "cyan", line) for line in comparison_words(comparison)))
    yield Text()


def _section(title: str, content: Iterable[RenderableType]) -> Iterator[RenderableType]:
    indented = [Padding.indent(part, _INDENT) for part in content]
    if indented:
        yield Text()
        yield Text(title, style="bold")
        yield from indented


def _heading(run: Run, folder: Path | None) -> Iterator[RenderableType]:
    yield Text()
    yield Text.assemble(
        (lines.title(run), "bold"), "   ", (run.state, _STATES.get(run.state, "")), "   ", lines.size(run)
    )
    if lines.losses(run):
        yield Text(lines.losses(run), style="yellow")
    if folder is not None:
        yield Text(shown(str(folder), 1000), style="dim", overflow="fold")


def _table(table: Table, console: Console) -> Iterator[RenderableType]:
    made = RichTable(
        box=_ASCII_RULE if console.options.ascii_only else box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="none",
    )
    for column, head in zip(table.columns, table.heads, strict=True):
        made.add_column(
            Text(head, style=_HEADS.get(column.group, "")),
            justify="left" if column.words else "right",
            vertical="bottom",
            # Names are broken when the terminal is narrow. A figure never: half of it is another figure.
            no_wrap=not column.words,
            overflow="fold" if column.words else "ellipsis",
            min_width=max(_width(head), _SHORTEST_NAME) if column.words else None,
        )
    for row in table.rows:
        made.add_row(
            *(
                Text(cell, style="dim" if cell in (WITHHELD, "0") else _FIGURES.get(column.figure, ""))
                for cell, column in zip(row, table.columns, strict=True)
            )
        )
    yield made
    if table.caption:
        yield Text(table.caption, style="dim")


def _item(bullet: str, style: str, text: str) -> RenderableType:
    item = RichTable.grid(padding=(0, 1))
    item.add_row(Text(bullet, style=style), Text(text))
    return item

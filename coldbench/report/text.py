"""A run as plain text or Markdown (tabulate): for mail, pull requests and files."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct
from tabulate import tabulate

from coldbench.core.comparison import Comparison
from coldbench.core.summary import Run
from coldbench.report import lines
from coldbench.report.comparison import comparison_tables, comparison_title, comparison_words
from coldbench.report.known import known
from coldbench.report.reading import reading
from coldbench.report.table import Table
from coldbench.report.tables import tables
from coldbench.report.words import shown


class _Style(Struct, frozen=True):
    """How one of the two languages writes a title, a subtitle, an item, a table, and any other text."""

    title: Callable[[str], str]
    subtitle: Callable[[str], str]
    item: Callable[[str], str]
    table: Callable[[Table], str]
    plain: Callable[[str], str]


def text(run: Run, folder: Path | None) -> str:
    """Plain text; `folder` is where the run is kept."""
    return "\n\n".join(_blocks(run, folder, _TEXT)) + "\n"


def markdown(run: Run, folder: Path | None) -> str:
    """Markdown, as GitHub reads it; `folder` is where the run is kept."""
    return "\n\n".join(_blocks(run, folder, _MARKDOWN)) + "\n"


def comparison_text(comparison: Comparison) -> str:
    """A comparison as plain text."""
    return "\n\n".join(_comparison_blocks(comparison, _TEXT)) + "\n"


def comparison_markdown(comparison: Comparison) -> str:
    """A comparison as Markdown, as GitHub reads it."""
    return "\n\n".join(_comparison_blocks(comparison, _MARKDOWN)) + "\n"


def _blocks(run: Run, folder: Path | None, style: _Style) -> Iterator[str]:
    yield style.title(style.plain(f"{lines.title(run)}: {run.state}"))
    yield f"{lines.size(run)}."
    if lines.losses(run):
        yield f"{lines.losses(run)}."
    if folder is not None:
        yield style.plain(shown(str(folder), 1000))
    yield from _tables(tables(run), style)
    yield from _section("Generator", lines.generator(run), style)
    yield from _section("First responses", lines.first_responses(run), style)
    yield from _section("How it is known", known(run), style)
    yield from _section("Notes", lines.notes(run), style)
    yield from _section("In words", reading(run), style)


def _comparison_blocks(comparison: Comparison, style: _Style) -> Iterator[str]:
    yield style.title(style.plain(comparison_title(comparison)))
    yield from _tables(comparison_tables(comparison), style)
    yield from _section("Doubts", comparison.warnings, style)
    yield from _section("In words", comparison_words(comparison), style)


def _tables(its: Iterable[Table], style: _Style) -> Iterator[str]:
    for table in its:
        yield style.subtitle(style.plain(table.title))
        yield style.table(table)
        if table.caption:
            yield table.caption


def _section(title: str, items: Iterable[str], style: _Style) -> Iterator[str]:
    written = [style.item(style.plain(item)) for item in items]
    if written:
        yield style.subtitle(title)
        yield "\n".join(written)


def _text_table(table: Table) -> str:
    return tabulate(
        table.rows,
        headers=table.heads,
        tablefmt="simple",
        colalign=_alignment(table),
        disable_numparse=True,
    )


def _markdown_table(table: Table) -> str:
    return tabulate(
        [[_escaped(cell) for cell in row] for row in table.rows],
        headers=[_escaped(column.head) for column in table.columns],
        tablefmt="pipe",
        colalign=_alignment(table),
        disable_numparse=True,
    )


def _alignment(table: Table) -> list[str]:
    return ["left" if column.words else "right" for column in table.columns]


def _escaped(text: str) -> str:
    """With what Markdown or HTML would act on made inert."""
    return re.sub(r"([\\`*_\[<|~])", r"\\\1", text.replace("&", "&amp;"))


_TEXT = _Style(
    title=lambda words: f"{words}\n{'=' * len(words)}",
    subtitle=lambda words: f"{words}\n{'-' * len(words)}",
    item=lambda words: f"  * {words}",
    table=_text_table,
    plain=str,
)
_MARKDOWN = _Style(
    title=lambda words: f"## {words}",
    subtitle=lambda words: f"### {words}",
    item=lambda words: f"- {words}",
    table=_markdown_table,
    plain=_escaped,
)

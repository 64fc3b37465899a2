"""A run as plain text or Markdown (tabulate): for mail, pull requests and files."""

from pathlib import Path

from tabulate import tabulate

from coldbench.core.summary import Run
from coldbench.report.reading import reading
from coldbench.report.tables import Table, tables
from coldbench.report.words import count, ms, shown


def text(run: Run, folder: Path | None) -> str:
    """Plain text."""
    return _compose(run, folder, markdown=False)


def markdown(run: Run, folder: Path | None) -> str:
    """Markdown, as GitHub reads it."""
    return _compose(run, folder, markdown=True)


def _compose(run: Run, folder: Path | None, *, markdown: bool) -> str:
    escape = _markdown if markdown else str
    head, bullet = ("## ", "- ") if markdown else ("", "  * ")
    counts = run.counts
    blocks = [
        f"{head}coldbench {run.command} {escape(shown(run.name))}: {run.state}",
        f"{count(counts.intended, 'invocation')} intended, {counts.completed:,} completed, "
        f"{counts.errors:,} errors, {counts.unfinished:,} unfinished, {counts.dropped:,} dropped."
        + (f"\n{escape(shown(str(folder)))}" if folder else ""),
    ]
    for table in tables(run):
        blocks.append(f"#{head}{table.title}" if markdown else f"{table.title}\n{'-' * len(table.title)}")
        blocks += [_table(table, markdown=markdown), table.caption]
    late = run.fidelity.lateness_ms.max
    if late is not None:
        spread = run.fidelity.burst_spread_ms
        burst = "" if spread is None else f", widest burst sent within {ms(spread)} ms"
        blocks.append(f"Generator: lateness max {ms(late)} ms{burst}.")
    notes = [*run.notes, *(f"{result.target}: {note}" for result in run.results for note in result.notes)]
    for title, lines in (("Notes", notes), ("In words", list(reading(run)))):
        if lines:
            blocks.append(f"#{head}{title}" if markdown else title)
            blocks.append("\n".join(f"{bullet}{escape(shown(line, 1000))}" for line in lines))
    return "\n\n".join(blocks) + "\n"


def _table(table: Table, *, markdown: bool) -> str:
    align = ["left" if place < table.text_columns else "right" for place in range(len(table.heads))]
    rows = [[_markdown(cell) for cell in row] for row in table.rows] if markdown else table.rows
    return tabulate(
        rows,
        headers=[head.replace("\n", " ").strip() for head in table.heads] if markdown else table.heads,
        tablefmt="pipe" if markdown else "simple",
        colalign=align,
        disable_numparse=True,
    )


def _markdown(cell: str) -> str:
    """With what Markdown or HTML would act on made inert."""
    for character in "\\`*_[]<>|~":
        cell = cell.replace(character, f"\\{character}")
    return cell.replace("&", "&amp;")

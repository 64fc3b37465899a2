"""The terminal's face of a run (rich)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from coldbench.core.summary import Run, State
from coldbench.report.breakdown import ASCII, PARTS, bars, cells
from coldbench.report.reading import reading
from coldbench.report.tables import Table, tables
from coldbench.report.words import WITHHELD, count, ms, shown

_STYLES = {
    "network": "blue",
    "platform": "magenta",
    "unattributed": "bright_black",
    "init": "yellow",
    "execution": "green",
}
_COLUMN_STYLES = {"cold": "bold cyan", "warm": "bold red"}
_STATE_STYLES = {State.COMPLETE: "green", State.DEGRADED: "yellow", State.INTERRUPTED: "yellow"}
_NAME_WIDTH = 16


def show(run: Run, folder: Path | None, console: Console) -> None:
    """Print the whole face."""
    console.print(face(run, folder, console))


def face(run: Run, folder: Path | None, console: Console) -> RenderableType:
    """What `show` prints."""
    parts: list[RenderableType] = [Text(), _heading(run, folder)]
    for table in tables(run):
        parts += [Text(), _rich_table(table, console)]
    breakdown = list(_breakdown(run, console))
    if breakdown:
        parts += [Text(), *breakdown]
    parts += [Text(), _fidelity(run)]
    notes = [*run.notes, *(f"{r.target}: {note}" for r in run.results for note in r.notes)]
    if notes:
        parts += [Text(), Text("Notes", style="bold"), *(_item(note, "yellow") for note in notes)]
    said = list(reading(run))
    if said:
        parts += [Text(), Text("In words", style="bold"), *(_item(sentence, "cyan") for sentence in said)]
    return Group(*parts)


def _heading(run: Run, folder: Path | None) -> Text:
    counts = run.counts
    text = Text.assemble(
        (f"coldbench {run.command} {shown(run.name)}", "bold"),
        "  ",
        (run.state.value, _STATE_STYLES.get(run.state, "")),
        f"  {count(counts.intended, 'invocation')} intended, {counts.completed:,} completed",
    )
    for number, what in (
        (counts.errors, "errors"),
        (counts.unfinished, "unfinished"),
        (counts.dropped, "dropped"),
    ):
        if number:
            text.append(f", {number:,} {what}", style="yellow")
    if folder is not None:
        text.append(f"\n{shown(str(folder))}", style="dim")
    return text


def _rich_table(table: Table, console: Console) -> RenderableType:
    made = RichTable(
        title=table.title,
        caption=table.caption,
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        caption_style="dim",
        box=box.SIMPLE_HEAD if not console.options.ascii_only else box.ASCII2,
        pad_edge=False,
    )
    for place, head in enumerate(table.heads):
        words = place < table.text_columns
        made.add_column(
            head,
            justify="left" if words else "right",
            style="bold" if place == 0 else None,
            overflow="fold",
            no_wrap=place == 0,
        )
    for row in table.rows:
        made.add_row(*(Text(cell, style="dim" if cell in (WITHHELD, "0") else "") for cell in row))
    return made


def _breakdown(run: Run, console: Console) -> Iterator[RenderableType]:
    found = bars(run.results)
    if not found:
        return
    longest = max(bar.total_ms for bar in found)
    drawn = ASCII if console.options.ascii_only or console.no_color else PARTS
    occurring = [name for name in PARTS if any(name in bar.parts for bar in found)]
    legend = Text("What a cold call waits for", style="bold")
    legend.append("  (medians, ms)  ", style="dim not bold")
    for name in occurring:
        legend.append(drawn[name] * 2, style=_STYLES[name])
        legend.append(f" {name}  ", style="not bold")
    yield legend
    width = max(20, min(console.width, 140) - _NAME_WIDTH - 12)
    for bar in found:
        line = Text(f"  {shown(bar.target, _NAME_WIDTH - 3):<{_NAME_WIDTH - 2}}", style="bold")
        line.no_wrap = True
        taken = cells(bar, longest, width)
        for name, cells_taken in taken:
            line.append(drawn[name] * cells_taken, style=_STYLES[name])
        line.append(f" {ms(bar.total_ms)}", style="bold")
        yield line
        figures = ", ".join(f"{name} {ms(value)}" for name, value in bar.parts.items())
        yield Padding(Text(figures, style="dim"), (0, 0, 0, _NAME_WIDTH))


def _fidelity(run: Run) -> Text:
    fidelity = run.fidelity
    late = fidelity.lateness_ms
    said = []
    if late.max is not None:
        p99 = "" if late.p99 is None else f"p99 {ms(late.p99)} ms, "
        said.append(f"lateness {p99}max {ms(late.max)} ms")
    if fidelity.burst_spread_ms is not None:
        said.append(f"widest burst sent within {ms(fidelity.burst_spread_ms)} ms")
    said.append(count(fidelity.connections_opened, "connection") + " opened")
    if fidelity.reused_pct is not None:
        said.append(f"{fidelity.reused_pct:.0f} % of invocations on a used one")
    if fidelity.generator_cpu_pct_max:
        said.append(f"generator CPU at most {fidelity.generator_cpu_pct_max:.0f} % of a core")
    text = Text.assemble(("Generator  ", "bold"), "; ".join(said))
    if fidelity.limited_by_generator:
        text.append("\nThe generator was the limit, not the target: ", style="bold yellow")
        text.append("these figures are of this machine; ask for less.", style="yellow")
    return text


def _item(text: str, style: str) -> RenderableType:
    bullet = RichTable.grid(padding=(0, 1))
    bullet.add_row(Text("•" if style else "-", style=style), Text(shown(text, 1000)))
    return Padding(bullet, (0, 0, 0, 2))


def said_at_once(lines: Sequence[str], console: Console) -> None:
    """Plain lines, as text whatever they hold."""
    for line in lines:
        console.print(Text(line))

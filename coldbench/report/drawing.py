"""The breakdown drawn for a terminal: colours where it has them, shades where not, letters in ASCII."""

from collections.abc import Iterator, Mapping

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from coldbench.core.summary import Run
from coldbench.report.breakdown import NAMES, PARTS, bars, cells
from coldbench.report.words import ms, shown

_LONGEST_NAME = 20
_WIDEST_BAR = 100

# Each part as a character and a style; spaces on a colour leave no seams between them.
_COLOURS = {
    "network": (" ", "on blue"),
    "platform": (" ", "on magenta"),
    "unattributed": (" ", "on bright_black"),
    "init": (" ", "on yellow"),
    "exec": (" ", "on green"),
}
_SHADES = {
    "network": ("·", ""),
    "platform": ("░", ""),
    "unattributed": ("▒", ""),
    "init": ("█", ""),
    "exec": ("▪", ""),
}
_LETTERS = {
    "network": ("n", ""),
    "platform": ("p", ""),
    "unattributed": ("?", ""),
    "init": ("#", ""),
    "exec": ("x", ""),
}
_Glyphs = Mapping[str, tuple[str, str]]


def breakdown(run: Run, console: Console, width: int) -> Iterator[Text]:
    """The legend, then for each target its bar and the figures below it; nothing when nothing is known.

    `width` is in characters; all bars have one scale, that of the slowest target.
    """
    found = bars(run.results)
    if not found:
        return
    glyphs = _glyphs(console)
    names = [shown(bar.target, _LONGEST_NAME) for bar in found]
    margin = max(map(cell_len, names)) + 2
    waits = ["" if bar.wait_ms is None else f" {ms(bar.wait_ms)}" for bar in found]
    length = max(10, min(width - margin - max(map(len, waits)), _WIDEST_BAR))
    longest_ms = max(bar.total_ms for bar in found)
    yield _legend([part for part in PARTS if any(part in bar.parts for bar in found)], glyphs)
    for bar, name, wait in zip(found, names, waits, strict=True):
        line = Text(name + " " * (margin - cell_len(name)), style="bold", no_wrap=True)
        for part, taken in cells(bar, longest_ms, length):
            character, style = glyphs[part]
            line.append(character * taken, style=style)
        yield line.append(wait)
        figures = " + ".join(f"{NAMES[part]} {ms(value)}" for part, value in bar.parts.items())
        yield Text(" " * margin + figures, style="dim")


def _legend(parts: list[str], glyphs: _Glyphs) -> Text:
    legend = Text()
    for part in parts:
        character, style = glyphs[part]
        legend.append(character * 2, style=style)
        legend.append(f" {NAMES[part]}   ")
    return legend


def _glyphs(console: Console) -> _Glyphs:
    if console.options.ascii_only:
        return _LETTERS
    return _SHADES if console.no_color or console.color_system is None else _COLOURS

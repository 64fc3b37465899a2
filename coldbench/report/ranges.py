"""Waits as bars on one logarithmic axis: how far cold ones are from warm ones, how far either is spread."""

from collections.abc import Iterator
from math import log10

from msgspec import Struct
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from coldbench.core.summary import Quantiles, Run
from coldbench.report.words import ms, shown

_LONGEST_NAME = 20
_WIDEST, _NARROWEST = 80, 20
_LEAST_MS = 1e-3  # a log axis has no zero
_STYLES = {"cold": "cyan", "warm": "red"}


class _Glyphs(Struct, frozen=True):
    """From the least to the greatest; the median; from there to the quantile `tail`."""

    line: str
    median: str
    tail: str


_DRAWN, _ASCII = _Glyphs("─", "█", "▒"), _Glyphs("-", "#", "=")


def ranges(run: Run, console: Console, width: int) -> Iterator[Text]:
    """A line for the cold and the warm waits of each target; nothing when none has a median."""
    found = [
        (result.target, name, quantiles)
        for result in run.results
        for name, quantiles in (("cold", result.wait_cold_ms), ("warm", result.wait_warm_ms))
        if quantiles is not None and quantiles.p50 is not None and quantiles.min is not None
    ]
    if not found:
        return
    glyphs = _ASCII if console.options.ascii_only else _DRAWN
    names = [f"{shown(target, _LONGEST_NAME)} {name}" for target, name, _ in found]
    margin = max(map(cell_len, names)) + 2
    length = max(_NARROWEST, min(width - margin, _WIDEST))
    least = _log(min(quantiles.min or 0.0 for _, _, quantiles in found))
    greatest = _log(max(_most(quantiles) for _, _, quantiles in found))
    scale = (length - 1) / max(greatest - least, 1e-9)
    for label, (_, name, quantiles) in zip(names, found, strict=True):
        line = Text(label + " " * (margin - cell_len(label)), no_wrap=True)
        yield line.append(_bar(quantiles, glyphs, least, scale), style=_STYLES[name])
    ends = f"{ms(10**least)} ms", f"{ms(10**greatest)} ms"
    axis = ends[0] + " " * max(1, length - len(ends[0]) - len(ends[1])) + ends[1]
    yield Text(" " * margin + axis, style="dim")
    yield Text(
        f"{glyphs.line} least to greatest   {glyphs.median} median   {glyphs.tail} up to p95 (p90 of fewer)",
        style="dim",
    )


def _bar(quantiles: Quantiles, glyphs: _Glyphs, least: float, scale: float) -> str:
    def place(value_ms: float) -> int:
        return round((_log(value_ms) - least) * scale)

    first, last = place(quantiles.min or 0.0), place(_most(quantiles))
    median = place(quantiles.p50 or 0.0)
    tail = quantiles.p95 or quantiles.p90
    bar = [" "] * first + [glyphs.line] * (last - first + 1)
    if tail is not None:
        bar[median : place(tail) + 1] = [glyphs.tail] * (place(tail) + 1 - median)
    bar[median] = glyphs.median
    return "".join(bar)


def _most(quantiles: Quantiles) -> float:
    """The greatest that is known: timeouts hide it."""
    known = (quantiles.max, quantiles.p99, quantiles.p95, quantiles.p90, quantiles.p50)
    return next(value for value in known if value is not None)


def _log(value_ms: float) -> float:
    return log10(max(value_ms, _LEAST_MS))

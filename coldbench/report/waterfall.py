"""A cold call's phases, one under the other as they follow in time, beside those of a warm call."""

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from coldbench.core.summary import Phases, Probed, Run
from coldbench.report.words import ms, shown

# field of Phases -> what it is called, in the order of time
PHASES = {
    "dns_ms": "dns",
    "connect_ms": "connect",
    "tls_ms": "tls",
    "wait_ms": "wait",
    "download_ms": "download",
}
_LONGEST_NAME = 20
_WIDEST = 100
_NAME, _FIGURE = max(map(len, PHASES.values())), 9  # characters
_GAP = 2
_BAR, _ASCII_BAR = "█", "#"


def waterfall(run: Run, console: Console, width: int) -> Iterator[Text]:
    """For each target that was cold a head and a line for each phase; `width` is in characters.

    A phase begins where the one before it ends. Each target has a scale of its own.
    """
    for probed in run.probe:
        cold = _of(probed, "cold")
        if cold is None:
            continue
        warm = _of(probed, "warm")
        yield _head(probed, cold, warm)
        length = min(width - _NAME - 2 * _FIGURE - 2 * _GAP, _WIDEST)
        bar = _ASCII_BAR if console.options.ascii_only else _BAR
        known = [value for field in PHASES if (value := getattr(cold, field)) is not None]
        scale = length / (sum(known) or 1.0)
        before_ms = 0.0
        for field, name in PHASES.items():
            cold_ms = getattr(cold, field)
            if cold_ms is None:
                continue
            begins, ends = round(before_ms * scale), round((before_ms + cold_ms) * scale)
            # A phase that is too short to be drawn shows all the same where it is.
            begins = min(begins, length - 1)
            before_ms += cold_ms
            line = Text(f"{'':{_GAP}}{name:<{_NAME}}", no_wrap=True)
            line.append(f"{ms(cold_ms):>{_FIGURE}}", style="bold")
            warm_ms = None if warm is None else getattr(warm, field)
            line.append(f"{'' if warm_ms is None else ms(warm_ms):>{_FIGURE}}{'':{_GAP}}")
            line.append(" " * begins + bar * max(1, ends - begins), style="cyan")
            yield line


def _head(probed: Probed, cold: Phases, warm: Phases | None) -> Text:
    name = shown(probed.target, _LONGEST_NAME)
    head = Text(name, style="bold", no_wrap=True)
    place = _GAP + _NAME + _FIGURE
    head.append(f"{f'cold ({cold.n})':>{max(place - cell_len(name), 10)}}", style="cyan")
    if warm is not None:
        head.append(f"{f'warm ({warm.n})':>{_FIGURE + 1}}", style="red")
    return head


def _of(probed: Probed, verdict: str) -> Phases | None:
    """On fresh connections, so that all phases are there and like is compared with like."""
    return next((its for its in probed.phases if its.verdict == verdict and its.connection == "fresh"), None)

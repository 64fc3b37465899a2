"""Keeping warm: the plan, what happens while it goes, and what it came to."""

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from msgspec import Struct
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from coldbench.core.durations import format_duration
from coldbench.core.keepwarm import SETTLING_ROUNDS, Keepwarm, Kept, Round
from coldbench.report.words import count, shown

_LINE_EVERY_S = 60.0
_ROWS = 20  # instances of one target that are shown


class InstanceRow(Struct, frozen=True, kw_only=True):
    """An instance as the pings have seen it; seconds."""

    name: str
    seen_for_s: float
    last_seen_s: float  # ago
    pings: int


class KeepingView:
    """Use as a context. On a terminal a changing table of instances; elsewhere a line where something
    changed, and now and then one that says that nothing did. A terminal that has gone ends the showing only.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        changing = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(console=console, transient=True, auto_refresh=False) if changing else None
        self._said: dict[str, Round] = {}
        self._last: dict[str, Round] = {}
        self._gone = False

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def round(self, done: Round) -> None:
        """A round has ended."""
        self._last[done.target] = done
        before = self._said.get(done.target)
        if self._live or (before and _alike(before, done) and done.at_s - before.at_s < _LINE_EVERY_S):
            return
        self._said[done.target] = done
        self._try_to_say(f"{done.at_s:7.1f} s  {_line(done)}")

    def instances(self, at_s: float, rows: Mapping[str, Sequence[InstanceRow]]) -> None:
        """How things stand, on a terminal."""
        if self._live and not self._gone:
            try:
                self._live.update(self._view(at_s, rows), refresh=True)
            except OSError:
                self._gone = True

    def _try_to_say(self, line: str) -> None:
        if not self._gone:
            try:
                self._console.print(Text(line), soft_wrap=True)
            except OSError:
                self._gone = True

    def _view(self, at_s: float, rows: Mapping[str, Sequence[InstanceRow]]) -> RenderableType:
        parts: list[RenderableType] = []
        for target, its in rows.items():
            done = self._last.get(target)
            state = "looking for a way to hold its instances ..." if done is None else _line(done)
            parts.append(Text(state, style="bold"))
            table = Table(box=None, padding=(0, 2), header_style="dim")
            for head in ("instance", "last seen", "seen for", "pings"):
                table.add_column(head, justify="left" if head == "instance" else "right")
            for row in its[:_ROWS]:
                table.add_row(
                    Text(shown(row.name, 36)),
                    f"{row.last_seen_s:.0f} s ago",
                    format_duration(round(row.seen_for_s) * 10**9),
                    f"{row.pings:,}",
                )
            if len(its) > _ROWS:
                table.add_row(f"and {len(its) - _ROWS} more", "", "", "")
            parts.append(table)
        parts.append(Text(f"{format_duration(round(at_s) * 10**9)}; Ctrl-C ends it in order", style="dim"))
        return Group(*parts)


def _alike(one: Round, other: Round) -> bool:
    return (one.reached, one.pings, one.hold_ms, one.cold, one.slow, one.every_s) == (
        other.reached,
        other.pings,
        other.hold_ms,
        other.cold,
        other.slow,
        other.every_s,
    )


def _line(done: Round) -> str:
    about = "about " if done.estimated else ""
    cold = f", {count(done.cold, 'cold start')}" if done.cold else ""
    slow = f", {done.slow} slow" if done.slow else ""
    reached = "an unknown number" if done.reached is None else f"{about}{done.reached}"
    return (
        f"{shown(done.target)}: {reached} of {done.asked} instances by "
        f"{count(done.pings, 'ping')} held {done.hold_ms:.0f} ms, sent within {done.spread_ms:.0f} ms"
        f"{cold}{slow}; every {format_duration(round(done.every_s * 1e9))}"
    )


def kept_words(keepwarm: Keepwarm) -> Iterator[str]:
    """One sentence or two for each target: was it covered, and what slipped through."""
    for kept in keepwarm.targets:
        yield f"{shown(kept.target)}: {'. '.join(_kept(kept))}."


def _kept(kept: Kept) -> Iterator[str]:
    if kept.rounds and kept.coverage_pct is None:
        yield "how many instances were kept warm is not known: nothing tells"
        if kept.rounds > SETTLING_ROUNDS:
            yield _slipped(kept)
        return
    if kept.reached is None or kept.coverage_pct is None:
        yield "nothing answered; nothing was kept warm"
        return
    about = "about " if kept.estimated else ""
    more = f"; in the median round {about}{kept.reached}"
    counted = max(kept.rounds - SETTLING_ROUNDS, 1) if kept.counted is None else kept.counted
    yield (
        f"{kept.coverage_pct:.0f} % of {count(counted, 'round')} found all "
        f"{count(kept.asked, 'instance')} still there{more}"
    )
    if kept.rounds > SETTLING_ROUNDS:
        yield _slipped(kept)


def _slipped(kept: Kept) -> str:
    if kept.cold is not None:
        slipped = count(kept.cold, "cold start") if kept.cold else "No cold start"
        return f"{slipped} slipped through"
    untold = "No answer says whether a cold start slipped through"
    if not kept.slow:
        return f"{untold}; no ping waited as for one"
    return f"{untold}; {count(kept.slow, 'ping')} waited as for one, or for room"

"""The run while it goes: one changing view on a terminal, plain lines elsewhere."""

from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from msgspec import Struct
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from coldbench.core.durations import format_duration
from coldbench.report.words import shown

_LINE_EVERY_S = 5.0
_RATE_OVER_S = 1.0
_BAR_WIDTH = 24
_STOPPING = "stopping: waiting for what is in flight (Ctrl-C again: at once)"


class Now(Struct, frozen=True, kw_only=True):
    """Where the run is; instants in seconds of the run. `planned` is None when only the answers decide."""

    phase: str
    at_s: float
    expected_s: float
    dispatched: int
    planned: int | None
    completed: int
    errors: int
    in_flight: int


class LiveView:
    """Use as a context; feed it, it shows. Leaving it leaves the terminal as it was.

    A terminal that has gone ends the showing, never the run.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        changing = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(console=console, transient=True, auto_refresh=False) if changing else None
        self._now: Now | None = None
        self._rate = 0.0
        self._rate_since: Now | None = None
        self._verdicts: Mapping[str, Mapping[str, int]] = {}
        self._said_at_s = -_LINE_EVERY_S
        self._said_phase = ""
        self._stopping = False
        self._gone = False

    def __enter__(self) -> Self:
        if self._live:
            self._try(self._live.start)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._gone = False  # what the view has changed is undone even so
            self._try(self._live.stop)

    def now(self, now: Now) -> None:
        """The run has come so far."""
        since = self._rate_since
        if since is None:
            self._rate_since = now
        elif now.at_s - since.at_s >= _RATE_OVER_S:
            self._rate = (now.dispatched - since.dispatched) / (now.at_s - since.at_s)
            self._rate_since = now
        self._now = now
        self._show()

    def verdicts(self, verdicts: Mapping[str, Mapping[str, int]]) -> None:
        """By target, as far as each response alone decides."""
        self._verdicts = verdicts
        self._show()

    def stopping(self) -> None:
        """The user has asked for the end."""
        self._stopping = True
        if not self._live:
            self._print(_STOPPING)
        self._show()

    def _show(self) -> None:
        if live := self._live:
            self._try(lambda: live.update(self._view(), refresh=True))
        else:
            self._say()

    def _print(self, line: str) -> None:
        self._try(lambda: self._console.print(Text(line), soft_wrap=True))

    def _try(self, show: Callable[[], None]) -> None:
        if not self._gone:
            try:
                show()
            except OSError:
                self._gone = True

    def _say(self) -> None:
        """A line at each new phase, and every few seconds."""
        now = self._now
        if now is None or (now.phase == self._said_phase and now.at_s - self._said_at_s < _LINE_EVERY_S):
            return
        self._said_phase, self._said_at_s = now.phase, now.at_s
        planned = "" if now.planned is None else f" of {now.planned:,}"
        line = (
            f"{now.at_s:6.1f} s  {shown(now.phase)}  {now.dispatched:,}{planned} sent, "
            f"{now.in_flight:,} in flight, {now.errors:,} errors"
        )
        total = sum((Counter(its) for its in self._verdicts.values()), Counter[str]())
        if total:
            line += "; " + ", ".join(
                f"{number:,} {_words(verdict)}" for verdict, number in total.most_common()
            )
        self._print(line)

    def _view(self) -> RenderableType:
        now = self._now
        if now is None:
            return Text("connecting ...", style="dim")
        expected_s = max(now.expected_s, now.at_s)
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(shown(now.phase), style="bold"),
            ProgressBar(total=1.0, completed=_done(now), width=_BAR_WIDTH, complete_style="cyan"),
            Text(
                f"{format_duration(round(now.at_s) * 10**9)} of {format_duration(round(expected_s) * 10**9)}"
            ),
        )
        planned = "" if now.planned is None else f" of {now.planned:,}"
        flow = Text(
            f"{now.dispatched:,}{planned} sent   {now.in_flight:,} in flight   {self._rate:,.0f}/s   "
        )
        flow.append(f"{now.errors:,} errors", style="red" if now.errors else "dim")
        rows = Table.grid(padding=(0, 2))
        for target, its in self._verdicts.items():
            met = "   ".join(f"{_words(verdict)} {number:,}" for verdict, number in its.items() if number)
            rows.add_row(Text(shown(target, 24), style="bold"), Text(met))
        parts: list[RenderableType] = [head, flow, rows]
        if self._stopping:
            parts.append(Text(_STOPPING, style="yellow"))
        return Group(*parts)


def _done(now: Now) -> float:
    """0 to 1: by time, or by what was answered, whichever is further on."""
    by_time = now.at_s / now.expected_s if now.expected_s else 0.0
    by_answers = (now.completed + now.errors) / now.planned if now.planned else 0.0
    return min(max(by_time, by_answers), 1.0)


def _words(verdict: str) -> str:
    return verdict.replace("_", " ")

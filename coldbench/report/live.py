"""The run while it goes: one changing view on a terminal, plain lines elsewhere."""

from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from msgspec import Struct
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from coldbench.report.words import shown

_LINE_EVERY_S = 5.0


class Now(Struct, frozen=True, kw_only=True):
    """Where the run is; instants in seconds of the run."""

    phase: str
    at_s: float
    expected_s: float
    dispatched: int
    planned: int | None
    completed: int
    errors: int
    in_flight: int


class LiveView:
    """Use as a context; feed it, it shows. Leaving it leaves the terminal as it was."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = (
            Live(console=console, transient=True, auto_refresh=False) if console.is_terminal else None
        )
        self._now: Now | None = None
        self._before: Now | None = None
        self._rate = 0.0
        self._verdicts: Mapping[str, Mapping[str, int]] = {}
        self._said_at_s = -_LINE_EVERY_S
        self._said_phase = ""
        self._stopping = False

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def now(self, now: Now) -> None:
        """The run has come so far."""
        before = self._now
        if before and now.at_s > before.at_s:
            self._rate = (now.dispatched - before.dispatched) / (now.at_s - before.at_s)
        self._now = now
        self._show()

    def verdicts(self, verdicts: Mapping[str, Mapping[str, int]]) -> None:
        """By target, as far as each response alone decides."""
        self._verdicts = verdicts
        self._show()

    def stopping(self) -> None:
        """The user has asked for the end."""
        self._stopping = True
        if self._live:
            self._show()
        else:
            self._console.print("stopping: waiting for what is in flight", highlight=False)

    def _show(self) -> None:
        if self._live:
            self._live.update(self._view(), refresh=True)
            return
        now = self._now
        if now and (now.phase != self._said_phase or now.at_s - self._said_at_s >= _LINE_EVERY_S):
            self._said_phase, self._said_at_s = now.phase, now.at_s
            self._console.print(Text(self._line(now)), soft_wrap=True)

    def _line(self, now: Now) -> str:
        planned = "" if now.planned is None else f" of {now.planned:,}"
        total = Counter[str]()
        for its in self._verdicts.values():
            total.update(its)
        met = ", ".join(f"{number:,} {verdict}" for verdict, number in total.most_common() if number)
        return (
            f"{now.at_s:6.1f}s  {shown(now.phase)}  {now.dispatched:,}{planned} sent, "
            f"{now.in_flight:,} in flight, {now.errors:,} errors{f'; {met}' if met else ''}"
        )

    def _view(self) -> RenderableType:
        now = self._now
        if now is None:
            return Text("connecting ...", style="dim")
        done = now.at_s / now.expected_s if now.expected_s else 0.0
        if now.planned:
            done = max(done, (now.completed + now.errors) / now.planned)
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(shown(now.phase), style="bold"),
            ProgressBar(total=1.0, completed=min(done, 1.0), width=30),
            Text(f"{now.at_s:.0f} s of about {max(now.expected_s, now.at_s):.0f} s"),
            Text(f"{now.dispatched:,} sent  {now.in_flight:,} in flight  {self._rate:,.0f}/s"),
            Text(f"{now.errors:,} errors" if now.errors else "", style="red"),
        )
        rows = Table.grid(padding=(0, 2))
        for target, its in self._verdicts.items():
            met = "  ".join(f"{verdict} {number:,}" for verdict, number in its.items() if number)
            rows.add_row(Text(f"  {shown(target, 24)}", style="bold"), Text(met))
        parts: list[RenderableType] = [head, rows]
        if self._stopping:
            parts.append(Text("stopping: waiting for what is in flight (again: at once)", style="yellow"))
        return Group(*parts)

"""What every export needs of a run: its invocations with their verdicts, and its times."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from datetime import UTC, datetime

from coldbench.core.errors import UsageError
from coldbench.core.summary import Run
from coldbench.runs.samples import Judged

# Begins to read them, in the order of `seq`, each time it is called.
Facts = Callable[[], Generator[Judged, None, None]]


def needs(extra: str, library: str) -> UsageError:
    """What to say when a format's library is not there."""
    return UsageError(f"needs {library}", place="--format", hint=f"pip install 'coldbench[{extra}]'")


def epoch_ns(run: Run, instant_ns: int) -> int | None:
    """An instant of the run's clock on the wall clock; None when it is not known where that began."""
    return None if run.zero_epoch_ns is None else run.zero_epoch_ns + instant_ns


def utc(at_ns: int) -> str:
    """ISO 8601 to the microsecond."""
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="microseconds")


def bounds_ns(run: Run) -> tuple[int, int]:
    """When it began and ended, ns since the epoch."""
    began = datetime.fromisoformat(run.started_at)
    ended = datetime.fromisoformat(run.finished_at or run.started_at)
    return int(began.timestamp() * 1e9), int(ended.timestamp() * 1e9)


def each(facts: Facts) -> Iterator[Judged]:
    """All of them; what reads them is closed behind them."""
    with closing(facts()) as its:
        yield from its

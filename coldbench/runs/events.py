"""`events.jsonl`: what a run that goes on for days has done, a line each, as it happened.

Every line is written through to the file at once: a kill loses none but the one being written.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

import msgspec

from coldbench.core.errors import UsageError

EVENTS = "events.jsonl"
T = TypeVar("T", bound=msgspec.Struct)


class EventLog(Generic[T]):
    """Appends events of one type. Use as a context."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError where it cannot be written."""
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY
        self._descriptor = os.open(folder / EVENTS, flags, 0o600)

    def append(self, event: T) -> None:
        """Write one line. Raises OSError when the disk is full."""
        os.write(self._descriptor, msgspec.json.encode(event) + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


def read_events(folder: Path, event_type: type[T]) -> Iterator[T]:
    """Those that are whole: a kill may have cut the last line. Raises UsageError when there are none."""
    try:
        lines = (folder / EVENTS).read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=str(folder / EVENTS)) from error
    decode = msgspec.json.Decoder(event_type).decode
    for line in lines:
        try:
            yield decode(line)
        except msgspec.MsgspecError:
            continue

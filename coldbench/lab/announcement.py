"""How an instance says when its init has ended: `READY <epoch seconds>`, one line into a named pipe.

The pipe's path is in its environment (`COLDBENCH_READY`), as systemd's is in NOTIFY_SOCKET. A function that
does not know of it says nothing, and the platform goes by what it sees. The line is written before the
instance first asks for work, so that whoever has been asked for work can read it at once.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from coldbench.lab.clock import from_seconds

_LONGEST = 256


class Announcement:
    """One instance's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None
        self._said_us: int | None = None

    def listen(self, on_ready: Callable[[], None]) -> None:
        """Make the pipe and call `on_ready` when something was said into it."""
        os.mkfifo(self.path, 0o600)
        self._fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

        def readable() -> None:
            if self.read() is not None:
                on_ready()

        asyncio.get_running_loop().add_reader(self._fd, readable)

    def read(self) -> int | None:
        """When the init has ended, epoch us; None while nothing was said."""
        if self._fd is None:
            return self._said_us
        try:
            word, _, at = os.read(self._fd, _LONGEST).decode("latin-1").strip().partition(" ")
        except BlockingIOError:
            return None
        if word == "READY":
            try:
                self._said_us = from_seconds(at)
            except ValueError:
                pass  # not ours; the platform goes by what it sees
        if word:
            self.close()
        return self._said_us

    def close(self) -> None:
        """Forget the pipe."""
        if self._fd is not None:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = None
            self.path.unlink(missing_ok=True)

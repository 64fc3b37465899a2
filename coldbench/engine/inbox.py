"""What the CLI says on standard input, read as it comes."""

from collections.abc import Callable

import gevent.os
import msgspec

from coldbench.core.crew import Join, Lead
from coldbench.core.messages import FrameReader, Go, Order, Stop

_STDIN = 0
_READ_BYTES = 65536


class Inbox:
    """First what is to be done, then perhaps a stop; the end of input means that the CLI is gone."""

    def __init__(self) -> None:
        self._reader = FrameReader()
        self._waiting: list[bytes] = []

    def assignment(self) -> Order | Lead | Join | None:
        """Wait for it; None when the CLI is gone before it."""
        while not self._waiting:
            if not self._receive():
                return None
        return msgspec.msgpack.decode(self._waiting.pop(0), type=Order | Lead | Join)

    def listen(
        self, stop: Callable[[], None], gone: Callable[[], None], go: Callable[[], None] | None = None
    ) -> None:
        """Greenlet: call `stop` for each stop, `go` for each go, and `gone` when the CLI is."""
        # A stop may have come with that.
        while self._waiting or self._receive():
            for payload in self._waiting:
                match msgspec.msgpack.decode(payload, type=Stop | Go):
                    case Stop():
                        stop()
                    case Go() if go is not None:
                        go()
            self._waiting.clear()
        gone()

    def _receive(self) -> bool:
        data = gevent.os.tp_read(_STDIN, _READ_BYTES)
        self._waiting.extend(self._reader.feed(data))
        return bool(data)

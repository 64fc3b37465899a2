"""Facts on their way out of the engine: gathered, framed, written without ever blocking the hub."""

import fcntl
import os
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic_ns
from typing import Any, Protocol

import gevent
from msgspec import msgpack

from coldbench.core.messages import LENGTH, RawFact
from coldbench.engine.arrival import WallClock

# A `RawFact` (and a batch a `Batch`) as a tuple in its order: that costs a fifth of making one.
Fact = tuple[Any, ...]

_END, _ERROR = (RawFact.__struct_fields__.index(name) for name in ("end_ns", "error"))
_MOST_IN_FRAME = 256  # small enough to stay in a core's cache while it is read
# Framed sooner than they are shipped, facts are still in the cache: that is worth 4 % of a busy core. Shipped
# as often, they would wake the reader too often.
_MANY = 64
_PIPE_BYTES = 1 << 20
# A reader that is this far behind holds the load back: late and bounded rather than prompt until memory ends.
MOST_PENDING_BYTES = 128 << 20
_LOOK_S = 0.005
_F_SETPIPE_SZ = 1031  # Linux; other systems keep their pipe as it is
_WRITE = 2


class Sink(Protocol):
    """Where facts go, in frames: to the writer, or to the master of several workers."""

    @property
    def idle(self) -> bool:
        """Whether everything has been taken."""

    @property
    def behind(self) -> bool:
        """Whether so much has not been taken yet that the load has to wait, until half of it has."""

    @property
    def broken(self) -> bool:
        """Whether nobody takes anything any more."""

    def write(self, data: bytes) -> None:
        """Take whole frames; does not block."""


class Pipe:
    """The writing end of a pipe that takes bytes at the reader's pace and keeps what it does not take."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        os.set_blocking(fd, False)
        try:
            fcntl.fcntl(fd, _F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError:
            pass  # not a pipe, or not Linux: only slower
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self.behind = False
        self._writer = gevent.get_hub().loop.io(fd, _WRITE)
        self.broken = False

    @property
    def idle(self) -> bool:
        """Whether everything has been taken."""
        return not self._pending

    def write(self, data: bytes) -> None:
        """Write as much as goes at once, the rest when the reader is ready for it."""
        if not self._pending:
            self._push(data)
            return
        self._pending.append(data)
        self._pending_bytes += len(data)
        self.behind = self.behind or self._pending_bytes > MOST_PENDING_BYTES

    def flush(self) -> None:
        """Write what is left now, however long the reader takes; nothing else runs meanwhile."""
        os.set_blocking(self.fd, True)
        while self._pending:
            self._drain()
        os.set_blocking(self.fd, False)

    def _push(self, data: bytes) -> None:
        try:
            written = os.write(self.fd, data)
        except BlockingIOError:
            written = 0
        except BrokenPipeError:
            self.broken, self.behind = True, False
            self._pending.clear()
            self._pending_bytes = 0
            return
        if written < len(data):
            self._pending.appendleft(data[written:])
            self._pending_bytes += len(data) - written
            if not self._writer.active:
                self._writer.start(self._drain)

    def _drain(self) -> None:
        self._writer.stop()
        while self._pending:
            before = len(self._pending)
            data = self._pending.popleft()
            self._pending_bytes -= len(data)
            self._push(data)
            if self._pending_bytes <= MOST_PENDING_BYTES // 2:
                self.behind = False
            if len(self._pending) >= before:
                return


class Observer(Protocol):
    """Who is told of the facts, in the process that measures."""

    def take(self, facts: Sequence[Fact]) -> None:
        """Some of them have been framed."""

    def publish(self) -> None:
        """Those that it has taken have been shipped."""


class Outbox:
    """Counts and ships facts. `zero_ns` is the monotonic instant at which the run's clock began.

    `put` takes the fact of one invocation; it leaves with the next `flush`, which comes with each tick.
    """

    def __init__(self, sink: Sink, *, worker: int) -> None:
        self._sink = sink
        self._worker = worker
        self._batch: list[Fact] = []
        # The list's own, which is why the list stays the same one: a function around it would be a hundredth
        # of an invocation's cost.
        self.put: Callable[[Fact], None] = self._batch.append
        self.held_ns = 0  # how long the load had to wait for the reader
        self._holders, self._held_since_ns = 0, 0
        self._encode = msgpack.Encoder().encode
        self._wall_clock = WallClock()
        self._frames: list[bytes] = []
        self.observer: Observer | None = None
        self.zero_ns = 0
        self.dispatched = 0
        # of what has been framed
        self._framed = self.completed = self.errors = 0
        self.connections_opened = 0

    @property
    def in_flight(self) -> int:
        """Invocations that were dispatched and have not left their fact yet."""
        return self.dispatched - self._framed - len(self._batch)

    def flush(self) -> None:
        """Ship what has gathered."""
        self._frame()
        if self._frames:
            self._sink.write(b"".join(self._frames))
            self._frames.clear()
            if self.observer is not None:
                self.observer.publish()

    def frame_many(self) -> None:
        """Frame what has gathered if it is much: for loads that make facts far faster than ticks come."""
        if len(self._batch) >= _MANY:
            self._frame()

    def _frame(self) -> None:
        if not self._batch:
            return
        ahead_ns, since_ns = self._wall_clock.look()
        batch = self._batch.copy()
        self._batch.clear()
        failed = sum([fact[_ERROR] is not None for fact in batch])
        ended = sum([fact[_END] is not None for fact in batch])  # all that failed have
        self._framed += len(batch)
        self.errors += failed
        self.completed += ended - failed
        for start in range(0, len(batch), _MOST_IN_FRAME):
            part = batch[start : start + _MOST_IN_FRAME]
            payload = self._encode((self._worker, self.zero_ns, ahead_ns, since_ns, part))
            self._frames += LENGTH.pack(len(payload)), payload
        if self.observer is not None:
            self.observer.take(batch)

    def drain(self) -> None:
        """Ship everything and wait until the reader has taken it, or is gone."""
        self.flush()
        while not self._sink.idle:
            gevent.sleep(_LOOK_S)

    @property
    def behind(self) -> bool:
        """Whether the reader is so far behind that nothing more shall be dispatched for a while."""
        return self._sink.behind

    def hold(self, stopped: Callable[[], bool]) -> None:
        """Wait while the reader is too far behind, or until `stopped`; several who wait count once."""
        if not self._holders:
            self._held_since_ns = monotonic_ns()
        self._holders += 1
        try:
            while self.behind and not stopped():
                gevent.sleep(_LOOK_S)
        finally:
            self._holders -= 1
            if not self._holders:
                self.held_ns += monotonic_ns() - self._held_since_ns

    @property
    def reader_gone(self) -> bool:
        """Whether nobody takes the facts any more."""
        return self._sink.broken

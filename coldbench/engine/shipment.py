"""Facts on their way from a worker to the master: numbered, kept until they are taken, sent again if not."""

from collections import deque
from collections.abc import Callable
from time import monotonic_ns

from coldbench.core.crew import Facts
from coldbench.engine.outbox import MOST_PENDING_BYTES

# So many batches may be under way: ZeroMQ drops or refuses what is beyond its own high-water mark.
_WINDOW = 64
_AGAIN_NS = 2_000_000_000


class Shipment:
    """A `Sink` (engine.outbox): frames go out as Facts, in order, and again when none is taken for long."""

    def __init__(self, send: Callable[[Facts], None]) -> None:
        self._send = send
        self._kept: deque[Facts] = deque()  # not taken yet, oldest first
        self._kept_bytes = 0
        self._under_way = 0  # of those kept, how many have been sent
        self._moved_ns = monotonic_ns()
        self.batches = 0
        self.behind = self.broken = False

    @property
    def idle(self) -> bool:
        """Whether everything has been taken."""
        return not self._kept or self.broken

    def write(self, data: bytes) -> None:
        """Take whole frames."""
        self._kept.append(Facts(number=self.batches, frame=data))
        self._kept_bytes += len(data)
        self.behind = self.behind or self._kept_bytes > MOST_PENDING_BYTES
        self.batches += 1
        self._fill()

    def taken(self, number: int) -> None:
        """The master has all batches below that number."""
        while self._kept and self._kept[0].number < number:
            self._kept_bytes -= len(self._kept.popleft().frame)
            self._under_way = max(0, self._under_way - 1)
            self._moved_ns = monotonic_ns()
        if self._kept_bytes <= MOST_PENDING_BYTES // 2:
            self.behind = False
        self._fill()

    def look(self) -> None:
        """Called now and then: send again what has been under way for too long."""
        if self._under_way and monotonic_ns() - self._moved_ns > _AGAIN_NS:
            self._under_way = 0
            self._fill()

    def _fill(self) -> None:
        while self._under_way < min(_WINDOW, len(self._kept)):
            self._send(self._kept[self._under_way])
            self._under_way += 1
            self._moved_ns = monotonic_ns()

"""Waiting for an instant more exactly than the hub's timers do (they round to milliseconds)."""

from time import monotonic_ns

import gevent
from gevent.event import Event

_SPIN_NS = 1_500_000
_TURN_NS = 20_000  # a turn of the hub that did nothing but look takes less


class Pacer:
    """Waits, and keeps count of the CPU it burns in waiting so that this is not taken for load."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self.spun_ns = 0

    def until(self, instant_ns: int) -> bool:
        """Wait for a monotonic instant; False when the run is stopped before it."""
        while (left := instant_ns - (now := monotonic_ns())) > 0:
            if left > _SPIN_NS:
                self._stop.wait((left - _SPIN_NS) / 1e9)
            else:
                gevent.sleep(0)
                turn = monotonic_ns() - now
                if turn < _TURN_NS:
                    self.spun_ns += turn
            if self._stop.is_set():
                return False
        return not self._stop.is_set()

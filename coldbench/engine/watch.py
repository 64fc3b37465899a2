"""The generator watches itself: its own CPU."""

import time

from coldbench.engine.pacing import Pacer

_SAMPLE_NS = 1_000_000_000


class Watch:
    """CPU in per cent of one core, sampled each second; time spent spinning for an instant is not load."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._at_ns = time.monotonic_ns()
        self._used_ns = self._busy_ns()
        self.cpu_pct_max: float | None = None  # until there is a sample

    def look(self) -> None:
        """Called regularly, some times a second."""
        now = time.monotonic_ns()
        if now - self._at_ns < _SAMPLE_NS:
            return
        used = self._busy_ns()
        cpu_pct = 100.0 * (used - self._used_ns) / (now - self._at_ns)
        self.cpu_pct_max = max(self.cpu_pct_max or 0.0, cpu_pct)
        self._at_ns, self._used_ns = now, used

    def _busy_ns(self) -> int:
        return time.process_time_ns() - self._pacer.spun_ns

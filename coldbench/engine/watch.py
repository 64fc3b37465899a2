"""The generator watches itself: its own CPU, and how late its hub runs."""

import time

from coldbench.engine.pacing import Pacer

_SAMPLE_NS = 1_000_000_000


class Watch:
    """CPU in per cent of one core, sampled each second; time spent spinning for an instant is not load."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._at_ns = time.monotonic_ns()
        self._used_ns = self._busy_ns()
        self.cpu_pct = 0.0
        self.cpu_pct_max: float | None = None  # until there is a sample
        self.hub_lag_max_ns = 0

    def look(self, due_ns: int) -> None:
        """Called regularly; `due_ns` is when this call was due on the monotonic clock."""
        now = time.monotonic_ns()
        self.hub_lag_max_ns = max(self.hub_lag_max_ns, now - due_ns)
        if now - self._at_ns < _SAMPLE_NS:
            return
        used = self._busy_ns()
        self.cpu_pct = max(0.0, 100.0 * (used - self._used_ns) / (now - self._at_ns))
        self.cpu_pct_max = max(self.cpu_pct_max or 0.0, self.cpu_pct)
        self._at_ns, self._used_ns = now, used

    def _busy_ns(self) -> int:
        return time.process_time_ns() - self._pacer.spun_ns

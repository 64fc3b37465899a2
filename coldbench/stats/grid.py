"""Execution times on a grid of 100 ms: reported so, or really so?"""

from coldbench.stats.distribution import Distribution

_STEP_MS = 100.0
_NEAR_MS = 0.5
_ENOUGH = 5


class ExecutionGrid:
    """Looks at one reported execution time after the other, until one is off the grid."""

    def __init__(self) -> None:
        self._all_on_grid = True
        self._number = 0
        self._least_excess_ms = float("inf")
        self._waits = Distribution()

    def add(self, exec_ms: float, wait_ms: float) -> None:
        """One reported execution, and how long its caller waited, less the round trip."""
        off = abs(exec_ms - round(exec_ms / _STEP_MS) * _STEP_MS)
        if not self._all_on_grid or exec_ms <= _STEP_MS / 2 or off > _NEAR_MS:
            self._all_on_grid = False
            return
        self._number += 1
        # The shortest wait that goes with each figure: queues and starts only lengthen it.
        self._least_excess_ms = min(self._least_excess_ms, wait_ms - exec_ms)
        self._waits.add(wait_ms)

    def note(self) -> str | None:
        """What the grid means, when all times are on it and there are enough of them."""
        waits = self._waits.quantiles()
        if not self._all_on_grid or self._number < _ENOUGH or waits is None:
            return None
        if self._least_excess_ms < -_STEP_MS / 10:
            return (
                "execution times are multiples of 100 ms: the platform reports billed, not measured, time; "
                f"callers waited {waits.p50:.0f} ms"
            )
        return (
            "execution times are multiples of 100 ms and callers waited for them: a CPU quota enforced in "
            "periods of 100 ms does that; give the function more CPU and compare"
        )

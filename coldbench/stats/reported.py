"""Times as a platform reports them, against what callers waited: are they measured, rounded or billed?"""

from collections.abc import Iterator

from coldbench.stats.distribution import Distribution
from coldbench.stats.granularity import StepTally

_GRID_MS = 100.0
_NEAR_MS = 0.5
# Four of a hundred places each: by chance once in a hundred million.
_ENOUGH = 4
# Whole ms matter to executions shorter than this, and only those are noted.
_SHORT_MS = 20.0


class ReportedTimes:
    """Looks at one invocation's reported times after the other."""

    def __init__(self) -> None:
        self._grid = _Grid()
        self._billed = Distribution()
        self._exec = Distribution()
        self._exec_step, self._billed_step = StepTally(), StepTally()
        self._longer_than_wait = 0

    def add(self, exec_ms: float | None, billed_ms: float | None, wait_ms: float) -> None:
        """One invocation's, and how long its caller waited, less the round trip."""
        if billed_ms:
            self._billed.add(billed_ms)
            self._billed_step.add(billed_ms)
        if exec_ms:
            self._exec.add(exec_ms)
            self._exec_step.add(exec_ms)
            self._grid.add(exec_ms, wait_ms)
            self._longer_than_wait += exec_ms > wait_ms

    def notes(self) -> Iterator[str]:
        """What the steps of the figures mean, where there are enough of them to tell."""
        grid = self._grid.note()
        if grid is not None:
            yield grid
        executions, billed = self._exec.quantiles(), self._billed.quantiles()
        if grid is None and executions is not None and executions.p50 is not None:
            step, short = self._exec_step.step_ms, executions.p50 < _SHORT_MS
            if step is not None and step >= 1 and short:
                how = "rounded up to" if self._longer_than_wait else "told in"
                yield (
                    f"execution times are {how} steps of {step:g} ms: of executions as short as these "
                    f"(median {executions.p50:g} ms) that is a large part; a finer figure needs the shim"
                )
        if billed is None or billed.p50 is None:
            return
        exec_ms = None if executions is None else executions.p50
        step = self._billing_step_ms(None if exec_ms is None else billed.p50 - exec_ms)
        if step is not None:
            of = "" if exec_ms is None else f" of {exec_ms:.1f} ms"
            yield (
                f"time is billed in steps of {step:g} ms: the median execution{of} is billed as "
                f"{billed.p50:.0f} ms, which says nothing of how long it took"
            )

    def _billing_step_ms(self, padded_ms: float | None) -> float | None:
        """One billed time alone tells its step where, in the next finer one, it would have been shorter.

        `padded_ms` is by how much the median is longer than that of the executions.
        """
        coarsest = self._billed_step.coarsest_ms
        if coarsest is not None and padded_ms is not None and padded_ms >= coarsest / 10:
            return coarsest
        return self._billed_step.step_ms


class _Grid:
    """Execution times on a grid of 100 ms: reported so, or really so?"""

    def __init__(self) -> None:
        self._all_on_grid = True
        self._number = 0
        self._least_excess_ms = float("inf")
        self._waits = Distribution()

    def add(self, exec_ms: float, wait_ms: float) -> None:
        off = abs(exec_ms - round(exec_ms / _GRID_MS) * _GRID_MS)
        if not self._all_on_grid or exec_ms <= _GRID_MS / 2 or off > _NEAR_MS:
            self._all_on_grid = False
            return
        self._number += 1
        # The shortest wait that goes with each figure: queues and starts only lengthen it.
        self._least_excess_ms = min(self._least_excess_ms, wait_ms - exec_ms)
        self._waits.add(wait_ms)

    def note(self) -> str | None:
        waits = self._waits.quantiles()
        if not self._all_on_grid or self._number < _ENOUGH or waits is None:
            return None
        if self._least_excess_ms < -_GRID_MS / 10:
            return (
                "execution times are multiples of 100 ms: the platform reports billed, not measured, time; "
                f"callers waited {waits.mean:.0f} ms on average"
            )
        return (
            "execution times are multiples of 100 ms and callers waited for them: a CPU quota enforced in "
            "periods of 100 ms does that; give the function more CPU and compare"
        )

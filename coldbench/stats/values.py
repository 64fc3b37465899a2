"""Values with the block that each was met in (`core.blocks`): what intervals resample."""

from collections import defaultdict
from typing import NamedTuple

from coldbench.core.sample import SystematicSample
from coldbench.stats.distribution import Distribution

# At most so many are resampled for an interval.
_MOST_RESAMPLED = 1 << 14


class _InBlock(NamedTuple):
    block: int
    value_ms: float


class BlockSample:
    """A bounded sample of values, by block."""

    def __init__(self) -> None:
        self._kept = SystematicSample[_InBlock](_MOST_RESAMPLED)

    def add(self, value_ms: float, block: int) -> None:
        """One more."""
        self._kept.add(_InBlock(block, value_ms))

    def by_block(self) -> dict[int, list[float]]:
        """Those that were kept."""
        blocks: defaultdict[int, list[float]] = defaultdict(list)
        for block, value_ms in self._kept:
            blocks[block].append(value_ms)
        return blocks


class Values:
    """All values as a distribution, and a sample of them."""

    def __init__(self) -> None:
        self.all, self.sample = Distribution(), BlockSample()

    def add(self, value_ms: float | None, block: int) -> None:
        """One more; None is not observed and changes nothing."""
        if value_ms is not None:
            self.all.add(value_ms)
            self.sample.add(value_ms, block)

    def cut_off(self, block: int) -> None:
        """One more whose value is known only to be longer than the others: it is in the sample, as +inf."""
        self.sample.add(float("inf"), block)

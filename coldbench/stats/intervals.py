"""Estimates with intervals that do not pretend to more independence than a run has."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING

from coldbench.core.summary import Interval

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Floats = NDArray[float64]

# Values in ms by the block they were met in (`core.blocks`).
ByBlock = Mapping[int, Sequence[float]]
# Of the values of each side.
Statistic = Callable[[Sequence["Floats"]], float]

_FEWEST = 5  # values on each side for a median
_FEWEST_BLOCKS = 3  # for an interval
_RESAMPLES = 600
# From so many on the truth lies beyond all of them, on one side, in less than one run of a hundred (2 / 2^8).
_ENOUGH_BLOCKS = 8


def difference_of_medians(first: ByBlock, second: ByBlock, seed: int) -> Interval | None:
    """Median of `first` minus median of `second`, of one run, with a 95 % interval; see `estimate`."""

    def statistic(sides: Sequence["Floats"]) -> float:
        import numpy as np

        return float(np.median(sides[0]) - np.median(sides[1]))

    return estimate(statistic, [first, second], seed, together=True)


def estimate(
    statistic: Statistic, sides: Sequence[ByBlock], seed: int, *, together: bool, fewest: int = _FEWEST
) -> Interval | None:
    """The statistic of all values of each side, with a 95 % interval.

    Blocks are resampled, not values: a hundred cold starts of one burst share what happened in that burst
    (cluster bootstrap: Davison and Hinkley, Bootstrap Methods, 1997, 3.8; Field and Welsh 2007). `together`:
    the sides are of one run, and a block is drawn with all its sides. Blocks are few, so that the standard
    error of the resampled statistic is taken times Student's t of one degree less than there are of them, and
    times sqrt(b / (b - 1)) (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015, 3.2 and 4.2;
    Cameron, Gelbach and Miller 2008); with blocks enough it does not reach beyond what was resampled.

    None with fewer than `fewest` values on a side; no bounds with fewer than 3 blocks, of each side or, where
    they are drawn together, that have all sides; nor where the statistic may be no finite number, as of
    values that were cut off.
    """
    import numpy as np
    from scipy.stats import t

    if min(sum(map(len, side.values())) for side in sides) < fewest:
        return None
    arrays = [{key: np.asarray(its, dtype=float) for key, its in side.items() if its} for side in sides]

    def of(drawn: Sequence[Sequence[int]]) -> float | None:
        pooled = [
            [side[key] for key in keys if key in side] for side, keys in zip(arrays, drawn, strict=True)
        ]
        return statistic([np.concatenate(its) for its in pooled]) if all(pooled) else None

    keys = [sorted(side) for side in arrays]
    value = of(keys)
    assert value is not None
    if together:
        every = sorted(set().union(*keys))
        blocks = len(set(every).intersection(*keys))
    else:
        blocks = min(map(len, keys))
    if blocks < _FEWEST_BLOCKS or not isfinite(value):
        return Interval(value=value)
    random = np.random.default_rng(seed)

    def draw(among: Sequence[int]) -> list[int]:
        return [among[place] for place in random.integers(len(among), size=len(among))]

    drawn = (
        [draw(every)] * len(keys) if together else [draw(its) for its in keys] for _ in range(_RESAMPLES)
    )
    resampled = [found for its in drawn if (found := of(its)) is not None]
    if not all(map(isfinite, resampled)):
        return Interval(value=value)
    error = np.std(resampled, ddof=1)
    reach = float(t.ppf(0.975, blocks - 1) * np.sqrt(blocks / (blocks - 1)) * error)
    low, high = value - reach, value + reach
    if blocks >= _ENOUGH_BLOCKS:
        # A single round that is unlike the others widens the error to where no resample comes.
        low, high = max(low, min(resampled)), min(high, max(resampled))
    return Interval(value=value, low=low, high=high)

"""Quantiles of samples of which some values were cut off (timeouts): they stand as +inf, above all others.

Such a quantile may be +inf itself, and a difference of two then is no number. What can still be told is
whether one side's quantile is beyond a limit: it is when more of its values are than may be.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from coldbench.core.summary import Interval
from coldbench.stats.intervals import ByBlock, estimate

if TYPE_CHECKING:
    from coldbench.stats.intervals import Floats


def quantile(values: "Floats", part: float) -> float:
    """By linear interpolation (numpy's default); +inf where it depends on what was cut off."""
    import numpy as np

    position = part * (len(values) - 1)
    below = int(position)
    above = below if position == below else below + 1
    ordered = np.partition(values, (below, above))
    low, high = float(ordered[below]), float(ordered[above])
    if above == below or high == float("inf"):
        return high
    return low + (position - below) * (high - low)


def share_beyond(
    part: float,
    limit: Callable[[float], float],
    one: ByBlock,
    reference: ByBlock,
    seed: int,
    *,
    together: bool,
) -> Interval | None:
    """The share of one side's values beyond `limit` of the reference's quantile, less the share that may be.

    Above 0 the side's own quantile is beyond that limit, wherever the values that were cut off lie. Without
    bounds where the reference's quantile may depend on such values; see `estimate`.
    """

    def statistic(sides: Sequence["Floats"]) -> float:
        most = quantile(sides[1], part)
        return float("nan") if most == float("inf") else float((sides[0] > limit(most)).mean()) - (1 - part)

    return estimate(statistic, [one, reference], seed, together=together)

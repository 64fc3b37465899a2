"""Durations as they come, in memory that does not grow with their number."""

from array import array

from coldbench.core.summary import Quantiles
from coldbench.stats.quantiles import quantiles, quantiles_of_ranks

# So many are kept as they are; more are counted in buckets.
_EXACT = 1 << 17
# Buckets of equal width on the log scale, as HdrHistogram and DDSketch have them (Masson, Rim and Lee,
# "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", 2019).
_LEAST_MS, _GREATEST_MS, _RELATIVE_WIDTH = 1e-3, 1e8, 1e-3


class Distribution:
    """Of durations in ms: exact up to some hundred thousand, then quantiles to 0.05 % of themselves.

    Count, minimum, maximum and mean are exact always.
    """

    def __init__(self) -> None:
        self._new = array("d")
        self._buckets: _Buckets | None = None

    def add(self, value_ms: float | None) -> None:
        """One more; None is not observed and changes nothing."""
        if value_ms is None:
            return
        self._new.append(value_ms)
        if len(self._new) >= _EXACT:
            self._buckets = self._buckets or _Buckets()
            self._buckets.add(self._new)
            self._new = array("d")

    def ranks(self, value_ms: float) -> tuple[int, int, int]:
        """How many are less than that, how many are not greater, and how many there are.

        In buckets all of its own bucket are neither less nor greater.
        """
        import numpy as np

        self._settle()
        if self._buckets is not None:
            return self._buckets.ranks(value_ms)
        values = np.frombuffer(self._new) if self._new else np.empty(0)
        return int((values < value_ms).sum()), int((values <= value_ms).sum()), len(values)

    def quantiles(self, censored: int = 0) -> Quantiles | None:
        """As `stats.quantiles.quantiles` has them; None when there are none."""
        self._settle()
        return quantiles(self._new, censored) if self._buckets is None else self._buckets.quantiles(censored)

    def _settle(self) -> None:
        if self._buckets is not None and self._new:
            self._buckets.add(self._new)
            self._new = array("d")


class _Buckets:
    def __init__(self) -> None:
        import numpy as np

        steps = int(np.log(_GREATEST_MS / _LEAST_MS) / _RELATIVE_WIDTH)
        self._edges = np.concatenate([[0.0], np.geomspace(_LEAST_MS, _GREATEST_MS, steps), [np.inf]])
        self._counts = np.zeros(len(self._edges) - 1, dtype=np.int64)
        self._least, self._greatest, self._sum = float("inf"), 0.0, 0.0

    def add(self, values_ms: "array[float]") -> None:
        import numpy as np

        values = np.frombuffer(values_ms)
        self._counts += np.histogram(values, self._edges)[0]
        self._least = min(self._least, float(values.min()))
        self._greatest = max(self._greatest, float(values.max()))
        self._sum += float(values.sum())

    def ranks(self, value_ms: float) -> tuple[int, int, int]:
        import numpy as np

        bucket = int(np.searchsorted(self._edges, value_ms, side="right")) - 1
        below = int(self._counts[: max(bucket, 0)].sum())
        return below, below + int(self._counts[bucket]), int(self._counts.sum())

    def quantiles(self, censored: int) -> Quantiles | None:
        import numpy as np

        up_to = np.cumsum(self._counts)
        known = int(up_to[-1])

        def at_rank(rank: int) -> float:
            bucket = int(np.searchsorted(up_to, rank, side="right"))
            low, high = (
                np.clip(self._edges[place], self._least, self._greatest) for place in (bucket, bucket + 1)
            )
            within = (rank - (up_to[bucket] - self._counts[bucket]) + 0.5) / self._counts[bucket]
            return float(low + within * (high - low))

        return quantiles_of_ranks(
            at_rank, known, censored, least=self._least, greatest=self._greatest, mean=self._sum / known
        )

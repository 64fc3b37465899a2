"""Quantiles of durations, withheld where the sample is too small to carry them."""

from collections.abc import Callable, Sequence

from coldbench.core.summary import Quantiles

# A quantile p needs this many observations expected above it; the median this many in all.
_ENOUGH = 5


def quantiles(values_ms: Sequence[float], censored: int = 0) -> Quantiles | None:
    """Of durations in ms; None when there are none.

    `censored` counts further observations that were cut off and known only to be longer than they were
    seen to be (timeouts). They stand above all others: a quantile that depends on where they lie is
    None, and so are the maximum and the mean.
    """
    import numpy as np

    known = np.sort(np.asarray(values_ms, dtype=float))
    if not len(known):
        return Quantiles(n=censored) if censored else None
    return quantiles_of_ranks(
        lambda rank: float(known[rank]),
        len(known),
        censored,
        least=float(known[0]),
        greatest=float(known[-1]),
        mean=float(known.mean()),
    )


def quantiles_of_ranks(
    at_rank: Callable[[int], float], known: int, censored: int, *, least: float, greatest: float, mean: float
) -> Quantiles:
    """Of `known` durations in ms by their rank (from 0, ascending), and `censored` ones above them.

    A quantile p is None unless n(1-p) >= 5, or p = 0.5 with n >= 5. Linear interpolation between order
    statistics (type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996), numpy's default.
    """
    n = known + censored

    def at(p: float) -> float | None:
        if n * (1 - p) < _ENOUGH - 1e-9 and not (p == 0.5 and n >= _ENOUGH):
            return None
        position = p * (n - 1)
        below, above = int(position), min(int(position) + 1, n - 1)
        if (above if position > below else below) >= known:
            return None
        part, value = position - below, at_rank(below)
        return value if part == 0 else value + part * (at_rank(above) - value)

    return Quantiles(
        n=n,
        min=least,
        p50=at(0.5),
        p90=at(0.9),
        p95=at(0.95),
        p99=at(0.99),
        max=None if censored else greatest,
        mean=None if censored else mean,
    )

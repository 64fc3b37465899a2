"""Estimates with intervals that do not pretend to more independence than a run has."""

from collections.abc import Mapping, Sequence

from coldbench.core.summary import Interval

_FEWEST = 5  # invocations on either side for a median
_FEWEST_ROUNDS = 3  # for an interval
_RESAMPLES = 2000


def difference_of_medians(
    first: Mapping[int, Sequence[float]], second: Mapping[int, Sequence[float]], seed: int
) -> Interval | None:
    """Median of `first` minus median of `second`, both by round, with a 95 % percentile interval.

    Rounds are resampled, not invocations: a hundred cold starts of one burst share what happened in that
    burst (cluster bootstrap: Davison and Hinkley, Bootstrap Methods, 1997, 3.8; Field and Welsh 2007). A
    round is drawn with both its sides. None with fewer than 5 values on a side; no bounds with fewer than
    3 rounds that have both.
    """
    import numpy as np

    def pooled(sides: Mapping[int, Sequence[float]], rounds: Sequence[int]) -> list[float]:
        return [value for key in rounds for value in sides.get(key, ())]

    rounds = sorted(first.keys() | second.keys())
    whole = pooled(first, rounds), pooled(second, rounds)
    if min(map(len, whole)) < _FEWEST:
        return None
    value = float(np.median(whole[0]) - np.median(whole[1]))
    if sum(bool(first.get(key)) and bool(second.get(key)) for key in rounds) < _FEWEST_ROUNDS:
        return Interval(value=value)
    random = np.random.default_rng(seed)
    differences = []
    for _ in range(_RESAMPLES):
        drawn = [rounds[place] for place in random.integers(len(rounds), size=len(rounds))]
        sides = pooled(first, drawn), pooled(second, drawn)
        if all(sides):
            differences.append(np.median(sides[0]) - np.median(sides[1]))
    low, high = np.quantile(differences, [0.025, 0.975])
    return Interval(value=value, low=float(low), high=float(high))

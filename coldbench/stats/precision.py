"""When is an estimate precise enough, and how far is it from there?"""

from math import ceil

from coldbench.core.summary import Interval

# An interval of few rounds is itself too rough to be stopped by.
_FEWEST_ROUNDS = 8


def relative_half_width(interval: Interval | None) -> float | None:
    """Half the width of the 95 % interval as a part of the estimate; None where there is none."""
    if interval is None or interval.low is None or interval.high is None or not interval.value:
        return None
    return (interval.high - interval.low) / 2 / abs(interval.value)


def rounds_needed(done: int, reached: float | None, precision: float) -> int | None:
    """How many rounds in all until the half-width is `precision`; None while nothing tells.

    The width falls with the square root of the number (Chow and Robbins 1965, "On the asymptotic theory of
    fixed-width sequential confidence intervals", who also show that the coverage of an interval at which
    one stops so tends to its nominal one; it is a little lower where few rounds were enough).
    """
    if reached is None:
        return None
    if reached <= precision:
        return max(done, _FEWEST_ROUNDS)
    return max(ceil(done * (reached / precision) ** 2), done + 1, _FEWEST_ROUNDS)

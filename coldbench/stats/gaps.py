"""Which gap to try next: where its outcome tells most about the lifetime.

A fixed ladder spends most of its waiting on gaps whose outcome is known beforehand.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from coldbench.stats.survival import Survival

QUANTILES = (0.1, 0.5, 0.9)
# The median is what most ask for: every second trial is its.
_TURNS = (0.1, 0.5, 0.9, 0.5)
_STEP = 2.0
# Instances that outlive the longest gap so often are not waited for any longer; nor is a gap tried that
# nobody would call idle.
_IN_VAIN = 3
_UNDECIDED_IN_VAIN = 10
_NEARLY = 0.999
_SHORTEST_S = 0.05


class Limits(Struct, frozen=True, kw_only=True):
    """What a search for the lifetime may try, seconds."""

    first_s: float
    most_s: float


def next_gap_s(gaps_s: Sequence[float], cold: Sequence[bool], limits: Limits, random: Any) -> float:
    """The gap to try after those: first doubled (or halved) until the lifetime is enclosed, then drawn from
    what is known of one of the quantiles. `random` is numpy's generator: order and jitter are its.
    """
    if not any(cold):
        return min(limits.most_s, _STEP * max(gaps_s, default=limits.first_s / _STEP))
    if all(cold):
        return min(gaps_s) / _STEP
    p = _TURNS[int(random.integers(len(_TURNS)))]
    [drawn] = Survival(gaps_s, cold).posterior(p, [float(random.uniform())])
    return min(max(drawn, min(gaps_s) / _STEP), _STEP * max(gaps_s), limits.most_s)


def in_vain(gaps_s: Sequence[float], limits: Limits, *, decided: bool) -> bool:
    """Whether so many of the longest gap brought no cold call that more trials are in vain; a latency model
    that has decided nothing yet needs more of them."""
    longest = sum(gap >= _NEARLY * limits.most_s for gap in gaps_s)
    return longest >= (_IN_VAIN if decided else _UNDECIDED_IN_VAIN)


def enough(gaps_s: Sequence[float], cold: Sequence[bool], limits: Limits, precision: float) -> bool:
    """Whether the median's interval is within that part of it to either side, on average; or whether the
    lifetime is so clearly outside of what may be tried that more trials are in vain."""
    if not any(cold):
        return in_vain(gaps_s, limits, decided=True)
    if all(cold):
        return min(gaps_s) < _SHORTEST_S
    median = Survival(gaps_s, cold).quantile(0.5)
    if median is None or median.low is None or median.high is None:
        return False
    return (median.high - median.low) / 2 <= precision * median.value

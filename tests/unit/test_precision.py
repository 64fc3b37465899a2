"""When a probe is precise enough."""

import pytest

from coldbench.core.summary import Interval
from coldbench.stats.precision import relative_half_width, rounds_needed


@pytest.mark.parametrize(
    ("interval", "part"),
    [
        (None, None),
        (Interval(value=10.0), None),
        (Interval(value=0.0, low=-1.0, high=1.0), None),
        (Interval(value=100.0, low=90.0, high=110.0), 0.1),
        (Interval(value=-100.0, low=-110.0, high=-90.0), 0.1),
    ],
)
def test_the_half_width_is_a_part_of_the_estimate(interval: Interval | None, part: float | None) -> None:
    assert relative_half_width(interval) == part


@pytest.mark.parametrize(
    ("done", "reached", "needed"),
    [
        (5, None, None),  # nothing tells
        (5, 0.04, 8),  # precise, but of too few rounds to believe it
        (10, 0.05, 10),  # enough
        (10, 0.10, 40),  # half the width takes four times the rounds
        (10, 0.0501, 11),  # never the rounds there are already
    ],
)
def test_the_width_falls_with_the_square_root(done: int, reached: float | None, needed: int | None) -> None:
    assert rounds_needed(done, reached, 0.05) == needed

"""How finely a platform tells time."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.stats.granularity import clock_offset_s, step_ms


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([100.0, 200.0, 300.0], 100.0),
        ([100.0, 200.0, 110.0], 10.0),
        ([100.0, 200.0, 100.0], None),  # too few different ones
        ([10.0] * 6, None),
        ([3.0, 1.0, 2.0, 7.0], 1.0),
        ([1.5, 2.25, 3.0], 0.01),
        ([0.123456, 0.5, 0.25], None),  # finer than anything here
        ([100.0, 200.0], None),  # too few
        ([0.0, 0.0, 0.0, 100.0], None),  # zeros tell nothing
    ],
)
def test_the_step_is_the_coarsest_that_fits_all(values: list[float], step: float | None) -> None:
    assert step_ms(values) == step


@given(
    ahead_s=st.floats(-1000, 1000),
    calls=st.lists(st.tuples(st.floats(0, 500), st.floats(0, 1), st.floats(0, 1)), min_size=1),
)
def test_the_servers_clock_lies_between_the_bounds(
    ahead_s: float, calls: list[tuple[float, float, float]]
) -> None:
    answers = []
    for at_s, there_s, back_s in calls:
        sent = 1_700_000_000 + at_s
        read = datetime.fromtimestamp(int(sent + there_s + ahead_s), UTC)
        answers.append((format_datetime(read, usegmt=True), sent, sent + there_s + back_s))
    bounds = clock_offset_s(answers)
    assert bounds is not None
    low, high = bounds
    assert low - 1e-6 <= ahead_s <= high + 1e-6


def test_a_date_that_is_none_bounds_nothing() -> None:
    assert clock_offset_s([]) is None
    assert clock_offset_s([("yesterday", 1.0, 2.0)]) is None

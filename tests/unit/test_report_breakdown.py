"""The bars: what they are made of, and how long they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldbench.core.summary import Interval, Result
from coldbench.report.breakdown import PARTS, Bar, bars, cells
from tests.unit.report_runs import NODE, PYTHON, SILENT, times


def test_the_parts_of_a_cold_call_in_the_order_of_time() -> None:
    (bar,) = bars([PYTHON])
    assert bar.parts == {"network": 0.5, "platform": 6.6, "init": 64.4, "exec": 5.1}
    assert bar.wait_ms == 76.9
    assert list(bar.parts) == [part for part in PARTS if part in bar.parts]


def test_no_bar_where_nothing_of_a_start_is_known() -> None:
    assert bars([NODE, SILENT, Result(target="empty")]) == []


@pytest.mark.parametrize(
    ("result", "unattributed"),
    [
        (replace(PYTHON, platform_ms=None, unattributed_ms=times(6.6)), 6.6),
        (replace(PYTHON, platform_ms=None, init_ms=None), 71.3),
        (
            replace(
                PYTHON,
                platform_ms=None,
                init_ms=None,
                startup_ms=None,
                cold_penalty_ms=Interval(value=70.0),
            ),
            70.0,
        ),
    ],
    ids=["what is left of startup", "all of startup", "all that a cold call costs"],
)
def test_what_nobody_is_known_to_have_caused(result: Result, unattributed: float) -> None:
    (bar,) = bars([result])
    assert bar.parts["unattributed"] == unattributed


def test_a_part_below_zero_has_no_length() -> None:
    (bar,) = bars([replace(PYTHON, platform_ms=times(-3.0))])
    assert bar.parts["platform"] == 0.0


parts = st.dictionaries(st.sampled_from(PARTS), st.floats(0, 1e6), min_size=1)


@given(parts, st.integers(10, 200))
def test_the_longest_bar_takes_the_width(of: dict[str, float], width: int) -> None:
    bar = Bar(target="t", parts=of, wait_ms=None)
    taken = dict(cells(bar, bar.total_ms, width))
    assert all(length >= 0 for length in taken.values())
    if bar.total_ms:
        # Parts too small for a character get one all the same.
        assert width <= sum(taken.values()) <= width + len(PARTS)


def test_a_small_part_is_still_seen_and_a_tiny_one_is_not() -> None:
    bar = Bar(target="t", parts={"network": 0.05, "platform": 3.0, "init": 97.0}, wait_ms=100.0)
    assert cells(bar, 100.05, 20) == [("network", 0), ("platform", 1), ("init", 19)]


def test_a_run_that_waited_for_nothing_has_bars_of_no_length() -> None:
    bar = Bar(target="t", parts={"init": 0.0}, wait_ms=0.0)
    assert cells(bar, 0.0, 20) == [("init", 0)]

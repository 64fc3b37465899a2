"""Figures and foreign strings as they are written."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.summary import Interval
from coldbench.report.words import at, count, interval, ms, share, shown
from tests.unit.report_runs import times


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "-"),
        (0.0, "0.00"),
        (0.054, "0.05"),
        (9.994, "9.99"),
        (9.996, "10.0"),
        (71.34, "71.3"),
        (99.94, "99.9"),
        (99.96, "100"),
        (5264.8, "5,265"),
        (-3.5, "-3.50"),
    ],
)
def test_milliseconds(value: float | None, written: str) -> None:
    assert ms(value) == written


def test_a_statistic_is_withheld_or_not_observed() -> None:
    assert at(times(1.5, n=1200), "n") == "1,200"
    assert at(times(1.5), "p99") == "-"
    assert at(None, "p50") == ""


def test_intervals_counts_and_shares() -> None:
    assert interval(Interval(value=2, low=1.0, high=3000.0)) == "[1.00 to 3,000]"
    assert interval(Interval(value=2)) == "[-]"
    assert count(1, "target") == "1 target"
    assert count(1200, "target") == "1,200 targets"
    assert share(1, 360) == "1 of 360 calls (0.3 %)"
    assert share(360, 360) == "360 of 360 calls (100 %)"


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_that_is_shown_can_act_on_a_terminal(text: str) -> None:
    # Categories of Unicode: control, format (bidirectional marks too), surrogate, line, paragraph.
    acting = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not acting & {unicodedata.category(c) for c in shown(text, 10_000)}


def test_a_control_character_is_seen_and_a_long_string_cut() -> None:
    assert shown("a\x1b[31mb\u202ec") == "a\\x1b[31mb\\u202ec"
    assert shown("x" * 300, 10) == "xxxxxxx..."

"""Durations as people write and read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.durations import format_duration, parse_duration
from coldbench.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "duration_ns"),
    [
        ("0s", 0),
        ("250ms", 250_000_000),
        ("30s", 30 * 10**9),
        ("1.5s", 1_500_000_000),
        ("0.000001ms", 1),
        ("5m", 300 * 10**9),
        ("2h", 7200 * 10**9),
        ("0.1s", 100_000_000),
    ],
)
def test_parse(text: str, duration_ns: int) -> None:
    assert parse_duration(text) == duration_ns


@pytest.mark.parametrize(
    "text",
    ["", "30", "s", "-1s", "+1s", "1e3s", "1 s", " 1s", "1s ", "1s\n", ".5s", "1.s", "1d", "٣s", "1234567s"],
)
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected a duration such as"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0s"),
        (1_500_000, "1.5ms"),
        (250_000_000, "250ms"),
        (999_990_000, "1s"),
        (1_500_000_000, "1.5s"),
        (59_960_000_000, "1m"),
        (330 * 10**9, "5m 30s"),
        (7_500 * 10**9, "2h 5m"),
        (3_599_900_000_000, "1h"),
    ],
)
def test_format(duration_ns: int, text: str) -> None:
    assert format_duration(duration_ns) == text


@given(st.integers(0, 999_999), st.sampled_from(["ms", "s", "m", "h"]))
def test_what_is_formatted_reads_back_to_what_is_shown_of_it(number: int, unit: str) -> None:
    duration_ns = parse_duration(f"{number}{unit}")
    read = sum(parse_duration(part) for part in format_duration(duration_ns).split())
    assert abs(read - duration_ns) <= (50_000_000 if duration_ns < 59 * 10**9 else 500_000_000)

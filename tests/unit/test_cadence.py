"""How often instances are pinged, and when."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.cadence import Cadence, Gone, after_round, broken_off, let_go
from coldbench.core.errors import UsageError
from coldbench.core.window import is_open, parse_window


@given(st.floats(3, 3600), st.floats(1, 600))
def test_the_period_settles_below_the_lifetime(lifetime_s: float, first_s: float) -> None:
    cadence = Cadence(period_ns=round(first_s * 1e9))
    evictions = []
    for number in range(200):
        evicted = cadence.period_ns / 1e9 >= lifetime_s
        gone = Gone.MOST if evicted else Gone.NONE
        evictions.append(evicted)
        changed = after_round(cadence, gone=gone, shortest_ns=10**9)
        assert changed is not None, number
        cadence = changed
    # Once in fifty rounds a little more is tried: platforms change their minds.
    assert sum(evictions[-50:]) <= 1
    assert cadence.period_ns / 1e9 > 0.4 * lifetime_s


def test_no_timer_helps_where_instances_are_gone_at_once() -> None:
    cadence = Cadence(period_ns=10**9)
    assert after_round(cadence, gone=Gone.MOST, shortest_ns=10**9) is None


@pytest.mark.parametrize(
    ("silent_s", "period_s", "broken"),
    [(27, 30, False), (31, 30, False), (60, 30, True), (43_200, 30, True), (0.3, 0.1, False), (1, 0.1, True)],
)
def test_a_silence_that_was_not_the_periods_teaches_it_nothing(
    silent_s: float, period_s: float, broken: bool
) -> None:
    """After a closed window all instances were cold, and the period was shortened."""
    assert broken_off(round(silent_s * 1e9), round(period_s * 1e9)) is broken


def test_a_round_with_cold_starts_is_not_clean() -> None:
    """Where lifetimes differ the period grew until half of the instances died in each round."""
    cadence = Cadence(period_ns=30 * 10**9)
    for number in range(50):
        changed = after_round(cadence, gone=Gone.NONE if number % 3 else Gone.FEW, shortest_ns=10**9)
        assert changed is not None
        cadence = changed
    assert cadence.period_ns == 30 * 10**9


def test_a_longer_period_that_lets_some_go_is_given_up() -> None:
    cadence: Cadence | None = Cadence(period_ns=30 * 10**9)
    for _ in range(3):
        assert cadence is not None
        cadence = after_round(cadence, gone=Gone.NONE, shortest_ns=10**9)
    assert cadence is not None
    assert cadence.period_ns == 45 * 10**9
    cadence = after_round(cadence, gone=Gone.FEW, shortest_ns=10**9)
    assert cadence == Cadence(period_ns=30 * 10**9, too_long_ns=45 * 10**9)


@pytest.mark.parametrize(
    ("cold", "slow", "reached", "gone"),
    [
        (0, 0, 5, Gone.NONE),
        (2, 0, 5, Gone.FEW),
        (3, 0, 5, Gone.MOST),
        (0, 5, 5, Gone.NONE),  # they queued: the answers say that none was a first use
        (None, 0, 5, Gone.NONE),
        (None, 2, 5, Gone.FEW),
        (None, 3, 5, Gone.MOST),
        (None, 1, 1, Gone.MOST),
        (1, 0, 10, Gone.FEW),
        (5, 0, 10, Gone.MOST),
    ],
)
def test_a_silence_that_lets_go_lets_go_together(
    cold: int | None, slow: int, reached: int, gone: Gone
) -> None:
    assert let_go(cold, slow, reached) is gone


# 23 November 2026 is a Monday.
@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("mon-fri 08:00-20:00", ["23T08:00", "27T19:59"], ["23T20:00", "28T12:00"]),
        ("08:00-20:00", ["28T12:00"], ["28T07:59"]),
        ("fri 22:00-02:00", ["27T23:00", "28T01:59"], ["27T01:00", "28T22:30"]),
        ("sat-mon 00:00-24:00", ["28T00:00", "30T23:59"], ["24T00:00"]),
        ("Sun 12:00-12:00", ["29T12:00", "30T11:59"], ["29T11:59"]),
    ],
)
def test_windows(text: str, inside: list[str], outside: list[str]) -> None:
    windows = [parse_window(text)]
    assert all(is_open(windows, datetime.fromisoformat(f"2026-11-{at}")) for at in inside)
    assert not any(is_open(windows, datetime.fromisoformat(f"2026-11-{at}")) for at in outside)
    assert is_open([], datetime.fromisoformat("2026-11-23T00:00"))


@pytest.mark.parametrize("text", ["", "monday 08:00-20:00", "8:00-20:00", "mon 25:00-26:00", "08:61-09:00"])
def test_no_windows(text: str) -> None:
    with pytest.raises(UsageError):
        parse_window(text, "--window")

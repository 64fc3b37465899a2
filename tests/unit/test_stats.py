"""Quantiles that are withheld, intervals over rounds, notes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.invocation import Evidence, Invocation
from coldbench.core.summary import Result
from coldbench.stats.intervals import difference_of_medians
from coldbench.stats.notes import notes
from coldbench.stats.quantiles import quantiles

MS = 1_000_000


@pytest.mark.parametrize(
    ("n", "shown"),
    [
        (1, set()),
        (4, set()),
        (5, {"p50"}),
        (49, {"p50"}),
        (50, {"p50", "p90"}),
        (99, {"p50", "p90"}),
        (100, {"p50", "p90", "p95"}),
        (499, {"p50", "p90", "p95"}),
        (500, {"p50", "p90", "p95", "p99"}),
    ],
)
def test_a_quantile_needs_five_observations_above_it(n: int, shown: set[str]) -> None:
    found = quantiles(list(range(n)))
    assert found is not None
    assert found.n == n
    assert {name for name in ("p50", "p90", "p95", "p99") if getattr(found, name) is not None} == shown
    assert (found.min, found.max) == (0, n - 1)


def test_nothing_has_no_quantiles() -> None:
    assert quantiles([]) is None


@given(st.integers(500, 600), st.integers(0, 2**32))
def test_they_are_numpys_own(n: int, seed: int) -> None:
    values = np.random.default_rng(seed).lognormal(4, 1, n)
    found = quantiles(values)
    assert found is not None
    for name, p in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        assert getattr(found, name) == pytest.approx(np.quantile(values, p), rel=1e-9, abs=1e-9)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=700), st.integers(0, 300), st.floats(100, 1e6))
def test_a_quantile_that_depends_on_what_was_cut_off_is_withheld(
    values: list[float], censored: int, wherever: float
) -> None:
    """Whatever the censored ones would have been, what is shown is the same."""
    found = quantiles(values, censored)
    known = quantiles([*values, *[wherever] * censored])
    assert found is not None
    assert known is not None
    for name in ("p50", "p90", "p95", "p99", "max", "mean"):
        shown = getattr(found, name)
        assert shown is None or shown == pytest.approx(getattr(known, name))
    assert (found.max is None) == (censored > 0)


def test_a_difference_of_medians() -> None:
    cold = {number: [100.0 + number, 102.0 + number] for number in range(6)}
    warm = {number: [10.0, 11.0, 12.0] for number in range(6)}
    found = difference_of_medians(cold, warm, seed=1)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(92.5)
    assert difference_of_medians(cold, warm, seed=1) == found  # the seed is all the chance there is


def test_too_few_rounds_have_no_interval_and_too_few_values_no_difference() -> None:
    two = {0: [100.0] * 5, 1: [101.0] * 5}
    found = difference_of_medians(two, {0: [1.0] * 5, 1: [2.0] * 5}, seed=1)
    assert found is not None
    assert (found.low, found.high) == (None, None)
    assert difference_of_medians({0: [100.0] * 4}, {0: [1.0] * 9}, seed=1) is None
    assert difference_of_medians({}, {}, seed=1) is None


def test_the_interval_knows_that_a_round_is_one_draw() -> None:
    """Twenty alike in each of five very different rounds: five draws, not a hundred."""
    random = np.random.default_rng(3)
    effects = random.normal(0, 30, 5)
    cold = {number: list(200 + effects[number] + random.normal(0, 1, 20)) for number in range(5)}
    warm = {number: list(20 + random.normal(0, 1, 20)) for number in range(5)}
    found = difference_of_medians(cold, warm, seed=1)
    assert found is not None
    assert (found.high or 0) - (found.low or 0) > 10


def executed(exec_ms: float, wait_ms: float) -> Invocation:
    return Invocation(
        seq=0,
        target="f",
        phase="0:burst",
        intended_ns=0,
        sent_ns=0,
        first_byte_ns=int(wait_ms * MS),
        end_ns=int(wait_ms * MS),
        status=200,
        evidence=Evidence(level=1, exec_ms=exec_ms),
    )


def test_execution_times_on_a_grid_are_told_apart() -> None:
    billed = [executed(100.0, 23.0), executed(200.0, 130.0)] * 4
    throttled = [executed(100.0, 102.0), executed(200.0, 203.0)] * 4
    free = [executed(17.3, 20.0), executed(100.0, 104.0)] * 4
    tiny = [executed(0.05, 1.0)] * 8
    said = {
        name: " ".join(notes(Result(target="f"), its))
        for name, its in (("billed", billed), ("throttled", throttled), ("free", free), ("tiny", tiny))
    }
    assert "billed, not measured" in said["billed"]
    assert "CPU quota" in said["throttled"]
    assert "multiples" not in said["free"]
    assert "multiples" not in said["tiny"]

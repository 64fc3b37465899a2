"""Quantiles that are withheld, intervals over rounds, notes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldbench.core.summary import Result
from coldbench.stats.distribution import Distribution
from coldbench.stats.intervals import difference_of_medians
from coldbench.stats.notes import notes
from coldbench.stats.quantiles import quantiles
from coldbench.stats.reported import ReportedTimes


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


BILLED = [(100.0, 23.0), (200.0, 130.0)] * 4
THROTTLED = [(100.0, 102.0), (200.0, 203.0)] * 4


@pytest.mark.parametrize(
    ("executions", "said"),
    [
        (BILLED, "billed, not measured"),
        (THROTTLED, "CPU quota"),
        ([(17.3, 20.0), (100.0, 104.0)] * 4, None),
        ([(0.05, 1.0)] * 8, None),
        ([*BILLED, (150.0, 151.0)], None),
        ([(150.0, 151.0), *BILLED], None),
        (BILLED[:3], None),
        ([(3.0, 2.4), (2.0, 1.1), (3.0, 2.9), (1.0, 0.8), (2.0, 2.5)], "rounded up to steps of 1 ms"),
        ([(3.0, 4.4), (2.0, 3.1), (3.0, 4.9), (1.0, 1.8), (2.0, 2.5)], "told in steps of 1 ms"),
        ([(300.0, 301.0), (207.0, 208.0), (209.0, 210.0), (222.0, 230.0), (210.0, 211.0)], None),
    ],
)
def test_execution_times_on_a_grid_are_told_apart(
    executions: list[tuple[float, float]], said: str | None
) -> None:
    times = ReportedTimes()
    for exec_ms, wait_ms in executions:
        times.add(exec_ms, None, wait_ms)
    found = list(notes(Result(target="f"), 0, times.notes()))
    assert len(found) == (said is not None)
    assert all(said is not None and said in note for note in found)


def test_billed_steps_are_told_beside_what_was_executed() -> None:
    times = ReportedTimes()
    for exec_ms in (1.913, 2.5, 40.25, 3.125, 2.75):
        times.add(exec_ms, 100.0, exec_ms + 4)
    (note,) = times.notes()
    assert "billed in steps of 100 ms: the median execution of 2.8 ms is billed as 100 ms" in note


@pytest.mark.parametrize(
    ("times", "step"),
    [
        ([(9.3, 10.0), (9.8, 10.0), (9.5, 10.0)] * 2, None),  # in steps of 1 ms they are 10, too
        ([(9.3, 10.0), (10.5, 11.0), (11.5, 12.0)] * 2, "1"),
        ([(8.3, 10.0), (8.8, 10.0), (9.5, 10.0)] * 2, "10"),  # in steps of 1 ms most would be 9
        ([(180.0, 200.0), (181.0, 200.0), (182.0, 200.0)] * 2, "100"),
        ([(9.3, 160.0), *[(9.3, 10.0), (9.8, 10.0)] * 3], None),  # the first with its init,
        ([(None, 10.0)] * 6, None),
    ],
)
def test_a_billing_step_is_told_where_no_finer_one_fits(
    times: list[tuple[float | None, float]], step: str | None
) -> None:
    reported = ReportedTimes()
    for exec_ms, billed_ms in times:
        reported.add(exec_ms, billed_ms, 500.0)
    found = [note for note in reported.notes() if note.startswith("time is billed")]
    assert len(found) == (step is not None)
    assert all(f"in steps of {step} ms" in note for note in found)


@given(st.integers(0, 2**32), st.sampled_from([1.0, 3.0]), st.integers(0, 40_000))
@settings(max_examples=5, deadline=None)
def test_a_large_distribution_keeps_its_quantiles_in_little_memory(
    seed: int, width: float, censored: int
) -> None:
    values = np.random.default_rng(seed).lognormal(4, width, 300_000)
    distribution = Distribution()
    for value in values.tolist():
        distribution.add(value)
    found, exact = distribution.quantiles(censored), quantiles(values, censored)
    assert found
    assert exact
    assert (found.n, found.min, found.max) == (exact.n, exact.min, exact.max)
    for name in ("p50", "p90", "p95", "p99", "mean"):
        shown, true = getattr(found, name), getattr(exact, name)
        assert shown is true is None or shown == pytest.approx(true, rel=1e-3)
    assert distribution.quantiles(censored) == found


def test_a_distribution_without_values_has_no_quantiles() -> None:
    distribution = Distribution()
    distribution.add(None)
    assert distribution.quantiles() is None
    assert distribution.quantiles(3) == quantiles([], 3)

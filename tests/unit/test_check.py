"""The language of checks, and when a bound is kept, broken, or not decided."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.check import parse_check
from coldbench.core.errors import UsageError
from coldbench.core.summary import Checked, Counts, Interval, Outcome, Result
from coldbench.stats.checks import checked
from coldbench.stats.distribution import Distribution
from coldbench.stats.quantiles import quantiles

TARGETS = ["node", "my.host", "startup_ms"]


@pytest.mark.parametrize(
    ("text", "target", "field", "stat"),
    [
        ("startup_ms.p95 < 800", None, "startup_ms", "p95"),
        ("node.cold_penalty_ms.high<500", "node", "cold_penalty_ms", "high"),
        ("counts.errors == 0", None, "counts", "errors"),
        ("my.host.verdicts.start_failed <= 0", "my.host", "verdicts", "start_failed"),
        ("startup_ms.init_ms.p50 > 1e1", "startup_ms", "init_ms", "p50"),
        ("contradictions == 0", None, "contradictions", None),
        ("  wait_cold_ms.n >= 20 ", None, "wait_cold_ms", "n"),
    ],
)
def test_expressions(text: str, target: str | None, field: str, stat: str | None) -> None:
    check = parse_check(text, TARGETS)
    assert (check.target, check.field, check.stat) == (target, field, stat)
    assert check.text == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "", "startup_ms.p95", "startup_ms < 800", "startup_ms.p42 < 1", "go.startup_ms.p95 < 1", "p95 < 1",
        "node.counts.errors == 0", "counts == 0", "startup_ms.p95 < fast", "startup_ms.p95 < nan",
        "startup_ms.p95 < inf", "startup_ms.p95 == 3", "verdicts.tepid == 0", "contradictions.p50 < 1",
    ],
)  # fmt: skip
def test_what_is_no_expression_is_said(text: str) -> None:
    with pytest.raises(UsageError) as said:
        parse_check(text, TARGETS)
    assert "\n" not in str(said.value)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_check(text, TARGETS)
    except UsageError:
        pass


def outcome(text: str, values: list[float], cut_off: int = 0) -> Checked:
    distribution = Distribution()
    for value in values:
        distribution.add(value)
    result = Result(
        target="node",
        service_ms=quantiles(values, cut_off),
        verdicts={"cold": 3},
        cold_penalty_ms=Interval(value=40.0),
        instances=None,
    )
    check = parse_check(text, ["node"])
    (found,) = checked(
        [check], Counts(intended=9), {"node": result}, {"node": {"service_ms": (distribution, cut_off)}}
    )
    return found


@pytest.mark.parametrize(
    ("n", "beyond", "expected"),
    [
        (59, 0, Outcome.PASSED),
        (58, 0, Outcome.TOO_FEW),
        (0, 0, Outcome.TOO_FEW),
        (93, 1, Outcome.PASSED),  # exact: binom.cdf(1, 93, 0.05) = 0.0499
        (92, 1, Outcome.TOO_FEW),
        (100, 5, Outcome.FAILED),
        (20, 1, Outcome.FAILED),
    ],
)
def test_a_bound_on_p95_is_proved_by_59_of_59(n: int, beyond: int, expected: Outcome) -> None:
    values = [1.0] * (n - beyond) + [9.0] * beyond
    assert outcome("service_ms.p95 < 5", values).outcome is expected
    # What was cut off above is beyond any bound.
    assert outcome("service_ms.p95 < 5", [1.0] * (n - beyond), cut_off=beyond).outcome is expected


def test_from_the_other_side() -> None:
    assert outcome("service_ms.p50 > 5", [9.0] * 5).outcome is Outcome.PASSED  # 0.5 ** 5 = 0.03
    assert outcome("service_ms.p50 > 5", [9.0] * 4).outcome is Outcome.TOO_FEW
    assert outcome("service_ms.p50 >= 9", [9.0] * 5).outcome is Outcome.PASSED
    assert outcome("service_ms.p50 > 9", [9.0] * 5).outcome is Outcome.FAILED
    assert outcome("service_ms.p50 <= 9", [9.0] * 5).outcome is Outcome.PASSED


def test_other_figures_are_compared_as_they_are() -> None:
    assert outcome("service_ms.max < 5", [1.0, 4.0]).outcome is Outcome.PASSED
    assert outcome("service_ms.max < 4", [1.0, 4.0]).outcome is Outcome.FAILED
    assert outcome("service_ms.max < 5", [1.0], cut_off=1).outcome is Outcome.TOO_FEW
    assert outcome("cold_penalty_ms.value < 50", []).outcome is Outcome.PASSED
    assert outcome("cold_penalty_ms.high < 50", []).outcome is Outcome.TOO_FEW
    assert outcome("verdicts.cold == 3", []).outcome is Outcome.PASSED
    assert outcome("verdicts.start_failed == 0", []).outcome is Outcome.PASSED
    assert outcome("instances > 0", []).outcome is Outcome.TOO_FEW
    assert outcome("counts.intended != 9", []).outcome is Outcome.FAILED


@given(st.integers(0, 2**32), st.sampled_from([0.5, 0.9, 0.95, 0.99]), st.integers(1, 400))
def test_a_pass_is_wrong_in_one_of_twenty_at_most(seed: int, part: float, n: int) -> None:
    """At the true quantile itself a pass would be wrong: it comes from few samples above it, by chance."""
    values = np.random.default_rng(seed).random((200, n))
    bound = part  # of the uniform distribution
    stat = f"p{100 * part:.0f}"
    passed = sum(
        outcome(f"service_ms.{stat} < {bound}", list(row)).outcome is Outcome.PASSED for row in values[:40]
    )
    assert passed <= 10  # of 40, where 2 are expected: 5 standard deviations


def test_a_large_distribution_counts_in_buckets() -> None:
    values = np.random.default_rng(1).lognormal(4, 1, 200_000)
    distribution = Distribution()
    for value in values.tolist():
        distribution.add(value)
    below, up_to, n = distribution.ranks(100.0)
    assert n == 200_000
    assert below <= (values < 100).sum() <= up_to
    assert up_to - below < 0.002 * n

"""What a run will cost, and what its invocations have cost."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from coldbench.cli.pricing import check_cost, read_rates
from coldbench.core.errors import UsageError
from coldbench.core.invocation import Evidence, Invocation
from coldbench.core.price import Basis, Cost, Price, Rates
from coldbench.core.target import Target
from coldbench.core.verdict import Verdict
from coldbench.report.cost import cost_words, planned_cost_lines, usd
from coldbench.stats.cost import prices
from coldbench.stats.spent import SpentSoFar, SpentTally

# 0.001 USD an instance's second, 1 USD a request: both can be read off a sum.
PRICE = Price(
    usd_per_gb_s=0.002, usd_per_request=1, billing_step_ms=100, init_billed=True, read="", source=""
)
RATES = Rates(platform="p", gb=0.5, vcpu=0, price=PRICE)


def spent(*calls: tuple[Verdict, dict[str, Any]], rates: Rates = RATES) -> Cost | None:
    tally = SpentTally(rates)
    for verdict, facts in calls:
        evidence = Evidence(**facts)
        one = Invocation(
            seq=0,
            target="f",
            phase="0:b",
            intended_ns=0,
            sent_ns=0,
            first_byte_ns=312_000_000,
            evidence=evidence,
        )
        tally.add(one, verdict, 12_000_000)
    return tally.cost()


@pytest.mark.parametrize(
    ("facts", "instance_ms", "basis"),
    [
        ({"billed_ms": 200.0, "exec_ms": 130.0}, 200, Basis.BILLED),
        ({"exec_ms": 130.0}, 200, Basis.EXECUTED),
        ({"exec_ms": 200.0}, 200, Basis.EXECUTED),
        ({}, 300, Basis.WAITED),
    ],
)
def test_an_invocation_costs_its_request_and_whole_billing_steps(
    facts: dict[str, Any], instance_ms: float, basis: Basis
) -> None:
    cost = spent((Verdict.WARM, facts))
    assert cost is not None
    assert cost.usd == pytest.approx(1 + instance_ms / 1e6)
    assert (cost.init_usd, cost.basis, cost.invocations) == (None, basis, 1)


def test_the_init_of_a_cold_start_is_billed_where_the_platform_does() -> None:
    calls = [(verdict, {"exec_ms": 10.0, "init_ms": 250.0}) for verdict in (Verdict.COLD, Verdict.WARM)]
    cost = spent(*calls)
    assert cost is not None
    assert cost.init_usd == pytest.approx(250e-6)
    assert cost.usd == pytest.approx(2 + 300e-6 + 100e-6)
    assert "of which 0.00025 USD for the init of cold starts" in cost_words(cost)


def test_the_least_certain_basis_is_that_of_all_and_nothing_costs_nothing() -> None:
    cost = spent((Verdict.WARM, {"billed_ms": 100.0}), (Verdict.WARM, {}), (Verdict.WARM, {"exec_ms": 1.0}))
    assert cost is not None
    assert cost.basis is Basis.WAITED
    assert spent() is None


def target(url: str) -> Target:
    return Target(name="f", url=url, endpoint=url)


def test_a_price_is_asked_for_or_told_by_the_host(tmp_path: Path) -> None:
    aws = target("https://abc.lambda-url.eu-west-1.on.aws/")
    rates = read_rates(None, None, [aws], memory_mb=1024, vcpu=0)
    assert rates is not None
    assert (rates.platform, rates.gb) == ("aws_lambda", 1)
    assert read_rates(None, None, [aws, target("https://f.example/")], memory_mb=512, vcpu=0) is None
    with pytest.raises(UsageError, match="no price for nobody"):
        read_rates("nobody", None, [aws], memory_mb=512, vcpu=0)


def test_a_plan_that_costs_more_than_asked_is_refused() -> None:
    check_cost(10, RATES, 10.01)
    with pytest.raises(UsageError, match=r"the plan costs about 11 USD if each .* 100 ms, more than 10 USD"):
        check_cost(11, RATES, 10)
    with pytest.raises(UsageError, match="needs a price"):
        check_cost(11, None, 10)
    with pytest.raises(UsageError, match="cannot be bounded"):
        check_cost(None, RATES, 10)
    (line,) = planned_cost_lines(None, RATES)
    assert "for each invocation billed 100 ms" in line


def test_without_vcpu_a_platform_that_prices_it_costs_at_least_so_much() -> None:
    priced = replace(PRICE, usd_per_vcpu_s=0.01)
    rates = replace(RATES, price=priced)
    cost = spent((Verdict.WARM, {}), rates=rates)
    assert cost is not None
    assert cost.without_vcpu
    assert "without vCPU, which is priced too: at least so much; --vcpu N" in cost_words(cost)
    assert "at most" not in cost_words(cost)
    (line,) = planned_cost_lines(10, rates)
    assert "without vCPU" in line
    with pytest.raises(UsageError, match="prices vCPU too"):
        check_cost(10, rates, 100)


def test_with_vcpu_or_where_it_has_no_price_nothing_is_missing() -> None:
    for rates in (RATES, replace(RATES, vcpu=1.0, price=replace(PRICE, usd_per_vcpu_s=0.01))):
        cost = spent((Verdict.WARM, {}), rates=rates)
        assert cost is not None
        assert not cost.without_vcpu
        assert "without vCPU" not in cost_words(cost)
        (line,) = planned_cost_lines(10, rates)
        assert "without vCPU" not in line


def test_the_start_of_a_cloud_run_instance_is_billed() -> None:
    assert prices(None)["gcp_cloud_run"].init_billed


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0.00 USD"), (0.000123, "0.00012 USD"), (1.5, "1.50 USD"), (1234.4, "1,234 USD")]
)
def test_dollars_have_two_digits_that_count(amount: float, text: str) -> None:
    assert usd(amount) == text


def test_what_pings_have_cost_so_far_is_added_up_by_what_each_one_lasted() -> None:
    """All were priced by today's hold, however long the function took."""
    so_far = SpentSoFar(RATES)

    def answer(wait_ms: int, **facts: Any) -> Invocation:
        return Invocation(
            seq=0, target="f", phase="0:ping", intended_ns=0, started_ns=0, sent_ns=0, connect_ns=12_000_000,
            first_byte_ns=wait_ms * 1_000_000, end_ns=wait_ms * 1_000_000, status=200,
            evidence=Evidence(**facts),
        )  # fmt: skip

    # In steps of 100 ms, each 0.0001 USD, beside 1 USD a request.
    so_far.add([answer(3000, billed_ms=200.0)])
    assert so_far.usd == pytest.approx(1.0002)
    so_far.add([answer(3000, exec_ms=300.0)])
    assert so_far.usd == pytest.approx(2.0005)
    so_far.add([answer(3000, exec_ms=300.0, init_ms=500.0, cold_flag=True)])
    assert so_far.usd == pytest.approx(3.0013)
    so_far.add([answer(1012)])
    assert so_far.usd == pytest.approx(4.0023)
    so_far.add([Invocation(seq=0, target="f", phase="0:ping", intended_ns=0, started_ns=0)])
    assert so_far.usd == pytest.approx(4.0023)

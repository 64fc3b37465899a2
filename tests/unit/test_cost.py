"""The arithmetic of keeping warm, against examples worked by hand."""

from math import exp
from pathlib import Path

import pytest

from coldbench.core.errors import UsageError
from coldbench.core.reach import Limits
from coldbench.core.target import Target
from coldbench.core.trace import parse_trace
from coldbench.probe.keepwarm import Asked
from coldbench.report.keepwarm_plan import keepwarm_lines
from coldbench.stats.cost import (
    MONTH_S,
    Budget,
    Pings,
    cold_part_with_pings,
    cold_starts_a_day,
    prices,
    provisioned_usd_a_day,
    recorded_cold_starts_a_day,
    usd_a_day,
    usd_per_ping,
)

AWS = prices(None)["aws_lambda"]


def test_the_example_of_the_field() -> None:
    """At 1 GB, every 300 s, held 75 ms: about $0.013 per instance-month; 10.80 per GB-month provisioned."""
    pings = Pings(per_round=1, period_s=300, billed_s=0.075, gb=1, vcpu=0)
    assert pings.a_day == 288
    # 1 GB x 0.075 s x 0.0000166667 + 0.0000002 = 0.00000145000; x 8,640 a month = 0.01253
    assert usd_per_ping(pings, AWS) == pytest.approx(1.45e-6, rel=1e-4)
    assert 30 * usd_a_day(pings, AWS) == pytest.approx(0.01253, rel=1e-3)
    assert MONTH_S / 300 == 8640
    month = provisioned_usd_a_day(1, 1, AWS)
    assert month is not None
    assert 30 * month == pytest.approx(10.80, abs=0.01)


def test_ten_instances_cost_ten_times_as_much() -> None:
    ten = Pings(per_round=10, period_s=60, billed_s=0.2, gb=0.5, vcpu=0)
    # 14,400 pings a day x (0.5 x 0.2 x 0.0000166667 + 0.0000002) = 14,400 x 1.86667e-6
    assert usd_a_day(ten, AWS) == pytest.approx(0.026880, rel=1e-4)


def test_a_billing_step_is_paid_whole() -> None:
    cloud_run = prices(None)["gcp_cloud_run"]
    short = Pings(per_round=1, period_s=60, billed_s=0.101, gb=1, vcpu=1)
    # 0.2 s x (0.000024 + 0.0000025) + 0.0000004
    assert usd_per_ping(short, cloud_run) == pytest.approx(5.7e-6)
    exact = Pings(per_round=1, period_s=60, billed_s=0.3, gb=1, vcpu=1)
    assert usd_per_ping(exact, cloud_run) == pytest.approx(0.3 * 26.5e-6 + 4e-7)


def test_cold_starts_of_poisson_arrivals() -> None:
    # one an hour on average, five minutes of lifetime: 24 x exp(-1/12) = 22.08
    assert cold_starts_a_day(24, 300) == pytest.approx(24 * exp(-1 / 12))
    assert cold_starts_a_day(24, 300) == pytest.approx(22.08, abs=0.01)
    # one a second: never
    assert cold_starts_a_day(86_400, 300) < 1e-100


@pytest.mark.parametrize(
    ("period_s", "lifetime_s", "part"), [(240, 300, 0.0), (300, 300, 0.0), (600, 300, 0.5), (3000, 300, 0.9)]
)
def test_pings_further_apart_than_a_lifetime_prevent_a_part(
    period_s: float, lifetime_s: float, part: float
) -> None:
    """They were said to prevent all."""
    assert cold_part_with_pings(period_s, lifetime_s) == pytest.approx(part)


def test_cold_starts_of_recorded_arrivals() -> None:
    # Over 1,000 s: at 0 and 100 (nobody knows what came before), 700 (600 s later) and 1,000 s (exactly 300 s
    # later: still warm). What is counted is the 700 s after the first lifetime.
    recorded = parse_trace("offset_s\n0\n100\n700\n1000\n", "t.csv")
    a_day = 86_400 / 700
    assert recorded_cold_starts_a_day(recorded, 300) == pytest.approx((2 * a_day, a_day))
    # Two calls in minute 1 (30 s apart), none in 2 and 3, one in minute 4: 150 s after the one before.
    minutes = parse_trace("HashOwner,HashApp,HashFunction,Trigger,1,2,3,4\na,b,c,http,2,0,0,1\n", "t.csv")
    assert recorded_cold_starts_a_day(minutes, 100) == pytest.approx((86_400 / 140, 86_400 / 140))
    assert recorded_cold_starts_a_day(minutes, 160) is None
    # A quiet start of the recording, with nothing to compare: no call came in the lifetime before the first.
    late = parse_trace("offset_s\n500\n700\n", "t.csv")
    assert recorded_cold_starts_a_day(late, 300) == pytest.approx((2 * 216, 216))


def test_own_prices_come_first_and_bad_ones_are_said(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[aws_lambda]\nusd_per_gb_s = 1\nusd_per_request = 2\nread = "today"\nsource = "contract"\n'
    )
    table = prices(own)
    assert table["aws_lambda"].usd_per_request == 2
    assert "gcp_cloud_run" in table
    for bad in ("[x]\nusd_per_gb_s = 1\n", "nonsense", '[x]\nusd = 1\nread = ""\nsource = ""\n'):
        own.write_text(bad)
        with pytest.raises(UsageError, match="not a table of prices"):
            prices(own)
    with pytest.raises(UsageError, match="cannot be read"):
        prices(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("platform", "vcpu", "said"), [("gcp_cloud_run", 0, 1), ("gcp_cloud_run", 1, 0), ("aws_lambda", 0, 0)]
)
def test_a_plan_without_vcpu_says_what_is_not_in_its_price(platform: str, vcpu: float, said: int) -> None:
    asked = Asked(
        instances=1,
        every_ns=300_000_000_000,
        adapts=False,
        shortest_ns=1_000_000_000,
        limits=Limits(pings=10, hold_ns=1_000_000_000),
        per_instance=1,
        hold_with=None,
    )
    budget = Budget(price=prices(None)[platform], gb=1, vcpu=vcpu, most_usd=None)
    target = Target(name="f", url="http://f.example/", endpoint="http://f.example/")
    lines = keepwarm_lines([target], [asked], budget, traffic=None, lifetime_ns=None)
    assert sum("without vCPU" in line for line in lines) == said

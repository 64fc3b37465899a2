"""What keeping warm will send, what that costs and what it saves, before anything is sent."""

from collections.abc import Iterator, Sequence

from coldbench.core.durations import format_duration
from coldbench.core.target import Target
from coldbench.probe.keepwarm import Asked
from coldbench.report.words import count, shown
from coldbench.stats.cost import (
    Budget,
    Pings,
    Price,
    cold_starts_a_day,
    provisioned_usd_a_day,
    usd_a_day,
)

_DAYS_A_MONTH = 30
_ASSUMED_HOLD_S = 0.075


def keepwarm_lines(
    targets: Sequence[Target],
    asked: Sequence[Asked],
    budget: Budget,
    *,
    arrivals_a_day: float | None,
    lifetime_ns: int | None,
) -> Iterator[str]:
    """What will be sent, how much that is, what it costs and what it saves."""
    first = asked[0]
    names = ", ".join(shown(target.name, 40) for target in targets)
    how = "about every" if first.adapts else "every"
    yield (
        f"plan  {count(first.instances, 'instance')} of {names}, pinged {how} "
        f"{format_duration(first.every_ns)}" + ("; the period is searched for" if first.adapts else "")
    )
    pings = Pings(
        per_round=sum(one.instances for one in asked),
        period_s=first.every_ns / 1e9,
        billed_s=_ASSUMED_HOLD_S,
        gb=budget.gb,
        vcpu=budget.vcpu,
    )
    yield (
        f"      at least {pings.a_day:,.0f} pings a day, at most {first.limits.pings:,} a round held up to "
        f"{format_duration(first.limits.hold_ns)}"
    )
    if budget.price is not None:
        yield from _costs(pings, first.instances, budget.price)
    if arrivals_a_day is not None and lifetime_ns is not None:
        yield from _saves(pings, budget.price, arrivals_a_day, lifetime_ns / 1e9)


def _costs(pings: Pings, instances: int, price: Price) -> Iterator[str]:
    month = _DAYS_A_MONTH * usd_a_day(pings, price)
    yield (
        f"      {month:,.3f} USD a month at {1000 * _ASSUMED_HOLD_S:.0f} ms a ping and {pings.gb:g} GB "
        f"(prices of {price.read}: {price.source})"
    )
    provisioned = provisioned_usd_a_day(instances, pings.gb, price)
    if provisioned is not None:
        yield f"      beside that, provisioned: {_DAYS_A_MONTH * provisioned:,.2f} USD a month"


def _saves(pings: Pings, price: Price | None, arrivals_a_day: float, lifetime_s: float) -> Iterator[str]:
    without = cold_starts_a_day(arrivals_a_day, lifetime_s)
    yield (
        f"      {without:,.1f} of {arrivals_a_day:,.0f} calls a day are cold without it (Poisson arrivals, "
        f"one at a time, instances live {lifetime_s:,.0f} s); none with it, save bursts beyond its instances"
    )
    if price is not None and without > 0:
        yield f"      {usd_a_day(pings, price) / without:,.6f} USD for each cold start that it prevents"

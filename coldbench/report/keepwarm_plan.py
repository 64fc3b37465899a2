"""What keeping warm will send, what that costs and what it saves, before anything is sent."""

from collections.abc import Iterator, Sequence

from coldbench.core.durations import format_duration
from coldbench.core.price import Price, Rates
from coldbench.core.target import Target
from coldbench.core.trace import Recording
from coldbench.probe.kept import Asked
from coldbench.report.cost import WITHOUT_VCPU
from coldbench.report.words import count, shown
from coldbench.stats.cost import (
    Budget,
    Pings,
    cold_part_with_pings,
    cold_starts_a_day,
    provisioned_usd_a_day,
    recorded_cold_starts_a_day,
    usd_a_day,
)

_DAYS_A_MONTH = 30
_ASSUMED_HOLD_S = 0.075


def keepwarm_lines(
    targets: Sequence[Target],
    asked: Sequence[Asked],
    budget: Budget,
    *,
    traffic: float | Recording | None,
    lifetime_ns: int | None,
) -> Iterator[str]:
    """What will be sent, how much that is, what it costs and what it saves.

    `traffic` is what comes to each target: calls a day, or recorded ones.
    """
    for number, (target, its) in enumerate(zip(targets, asked, strict=True)):
        begin = "      " if number else "plan  "
        how = "about every" if its.adapts else "every"
        searched = "; the period is searched for" if its.adapts else ""
        yield (
            f"{begin}{count(its.instances, 'instance')} of {shown(target.name, 40)}, pinged {how} "
            f"{format_duration(its.every_ns)}{searched}; at most {its.limits.pings:,} pings a round, held up "
            f"to {format_duration(its.limits.hold_ns)}"
        )
    pings = [
        Pings(
            per_round=its.instances,
            period_s=its.every_ns / 1e9,
            billed_s=_ASSUMED_HOLD_S,
            gb=budget.gb,
            vcpu=budget.vcpu,
        )
        for its in asked
    ]
    yield f"      at least {sum(its.a_day for its in pings):,.0f} pings a day"
    price = budget.price
    usd = None if price is None else sum(usd_a_day(its, price) for its in pings)
    if any(its.hold_with is not None for its in asked):
        usd = None
        if price is not None:
            yield "      what that costs is not known: your request (--hold-with) takes its own time"
    if price is not None and usd is not None:
        yield from _costs(usd, sum(its.instances for its in asked), budget.gb, price)
        if Rates(platform="", gb=budget.gb, vcpu=budget.vcpu, price=price).without_vcpu:
            yield f"      {WITHOUT_VCPU}"
    if traffic is not None and lifetime_ns is not None:
        yield from _saves(usd, asked, traffic, lifetime_ns / 1e9)


def _costs(usd: float, instances: int, gb: float, price: Price) -> Iterator[str]:
    yield (
        f"      {_DAYS_A_MONTH * usd:,.3f} USD a month at {1000 * _ASSUMED_HOLD_S:.0f} ms a ping and "
        f"{gb:g} GB (prices of {price.read}: {price.source})"
    )
    provisioned = provisioned_usd_a_day(instances, gb, price)
    if provisioned is not None:
        yield f"      beside that, provisioned: {_DAYS_A_MONTH * provisioned:,.2f} USD a month"


def _saves(
    usd: float | None, asked: Sequence[Asked], traffic: float | Recording, lifetime_s: float
) -> Iterator[str]:
    if isinstance(traffic, Recording):
        recorded = recorded_cold_starts_a_day(traffic, lifetime_s)
        if recorded is None:
            yield (
                "      how many calls are cold is not known: what is recorded is shorter than two "
                f"lifetimes of {lifetime_s:,.0f} s"
            )
            return
        (calls, cold), how = recorded, "as recorded"
    else:
        calls, cold, how = traffic, cold_starts_a_day(traffic, lifetime_s), "Poisson arrivals"
    parts = [cold_part_with_pings(its.every_ns / 1e9, lifetime_s) for its in asked]
    to_each = "" if len(asked) == 1 else " to each"
    yield (
        f"      {cold:,.1f} of {calls:,.0f} calls a day{to_each} are cold without it ({how}, one at a time, "
        f"instances live {lifetime_s:,.0f} s); {_with_it(cold, parts)}, save bursts beyond its instances"
    )
    prevented = sum(cold * (1 - part) for part in parts)
    if usd is not None and prevented > 0:
        yield f"      {usd / prevented:,.6f} USD for each cold start that it prevents"


def _with_it(cold: float, parts: Sequence[float]) -> str:
    """`parts`: of the cold starts at each target, those that pings do not prevent."""
    if not any(parts):
        return "none with it"
    some = "about " + " or ".join(f"{cold * part:,.1f}" for part in dict.fromkeys(parts))
    return f"{some} with it, since the period is longer than that"

"""From the options to a price: the user's own table before ours, the platform by its host."""

from collections.abc import Sequence
from pathlib import Path

from coldbench.cli.platform import platform_by_url
from coldbench.core.errors import UsageError
from coldbench.core.price import Price, Rates
from coldbench.core.target import Target
from coldbench.report.cost import ASSUMED_MS, planned_usd, usd
from coldbench.stats.cost import prices


def price_of(platform: str, own: Path | None) -> Price:
    """Raises UsageError for one that has no price."""
    table = prices(own)
    if platform not in table:
        known = ", ".join(sorted(table))
        raise UsageError(f"no price for {platform}", place="--price", hint=f"there are {known}")
    return table[platform]


def read_rates(
    platform: str | None, own: Path | None, targets: Sequence[Target], *, memory_mb: int, vcpu: float
) -> Rates | None:
    """As asked; else of the one platform that all targets' URLs name; None where neither says."""
    if platform is None:
        known = {its.price if (its := platform_by_url(target)) else None for target in targets}
        platform = known.pop() if len(known) == 1 else None
    if platform is None:
        return None
    price = price_of(platform, own)
    return Rates(platform=platform, gb=memory_mb / 1024, vcpu=vcpu, price=price)


def check_cost(invocations: int | None, rates: Rates | None, most_usd: float | None) -> None:
    """UsageError for a plan that would cost more, or of which nobody can say."""
    if most_usd is None:
        return
    if rates is None:
        raise UsageError("needs a price", place="--max-cost", hint="say whose with --price PLATFORM")
    if rates.without_vcpu:
        raise UsageError(
            f"{rates.platform} prices vCPU too, and nobody said how much an instance has",
            place="--max-cost",
            hint="say it with --vcpu N",
        )
    if invocations is None:
        raise UsageError(
            "users are paced by the answers, so that their cost cannot be bounded beforehand",
            place="--max-cost",
            hint="use a profile of bursts and rates",
        )
    if planned_usd(invocations, rates) > most_usd:
        raise UsageError(
            f"the plan costs about {usd(planned_usd(invocations, rates))} if each invocation is billed "
            f"{ASSUMED_MS:g} ms, more than {usd(most_usd)}",
            place="--max-cost",
            hint="make it smaller, for instance --set size=... or --set repeat=1",
        )

"""What a run will cost, and what it has cost, for people."""

from collections.abc import Iterator

from coldbench.core.price import Basis, Cost, Rates
from coldbench.report.words import count

# Nobody knows beforehand how long executions are: what is asked for is priced at this, and says so.
ASSUMED_MS = 100.0

WITHOUT_VCPU = "without vCPU, which is priced too: at least so much; --vcpu N says how many an instance has"

_BASIS = {
    Basis.BILLED: "by the time that the platform says it bills",
    Basis.EXECUTED: "by the executions that were told, in billing steps",
    Basis.WAITED: "at most, by what callers waited",
}


def planned_usd(invocations: int, rates: Rates) -> float:
    """If each is billed `ASSUMED_MS`."""
    return invocations * rates.usd(ASSUMED_MS)


def planned_cost_lines(invocations: int | None, rates: Rates) -> Iterator[str]:
    """Before anything is sent."""
    price = f"prices of {rates.platform}, read {rates.price.read}: {rates.price.source}"
    size = f"{rates.gb:g} GB" + (f", {rates.vcpu:g} vCPU" if rates.vcpu else "")
    size += f", {WITHOUT_VCPU}" * rates.without_vcpu
    if invocations is None:
        each = usd(rates.usd(ASSUMED_MS))
        yield f"      about {each} for each invocation billed {ASSUMED_MS:g} ms, {size} ({price})"
    else:
        about = usd(planned_usd(invocations, rates))
        yield f"      about {about} if each is billed {ASSUMED_MS:g} ms, {size} ({price})"


def cost_words(cost: Cost) -> str:
    """After a run, of one target."""
    init = "" if cost.init_usd is None else f", of which {usd(cost.init_usd)} for the init of cold starts"
    basis = _BASIS[cost.basis]
    if cost.without_vcpu:
        # What callers waited is a bound of the time, and no longer one of the sum.
        basis = f"{basis.removeprefix('at most, ')}; {WITHOUT_VCPU}"
    return f"{count(cost.invocations, 'invocation')} cost {usd(cost.usd)}{init} ({basis})"


def usd(amount: float) -> str:
    """With two digits that count: `0.0012 USD`, `12 USD`."""
    if amount >= 10:
        return f"{amount:,.0f} USD"
    digits = f"{amount:.1e}"
    decimals = max(2, 1 - int(digits.partition("e")[2])) if amount else 2
    return f"{amount:.{decimals}f} USD"

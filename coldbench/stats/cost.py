"""What keeping instances warm costs, and what it saves: arithmetic on a plan and a price."""

from collections.abc import Iterator
from math import exp
from pathlib import Path

import msgspec
from msgspec import Struct

from coldbench.core.errors import UsageError
from coldbench.core.price import Price, Rates
from coldbench.core.trace import Recording

_TABLE = Path(__file__).with_name("prices.toml")
_DAY_S = 86_400.0
MONTH_S = 30 * _DAY_S  # 2.592e6, as the field counts


class Pings(Struct, frozen=True, kw_only=True):
    """What is sent: `per_round` pings every `period_s`, each keeping an instance for `billed_s`."""

    per_round: int
    period_s: float
    billed_s: float
    gb: float
    vcpu: float

    @property
    def a_day(self) -> float:
        """How many are sent in a day."""
        return self.per_round * _DAY_S / self.period_s


def prices(own: Path | None) -> dict[str, Price]:
    """By platform; the user's own replace ours. Raises UsageError where a file is none of prices."""
    return _read(_TABLE) | ({} if own is None else _read(own))


def _read(path: Path) -> dict[str, Price]:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=dict[str, Price])
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=str(path)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"not a table of prices: {error}", place=str(path)) from error


def usd_per_ping(pings: Pings, price: Price) -> float:
    """One request, and the instance for as long as it is held, in whole billing steps."""
    rates = Rates(platform="", gb=pings.gb, vcpu=pings.vcpu, price=price)
    return rates.usd(1e3 * pings.billed_s)


def usd_a_day(pings: Pings, price: Price) -> float:
    """Of all pings."""
    return pings.a_day * usd_per_ping(pings, price)


def provisioned_usd_a_day(instances: int, gb: float, price: Price) -> float | None:
    """Of as many instances that the platform itself keeps; None where that has no price in the table."""
    if price.usd_per_provisioned_gb_s is None:
        return None
    return instances * gb * price.usd_per_provisioned_gb_s * _DAY_S


def cold_starts_a_day(arrivals_a_day: float, lifetime_s: float) -> float:
    """Without pings: of Poisson arrivals at one instance that an idle time of `lifetime_s` ends.

    A call is cold when none came in the time before it: with probability exp(-rate x lifetime).
    """
    return arrivals_a_day * exp(-arrivals_a_day / _DAY_S * lifetime_s)


def cold_part_with_pings(period_s: float, lifetime_s: float) -> float:
    """Of the calls that are cold without pings: those that are cold beside a ping every `period_s`, too.

    None, unless a lifetime ends before the next ping comes: then those that come after that.
    """
    return max(0.0, 1 - lifetime_s / period_s)


def recorded_cold_starts_a_day(recording: Recording, lifetime_s: float) -> tuple[float, float] | None:
    """Calls and cold starts a day, without pings, of recorded arrivals at one instance.

    A call is cold when none came in the `lifetime_s` before it. Of those in the first `lifetime_s` that is
    not known, and they are left out; None where less than another one is left. Of counts per minute the
    calls of a minute are taken to be evenly apart.
    """
    lifetime_ns = lifetime_s * 1e9
    left_ns = recording.duration_ns - lifetime_ns
    if left_ns < lifetime_ns:
        return None
    last_ns: int | None = None
    calls = cold = 0
    for at_ns in _arrivals(recording):
        if at_ns >= lifetime_ns:
            cold += last_ns is None or at_ns - last_ns > lifetime_ns
            calls += 1
        last_ns = at_ns
    days = max(left_ns / 1e9, 1.0) / _DAY_S
    return calls / days, cold / days


def _arrivals(recording: Recording) -> Iterator[int]:
    if recording.offsets:
        return recording.exact()
    return (
        start_ns + place * length_ns // count
        for start_ns, length_ns, count in recording.minutes()
        for place in range(count)
    )


class Budget(Struct, frozen=True, kw_only=True):
    """Whose prices, for what an instance is; `most_usd` ends a run."""

    price: Price | None
    gb: float
    vcpu: float
    most_usd: float | None

    @property
    def rates(self) -> Rates | None:
        """What an instance of that size costs."""
        return (
            None if self.price is None else Rates(platform="", gb=self.gb, vcpu=self.vcpu, price=self.price)
        )

    def spent(self, usd: float) -> bool:
        """Whether that is all."""
        return self.most_usd is not None and usd >= self.most_usd

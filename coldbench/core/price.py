"""What a platform asks, and what a run's invocations have cost by that."""

from enum import StrEnum
from math import ceil

from msgspec import Struct


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one platform, US dollars; `read` and `source` say when and where it was read."""

    usd_per_gb_s: float
    usd_per_request: float
    usd_per_vcpu_s: float = 0.0
    usd_per_provisioned_gb_s: float | None = None
    billing_step_ms: float = 1.0
    init_billed: bool = False  # beside the execution, to the call that paid for it
    read: str
    source: str


class Rates(Struct, frozen=True, kw_only=True):
    """A price, and what an instance is."""

    platform: str  # the entry in the table of prices
    gb: float
    vcpu: float
    price: Price

    def usd(self, billed_ms: float) -> float:
        """Of one request that had an instance for so long, in whole billing steps."""
        step_ms = self.price.billing_step_ms
        billed_s = ceil(round(billed_ms / step_ms, 6)) * step_ms / 1e3
        return billed_s * self.usd_per_s + self.price.usd_per_request

    @property
    def usd_per_s(self) -> float:
        """Of an instance."""
        return self.gb * self.price.usd_per_gb_s + self.vcpu * self.price.usd_per_vcpu_s

    @property
    def without_vcpu(self) -> bool:
        """The platform prices vCPU, and nobody said how much an instance has."""
        return self.price.usd_per_vcpu_s > 0 and not self.vcpu


class Basis(StrEnum):
    """What the time that is billed was taken to be, where not all was the same: the least certain."""

    BILLED = "billed"  # as the platform says
    EXECUTED = "executed"  # as the platform or the shim says
    WAITED = "waited"  # what callers waited less the round trip: at most that


class Cost(Struct, frozen=True, kw_only=True):
    """Of the invocations of one target that the function answered, each as if it had an instance alone.

    `init_usd` is the part that paid for the init of cold starts; None where the platform does not bill it,
    or nobody says how long it was. `without_vcpu`: the platform prices vCPU, and none is in it.
    """

    invocations: int
    usd: float
    init_usd: float | None = None
    basis: Basis
    without_vcpu: bool = False

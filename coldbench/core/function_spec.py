"""A function for the lab to run: what a `lab:` URL says (DESIGN.md, "The lab")."""

from enum import StrEnum

from msgspec import Struct


class EvidenceMode(StrEnum):
    """What of its evidence the lab lets through."""

    FULL = "full"  # the function's own shim, and what the platform adds
    HEADERS = "headers"  # what the platform adds
    NONE = "none"


class Policy(StrEnum):
    """What becomes of a call for which no started instance has room."""

    EITHER = "either"  # an instance is started for it, and it takes whichever comes first
    QUEUE = "queue"  # it waits for room; an instance is started only where none is up or starting
    SOFT = "soft"  # a busy instance takes it at once, beyond its concurrency; another one is started beside
    SCALE = "scale"  # it waits for the instance that is started for it, even if another one gets room


class Delay(Struct, frozen=True, kw_only=True):
    """A random time: `fixed` at `a_ns`, `uniform` from `a_ns` to `b_ns`, or `lognormal` with median `a_ns`
    and `sigma` on the log scale."""

    kind: str = "fixed"
    a_ns: int = 0
    b_ns: int = 0
    sigma: float = 0.0


class FunctionSpec(Struct, frozen=True, kw_only=True):
    """One function and the platform around it. Durations are ns."""

    runtime: str  # the label
    folder: str  # where the function lies; absolute
    idle_ns: int = 5_000_000_000  # an instance unused for so long is reaped
    concurrency: int = 1  # invocations in one instance at a time
    max_instances: int = 50
    policy: Policy = Policy.EITHER
    start: Delay = Delay()  # placement: before the instance's process is started
    preinit: int = 0  # instances started with the lab, before any call
    wake_on_connect: bool = False  # a connection alone starts an instance where none is up or starting
    max_age_ns: int | None = None  # an older instance is recycled as soon as it is free
    round_trip_ns: int = 0  # of the network before the gateway; handshakes do not have it
    jitter_ns: int = 0  # the standard deviation of what that network adds to it
    evidence: EvidenceMode = EvidenceMode.FULL
    dialect: str | None = None  # the platform of the table whose headers the lab sends in place of its own
    billing_ns: int | None = None  # the dialect tells executions in whole steps of it, as billing does
    workers: int = 1  # processes in one instance, where the function starts as many as it is told
    uses: int | None = None  # an instance takes so many calls and ends
    truth: str | None = None  # the truth file
    seed: int = 0

"""A profile becomes a plan: which steps follow one another, and when each invocation is intended."""

from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """Of a stage."""

    IDLE = "idle"
    BURST = "burst"
    RATE = "rate"
    RAMP = "ramp"
    USERS = "users"


class Step(Struct, frozen=True, kw_only=True):
    """One stage at its place in the run, for one target or for several at the same time.

    `targets` are indices into the run's targets. `phase` (`3:burst`) counts the steps' stages through
    the run; the bursts of several targets in one stage share it.
    """

    phase: str
    kind: Kind
    round: int
    targets: tuple[int, ...]
    duration_ns: int = 0
    size: int = 0  # burst
    rate: float = 0.0  # arrivals per second and target: rate; the first rate of a ramp
    rate_to: float = 0.0  # the last rate of a ramp
    poisson: bool = False
    users: int = 0  # per target
    think_ns: int = 0
    seed: int = 0  # of this step's own random arrivals


class Plan(Struct, frozen=True, kw_only=True):
    """The whole run, step by step."""

    steps: tuple[Step, ...]
    seed: int

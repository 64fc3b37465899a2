"""The verdicts: what one invocation met. A closed set (DESIGN.md and TRUTH.md)."""

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """What an invocation met at the platform."""

    COLD = "cold"  # the caller waited for an instance to start
    WARM = "warm"  # also when it queued for a busy, started instance
    PREINITIALISED = "preinitialised"  # first use of an instance that was started before the call
    COLD_AFFECTED = "cold_affected"  # bound to an instance that was still in somebody else's init
    START_FAILED = "start_failed"  # the caller waited and no instance came up
    THROTTLED = "throttled"
    UNKNOWN = "unknown"  # the evidence does not decide
    DISCARDED = "discarded"  # the function did not run


# Of invocations that the function itself answered.
RAN = frozenset({Verdict.COLD, Verdict.WARM, Verdict.PREINITIALISED, Verdict.COLD_AFFECTED, Verdict.UNKNOWN})


class ColdKind(StrEnum):
    """Why an instance had to be started. Kinds are never pooled and never compared across."""

    IDLE = "idle"
    SCALEOUT = "scaleout"
    DEPLOY = "deploy"  # also after any command of the user's that made it cold


class Judgement(Struct, frozen=True, kw_only=True, gc=False):
    """The verdict of one invocation with its reason, and how sure it is (0 to 1).

    `contradiction` says which two pieces of evidence disagree, when they do.
    """

    seq: int
    verdict: Verdict
    reason: str
    confidence: float
    cold_kind: ColdKind | None = None
    contradiction: str | None = None

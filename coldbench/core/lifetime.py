"""The trials of an idle lifetime: one instance is warm, nothing is sent for a gap, then it is called.

A trial is made of facts and verdicts that are kept anyway: a resumed or re-judged run counts none twice.
"""

from enum import StrEnum

from msgspec import Struct

from coldbench.core.invocation import Invocation
from coldbench.core.verdict import Verdict


class Role(StrEnum):
    """Of an invocation in its trial: what follows the colon in its phase."""

    SETTLE = "settle"  # makes sure that one instance is warm, and shows what a warm call waits
    TRIAL = "trial"
    SLEPT = "slept"  # a trial during whose gap this machine slept


class Void(StrEnum):
    """Why a trial tells nothing of the lifetime."""

    SLEPT = "this machine slept during the gap"
    FAILED = "it or the call before it failed"
    SEVERAL = "more than one instance was up"
    FOREIGN = "somebody else called"


class Trial(Struct, frozen=True, kw_only=True):
    """One gap and what came after it. `gone` is None where the evidence does not decide; `age_s` is how old
    the instance was, or would have been, when it was called, None without instance ids."""

    gap_s: float
    gone: bool | None
    age_s: float | None = None
    void: Void | None = None

    @property
    def decided(self) -> bool:
        """It is not void, and whether the instance had gone is known."""
        return self.void is None and self.gone is not None


class TrialTally:
    """Of one target: add its invocations in the order they were sent, with their verdicts."""

    def __init__(self) -> None:
        self.trials: list[Trial] = []
        self._last: Invocation | None = None
        self._several = False
        self._first_seen_ns: dict[str, int] = {}

    def add(self, invocation: Invocation, verdict: Verdict) -> None:
        """One more."""
        role = invocation.phase.rpartition(":")[2]
        before = self._last
        if role != Role.SETTLE and before is not None and invocation.sent_ns is not None and before.end_ns:
            self.trials.append(self._trial(before, invocation, verdict, slept=role == Role.SLEPT))
        instance = invocation.evidence.instance
        earlier = None if before is None else before.evidence.instance
        # A first use replaces; a settled instance that is not the one called just before is one more.
        self._several = role == Role.SETTLE and None not in (instance, earlier) and instance != earlier
        if instance is not None and invocation.end_ns is not None:
            self._first_seen_ns.setdefault(instance, invocation.end_ns)
        self._last = invocation

    def _trial(self, before: Invocation, call: Invocation, verdict: Verdict, *, slept: bool) -> Trial:
        gap_s = ((call.sent_ns or 0) - (before.end_ns or 0)) / 1e9
        gone = self._gone(before, call, verdict)
        void = None
        if slept:
            void = Void.SLEPT
        elif not (before.completed and call.completed):
            void = Void.FAILED
        elif self._several or (gone is False and _moved(before, call)):
            void = Void.SEVERAL
        elif verdict is Verdict.COLD_AFFECTED or (gone is False and _used_between(before, call)):
            void = Void.FOREIGN
        return Trial(gap_s=gap_s, gone=gone, age_s=self._age_s(before, gap_s), void=void)

    def _gone(self, before: Invocation, call: Invocation, verdict: Verdict) -> bool | None:
        """Whether the instance had gone, whoever paid for the next one."""
        if verdict in (Verdict.COLD, Verdict.PREINITIALISED):
            return True
        if verdict is Verdict.WARM:
            return False
        instance = call.evidence.instance
        if verdict is Verdict.UNKNOWN and instance is not None and before.evidence.instance is not None:
            # An id alone is no verdict on the caller's wait, but it tells one instance from another. One that
            # was seen and whose wait left a doubt may have been started anew under its id.
            return None if instance in self._first_seen_ns else True
        return None

    def _age_s(self, before: Invocation, gap_s: float) -> float | None:
        evidence = before.evidence
        if evidence.instance_age_ms is not None:
            return evidence.instance_age_ms / 1e3 + gap_s
        seen_ns = self._first_seen_ns.get(evidence.instance or "")
        return None if seen_ns is None or before.end_ns is None else (before.end_ns - seen_ns) / 1e9 + gap_s


def _moved(before: Invocation, call: Invocation) -> bool:
    """Whether another instance answered."""
    was, now = before.evidence.instance, call.evidence.instance
    return was is not None and now is not None and was != now


def _used_between(before: Invocation, call: Invocation) -> bool:
    """Whether the instance counted a call that was not ours."""
    was, now = before.evidence.instance_seq, call.evidence.instance_seq
    return was is not None and now is not None and not _moved(before, call) and now - was > 1

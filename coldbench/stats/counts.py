"""How many invocations there were, and how they ended."""

from coldbench.core.invocation import Invocation
from coldbench.core.summary import Counts
from coldbench.core.verdict import Verdict


class CountTally:
    """`add` each invocation and each `verdict`, then ask for the `counts`."""

    def __init__(self) -> None:
        self._recorded = self._sent = self._completed = self._unfinished = self._discarded = 0

    def add(self, invocation: Invocation) -> None:
        """Count one more, ended or not."""
        self._recorded += 1
        self._sent += invocation.sent_ns is not None
        self._completed += invocation.completed
        self._unfinished += invocation.unfinished

    def verdict(self, verdict: Verdict) -> None:
        """Count the verdict of one that ended."""
        self._discarded += verdict is Verdict.DISCARDED

    def counts(self, intended: int) -> Counts:
        """Of `intended` invocations; what the plan had and nobody recorded was never started, or was lost
        with a killed engine."""
        intended = max(intended, self._recorded)
        return Counts(
            intended=intended,
            sent=self._sent,
            completed=self._completed,
            errors=self._recorded - self._completed - self._unfinished,
            unfinished=self._unfinished,
            dropped=intended - self._recorded,
            discarded=self._discarded,
        )

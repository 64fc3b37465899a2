"""The parts of init that a function names itself: what each takes, and how many instances do it at once."""

from collections import Counter

from coldbench.core.invocation import Invocation
from coldbench.core.schedule import Kind
from coldbench.core.summary import InitSpan
from coldbench.core.verdict import Verdict
from coldbench.stats.distribution import Distribution

# Of answers whose instance was not up before their round.
_BEGUN = (Verdict.COLD, Verdict.COLD_AFFECTED, Verdict.PREINITIALISED)

# A server may name as many as it likes.
_MOST_NAMES = 8


class InitSpanTally:
    """Of one target: add the first answer of each instance, then ask."""

    def __init__(self) -> None:
        self._spans: dict[str, Distribution] = {}
        self._in_bursts: Counter[tuple[str, int]] = Counter()  # by name and block

    def add(self, invocation: Invocation, block: int, verdict: Verdict) -> None:
        """One more instance. A burst may start more than it needs: the next one of the block meets them."""
        for name, duration_ms in invocation.evidence.init_spans_ms.items():
            if name not in self._spans:
                if len(self._spans) == _MOST_NAMES:
                    continue
                self._spans[name] = Distribution()
            self._spans[name].add(duration_ms)
            if verdict in _BEGUN and invocation.phase.endswith(f":{Kind.BURST}"):
                self._in_bursts[name, block] += 1

    def spans(self) -> dict[str, InitSpan]:
        """By name."""
        found = {}
        for name, distribution in self._spans.items():
            quantiles = distribution.quantiles()
            most = max((number for (of, _), number in self._in_bursts.items() if of == name), default=None)
            if quantiles is not None:
                found[name] = InitSpan(ms=quantiles, most_in_bursts=most)
        return found

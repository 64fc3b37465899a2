"""Locust's own statistics, fed a batch at a time.

They stay right for whoever reads them, a listener or the master's totals, without slowing the load: 0.2 us of
CPU an invocation, where Locust's request event takes 2.9 (on the machine of docs/performance.md).
"""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence

from locust.stats import RequestStats, StatsEntry, bucket_response_time

from coldbench.core.messages import RawFact
from coldbench.core.target import Target
from coldbench.engine.outbox import Fact

_NS_PER_MS = 1_000_000
_TARGET, _STARTED, _END, _ERROR, _BYTES = (
    RawFact.__struct_fields__.index(name)
    for name in ("target", "started_ns", "end_ns", "error", "body_bytes")
)


class LocustStats:
    """The outbox's observer. It leaves unfinished invocations out: Locust knows none.

    A request's name is its target's. Response times are as Locust's own clients tell them, from dispatch to
    last byte, in whole ms; coldbench's own figures never come from here.
    """

    def __init__(self, stats: RequestStats, targets: Sequence[Target]) -> None:
        self._stats = stats
        self._targets = targets
        self._taken: defaultdict[int, _Sums] = defaultdict(_Sums)  # by target, since the last `publish`

    def take(self, facts: Sequence[Fact]) -> None:
        """Add them up."""
        for index in {fact[_TARGET] for fact in facts}:
            its = [fact for fact in facts if fact[_TARGET] == index and fact[_END] is not None]
            sums = self._taken[index]
            sums.took_ms.update([(fact[_END] - fact[_STARTED]) // _NS_PER_MS for fact in its])
            sums.body_bytes += sum([fact[_BYTES] or 0 for fact in its])
            sums.errors += [fact[_ERROR] for fact in its if fact[_ERROR] is not None]

    def publish(self) -> None:
        """Add what was taken to the runner's entries."""
        for index, sums in self._taken.items():
            if sums.took_ms:
                self._extend(self._targets[index], sums)
        self._taken.clear()

    def _extend(self, target: Target, sums: "_Sums") -> None:
        now = time.time()
        took_ms = sums.took_ms
        entry = StatsEntry(self._stats, target.name, target.method)
        entry.num_requests = took_ms.total()
        entry.total_response_time = sum(value * times for value, times in took_ms.items())
        entry.min_response_time = min(took_ms)
        entry.max_response_time = max(took_ms)
        entry.total_content_length = sums.body_bytes
        entry.num_reqs_per_sec[int(now)] = entry.num_requests
        entry.last_request_timestamp = now
        for value, times in took_ms.items():
            entry.response_times[bucket_response_time(value)] += times
        self._stats.total.extend(entry)
        self._stats.entries[target.name, target.method].extend(entry)
        for error in sums.errors:
            self._stats.log_error(target.method, target.name, error)


class _Sums:
    """Of one target's invocations."""

    def __init__(self) -> None:
        self.took_ms: Counter[int] = Counter()
        self.body_bytes = 0
        self.errors: list[str] = []

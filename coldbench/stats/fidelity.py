"""How true the generator was to the plan, from what it recorded."""

from msgspec.structs import replace

from coldbench.core.invocation import Error, Invocation
from coldbench.core.summary import Fidelity, Lateness
from coldbench.stats.distribution import Distribution

# The generator, not the target, was the limit: from this much of a core on, when one invocation in a
# hundred was started this late, when any failed for a reason of this machine's own, or when it was held.
_CPU_LIMIT_PCT = 90.0
_LATE_LIMIT_MS = 100.0
_OURS = (Error.DESCRIPTORS, Error.INTERNAL)


class FidelityTally:
    """`add` each invocation, then ask for the `fidelity`."""

    def __init__(self) -> None:
        self._lateness = Distribution()
        self._bursts: dict[tuple[str, str], tuple[int, int]] = {}  # the first and the last one sent
        self._reused = [0, 0]  # of connections not reused and reused, the calls
        self._failed_here = False

    def add(self, invocation: Invocation) -> None:
        """Look at one more, ended or not."""
        lateness, sent = invocation.lateness_ns, invocation.sent_ns
        if lateness is not None:
            self._lateness.add(lateness / 1e6)
        if invocation.reused is not None:
            self._reused[invocation.reused] += 1
        self._failed_here |= invocation.error in _OURS
        if sent is not None and invocation.phase.endswith(":burst"):
            burst = invocation.target, invocation.phase
            first, last = self._bursts.get(burst, (sent, sent))
            self._bursts[burst] = min(first, sent), max(last, sent)

    def fidelity(self, given: Fidelity) -> Fidelity:
        """What the engine said of itself in `given`, completed."""
        lateness = self._lateness.quantiles()
        late = lateness is not None and (lateness.p99 or lateness.max or 0.0) > _LATE_LIMIT_MS
        spreads = [last - first for first, last in self._bursts.values() if last > first]
        calls = sum(self._reused)
        return replace(
            given,
            limited_by_generator=late
            or bool(given.held_ms)
            or self._failed_here
            or (given.generator_cpu_pct_max or 0.0) >= _CPU_LIMIT_PCT,
            lateness_ms=Lateness(p50=lateness.p50, p99=lateness.p99, max=lateness.max)
            if lateness
            else Lateness(),
            burst_spread_ms=max(spreads) / 1e6 if spreads else None,
            reused_pct=100 * self._reused[True] / calls if calls else None,
        )

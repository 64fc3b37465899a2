"""Whether calls that overlap share instances, learned from bursts into one instance that is up.

A platform may put the second of two calls into the same instance, queue it behind the first, or start an
instance for it. Waits alone do not say which: a queue can be longer than a cold start, and a call that waits
for an instance may get one that was started for somebody else. But where *one* instance is up:

- two quick answers: it took both, or one after the other. Calls share instances.
- one quick answer, then a silence, then all others nearly together: no queue on one instance, which would
  space its answers evenly. The instance that was up did not serve a second call in that silence. If the
  silence is longer than an execution, a call that waits never gets an instance that has become free; if it
  is shorter, none becomes free again before an execution is over.
"""

from collections.abc import Iterable, Iterator
from math import inf

from coldbench.core.bursts import Burst, Lone, Speed

_FEWEST = 2  # bursts that must show it, and none the contrary
# What is left of a wait after the round trip is an execution at most. It is less by the network behind a
# proxy that ends the connections near the caller (an ocean's at most), and executions differ.
_HIDDEN_NS = 150_000_000
_VARIES = 0.1


def unshared_ns(groups: Iterable[Lone | Burst]) -> float:
    """For how long after the first answer of a burst no instance answers a second call of it, ns.

    Infinite where a call that waits never gets an instance that became free; 0 where calls share
    instances, or nothing shows that they do not.
    """
    shown = [found for burst in _into_one(groups) if (found := _shown(burst)) is not None]
    return min(shown) if len(shown) >= _FEWEST else 0.0


def _into_one(groups: Iterable[Lone | Burst]) -> Iterator[Burst]:
    """The bursts that met one instance at most: after a cold lone call, and no other burst since."""
    one = False
    for group in groups:
        if isinstance(group, Lone):
            one = one or group.speed == Speed.SLOW
        else:
            if one:
                yield group
            one = False


def _shown(burst: Burst) -> float | None:
    """By one burst into one instance; None when nothing is shown."""
    if len(burst.quick) > 1:
        return 0.0
    if not burst.quick or len(burst.slow) < 2 or burst.undecided or not burst.prompt:
        return None
    (alone,) = burst.quick
    silence = burst.slow[0].answered_ns - alone.answered_ns
    together = burst.slow[-1].answered_ns - burst.slow[0].answered_ns
    if together >= silence * (len(burst.slow) - 1) / 2:
        return None
    longest, shortest = alone.busy_ns * (1 + _VARIES), (alone.busy_ns - _HIDDEN_NS) * (1 - _VARIES)
    if longest < silence:
        return inf
    return shortest if shortest > silence else None

"""What waits alone tell of one target: the frozen model, and its pure evaluation.

Only calls that nobody else of this run overlapped are told: beside others, a wait may be a queue before a
busy instance or somebody else's init, and a short one the first use of an instance started for another.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from math import exp, lgamma, log, log1p, pi

from msgspec import Struct

from coldbench.core.invocation import Invocation
from coldbench.core.verdict import Verdict

DEGREES_OF_FREEDOM = 4.0  # of both components: heavier tails than the normal's, still with a variance
# Quick calls fall outside their component this often, anywhere within the spread seen: slow tails are warm.
STRAYS = 0.02
# A verdict is given from this probability on.
_SURE = 0.99


class Component(Struct, frozen=True, gc=False):
    """A Student t distribution on the scale of `excess`."""

    location: float
    scale: float

    def density(self, x: float) -> float:
        """At `x`, per unit of `excess`."""
        z = (x - self.location) / self.scale
        nu = DEGREES_OF_FREEDOM
        front = lgamma((nu + 1) / 2) - lgamma(nu / 2) - 0.5 * log(nu * pi)
        return exp(front - (nu + 1) / 2 * log1p(z * z / nu)) / self.scale


class LatencyModel(Struct, frozen=True, kw_only=True, gc=False):
    """Of one target and one kind of connection, where two kinds of wait, quick and slow, were found.

    `slow_share` is P(slow) from each idle gap of `gaps_ns` (both ascending) on. Slow calls as frequent as
    after the shortest gaps, `tail_share`, are no sign of a start at any gap: a warm function has tails.
    """

    quick: Component
    slow: Component
    spread: float  # from the least to the greatest value seen
    gaps_ns: tuple[int, ...]
    slow_share: tuple[float, ...]
    tail_share: float

    def probabilities(self, wait_ns: int, round_trip_ns: int, gap_ns: int | None) -> tuple[float, float]:
        """P(slow) and P(cold); without a gap (the first call of a run) slow and quick are even.

        They never fall as the wait grows: outside the two locations they are those of the nearer one.
        """
        x = excess(wait_ns, round_trip_ns)
        x = min(max(x, self.quick.location), self.slow.location)
        share = 0.5
        if gap_ns is not None:
            share = self.slow_share[max(0, bisect_right(self.gaps_ns, gap_ns) - 1)]
        slow = share * self.slow.density(x)
        quick = (1 - share) * ((1 - STRAYS) * self.quick.density(x) + STRAYS / self.spread)
        is_slow = slow / (slow + quick)
        return is_slow, is_slow * max(0.0, 1 - self.tail_share / share)


class Lone(Struct, frozen=True, gc=False):
    """A call during which no other call of this run to the target was under way.

    `gap_ns` counts from the target's last activity; None for the first call.
    """

    invocation: Invocation
    wait_ns: int
    gap_ns: int | None
    follows_overlap: bool  # since the lone call before it, calls have overlapped


class Told(Struct, frozen=True, gc=False):
    """What the model says of one invocation; `verdict` is `unknown` when it is not sure."""

    verdict: Verdict
    probability: float
    reason: str


# By the kind of connection: whether it was dialled within the invocation.
Models = Mapping[bool, LatencyModel]


def excess(wait_ns: int, round_trip_ns: int) -> float:
    """The wait less the round trip on the log scale: log(1 + ms), so that noise below 1 ms counts little."""
    return log1p(max(0, wait_ns - round_trip_ns) / 1e6)


def lone_calls(invocations: Sequence[Invocation]) -> Iterator[Lone]:
    """Of one target's invocations, those that overlapped no other, by the time they were sent.

    What failed after it was sent may be under way at the platform for longer than was seen: the call
    after it counts as overlapped.
    """
    sent = sorted((i.sent_ns, i.seq, i) for i in invocations if i.sent_ns is not None)
    busy_until: int | None = None
    overlapped = False
    for place, (at, _, invocation) in enumerate(sent):
        next_at = sent[place + 1][0] if place + 1 < len(sent) else at
        # A failed call hides the one after it, not the rest of the run.
        failed = invocation.error is not None or invocation.end_ns is None
        ends = next_at if failed else invocation.end_ns or at
        wait = invocation.wait_ns
        last = place + 1 == len(sent)
        if wait is not None and not failed and (last or ends < next_at) and (busy_until or -1) < at:
            gap = None if busy_until is None else at - busy_until
            yield Lone(invocation, wait, gap, overlapped)
            overlapped = False
        else:
            overlapped = True
        # A failed call hides one call after it, not the rest of the run.
        busy_until = max(busy_until or 0, ends)


def tell(invocations: Sequence[Invocation], models: Models, round_trip_ns: int) -> dict[int, Told]:
    """By seq, what the models say of one target's lone calls; others are not in it.

    A quick call is `warm` only where no instance can be waiting unused (`preinitialised`) because calls had
    overlapped before: that is known again after the next cold start of a lone call.
    """
    told = {}
    spares = False
    for lone in lone_calls(invocations):
        spares = spares or lone.follows_overlap
        model = models.get(lone.invocation.dialled)
        if model is None:
            continue
        slow, p = model.probabilities(lone.wait_ns, round_trip_ns, lone.gap_ns)
        reason = f"latency model: P(cold) = {p:.3f}"
        verdict = Verdict.UNKNOWN
        if p >= _SURE:
            verdict, spares = Verdict.COLD, False
        elif slow <= 1 - _SURE and not spares:
            verdict = Verdict.WARM
        elif slow <= 1 - _SURE:
            reason += "; perhaps the first use of an instance that an earlier burst left"
        told[lone.invocation.seq] = Told(verdict, p, reason)
    return told

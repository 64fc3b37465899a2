"""What waits alone tell of one target: the frozen model, and its pure evaluation."""

from collections.abc import Mapping
from math import expm1, lgamma, log, pi
from typing import TYPE_CHECKING

from msgspec import Struct

from coldbench.core.calls import NOT_OBSERVED, Calls

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from coldbench.core.calls import Ints

    Floats = NDArray[float64]

DEGREES_OF_FREEDOM = 4.0  # of both components: heavier tails than the normal's, still with a variance
# Quick calls fall outside their component this often, anywhere within the spread seen: slow tails are warm.
STRAYS = 0.02
# In a burst quick calls may queue, for any time: so often when asking whether a call was slow at all.
_QUEUED = 0.5


class Component(Struct, frozen=True, gc=False):
    """A Student t distribution on the scale of `excess`."""

    location: float
    scale: float

    def density(self, x: "Floats") -> "Floats":
        """At each `x`, per unit of `excess`."""
        import numpy as np

        z = (x - self.location) / self.scale
        nu = DEGREES_OF_FREEDOM
        front = lgamma((nu + 1) / 2) - lgamma(nu / 2) - 0.5 * log(nu * pi) - log(self.scale)
        density: Floats = np.exp(front - (nu + 1) / 2 * np.log1p(z * z / nu))
        return density


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

    @property
    def penalty_ns(self) -> float:
        """How much longer slow calls wait than quick ones."""
        return (expm1(self.slow.location) - expm1(self.quick.location)) * 1e6

    def probabilities(
        self, wait_ns: "Ints", round_trip_ns: int, gap_ns: "Ints", strays: float = STRAYS
    ) -> tuple["Floats", "Floats"]:
        """P(slow) and P(cold) of each wait; without a gap (`NOT_OBSERVED`) slow and quick are even.

        They never fall as the wait grows: outside the two locations they are those of the nearer one.
        """
        import numpy as np

        x = np.clip(excess(wait_ns, round_trip_ns), self.quick.location, self.slow.location)
        step = np.searchsorted(self.gaps_ns, gap_ns, side="right") - 1
        by_gap = np.asarray(self.slow_share)[np.maximum(0, step)]
        share = np.where(gap_ns == NOT_OBSERVED, 0.5, by_gap)
        slow = share * self.slow.density(x)
        quick = (1 - share) * ((1 - strays) * self.quick.density(x) + strays / self.spread)
        is_slow = slow / (slow + quick)
        # Slow are the cold ones, and of the others as many as anywhere: share = cold + (1 - cold) * tails.
        tails = min(self.tail_share, 1 - 1e-9)
        cold = np.maximum(0.0, (share - tails) / (1 - tails))
        return is_slow, is_slow * cold / share


# By the kind of connection: whether it was dialled within the invocation.
Models = Mapping[bool, LatencyModel]


def odds(calls: Calls, models: Models, round_trip_ns: int) -> tuple["Floats", "Floats"]:
    """P(slow) and P(cold) of each call by itself; NaN where its connection has no model.

    Of a burst the gap before it says nothing: its second call has none.
    """
    import numpy as np

    slow, cold = np.full((2, len(calls.seq)), np.nan)
    gap_ns = np.where(calls.lone, calls.gap_ns, NOT_OBSERVED)
    for dialled, model in models.items():
        its = (calls.dialled == dialled) & (calls.wait_ns != NOT_OBSERVED)
        waits, gaps = calls.wait_ns[its], gap_ns[its]
        by_itself, cold[its] = model.probabilities(waits, round_trip_ns, gaps)
        beside_others, _ = model.probabilities(waits, round_trip_ns, gaps, _QUEUED)
        slow[its] = np.where(calls.lone[its], by_itself, beside_others)
    return slow, cold


def excess(wait_ns: "Ints", round_trip_ns: int) -> "Floats":
    """The wait less the round trip on the log scale: log(1 + ms), so that noise below 1 ms counts little."""
    import numpy as np

    x: Floats = np.log1p(np.maximum(0, wait_ns - round_trip_ns) / 1e6)
    return x

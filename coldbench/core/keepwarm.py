"""What keeping instances warm is about: a round of pings, and what all rounds come to."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from coldbench.core.hold import Holding

# In the first rounds instances are started and the pings find their number; after them a round counts.
SETTLING_ROUNDS = 2
# A target is covered when so many of its rounds found all still there: one in twenty may miss.
COVERED_PCT = 95.0


class Round(Struct, frozen=True, kw_only=True):
    """One round of one target: a line of the event log. Instants in seconds of the run."""

    target: str
    number: int
    at_s: float
    asked: int  # instances
    reached: int | None  # distinct instances that answered, where it is told; an estimate where `estimated`
    estimated: bool
    pings: int
    hold_ms: float
    spread_ms: float
    stayed: int | None = None  # of those reached, that had been there before the round
    cold: int | None  # first uses among the answers; None where no answer says
    slow: int = 0  # pings of the first attempt that waited as for a start, or for room; where cold is None
    recycled: bool  # less than half of those reached were first uses: replaced in use, or let go sooner
    answers: int
    took_s: float
    every_s: float  # the period found so far, or asked for


class Kept(Struct, frozen=True, kw_only=True):
    """What the rounds of one target come to. `reached` is the median of the rounds that count.

    The coverage is of rounds that met as many as asked that had been there before: what a round starts, a
    caller in its place would have waited for. `reached` and the coverage are None where nothing ever told how
    many instances there were.
    """

    target: str
    asked: int
    reached: int | None
    estimated: bool
    rounds: int
    coverage_pct: float | None
    counted: int | None = None  # rounds that the coverage is of, with those missed
    missed: int = 0  # rounds for which there was time while nothing answered
    cold: int | None  # that slipped through after the first rounds; None where no answer says
    slow: int = 0  # pings after the first rounds that waited as for a start, or for room; where cold is None
    pings: int
    hold_ms: float | None
    held_by: str | None
    every_s: float | None
    notes: tuple[str, ...] = ()


class Keepwarm(Struct, frozen=True, kw_only=True):
    """Of all targets: sums, the least coverage, and each by itself."""

    asked: int
    reached: int | None
    rounds: int
    coverage_pct: float | None
    targets: tuple[Kept, ...] = ()


class Tally:
    """The rounds of one target, one after the other; what is kept of them does not grow with time."""

    def __init__(self, target: str, asked: int) -> None:
        self._target = target
        self._asked = asked
        self.rounds = 0
        self._settling = SETTLING_ROUNDS  # that do not count, still to come
        self._counting = False
        self._reached: Counter[int] = Counter()  # in rounds that count
        self._covered = self._untold = 0  # of these
        self._estimated = False
        self._cold: int | None = None
        self._slow = self._answers = self._missed = 0
        self.last: Round | None = None

    def add(self, done: Round) -> None:
        """Count one more."""
        self.rounds += 1
        self.last = done
        self._answers += done.answers
        self._estimated = done.estimated
        counts = self.settled
        if counts and not self._counting:
            # Better ones than the first ones, which stand for them until then.
            self._counting = True
            self._reached.clear()
            self._covered = self._untold = 0
        if counts or not self._counting:
            self._covered += done.stayed is not None and done.stayed >= self._asked
            if done.reached is None:
                self._untold += 1
            else:
                self._reached[done.reached] += 1
        self._settling -= not counts
        if done.cold is not None:
            self._cold = (self._cold or 0) + (done.cold if counts else 0)
        self._slow += done.slow if counts else 0

    @property
    def settled(self) -> bool:
        """Whether the next round counts."""
        return not self._settling

    def settle_anew(self) -> None:
        """After a silence that was not the period's its instances are started again."""
        self._settling = SETTLING_ROUNDS

    def miss(self, lasting_ns: int, period_ns: int) -> None:
        """Nothing answered for so long: at least one round, and as many as there was time for."""
        self._missed += max(1, round(lasting_ns / period_ns))

    def kept(self, holding: Holding | None, period_ns: int, notes: Sequence[str]) -> Kept:
        """What they come to."""
        told = self._reached.total()
        # Beside rounds that tell, one that does not tell has shown nothing.
        counted = told + self._untold + self._missed
        known = counted > 0 and (told > 0 or not self._untold)
        return Kept(
            target=self._target,
            asked=self._asked,
            reached=_median(self._reached),
            estimated=self._estimated,
            rounds=self.rounds,
            coverage_pct=100 * self._covered / counted if known else None,
            counted=counted,
            missed=self._missed,
            cold=self._cold,
            slow=self._slow,
            pings=self._answers,
            hold_ms=self.last.hold_ms if self.last else None,
            held_by=None if holding is None else holding.by,
            every_s=period_ns / 1e9,
            notes=tuple(notes),
        )


def _median(counts: Counter[int]) -> int | None:
    """The lower median of counted values."""
    half = (counts.total() + 1) // 2
    for value in sorted(counts):
        half -= counts[value]
        if half <= 0:
            return value
    return None


def together(kept: Sequence[Kept]) -> Keepwarm:
    """The same for all targets."""
    answered = [one for one in kept if one.rounds]
    reached = [one.reached for one in answered if one.reached is not None]
    tried = [one for one in kept if one.rounds or one.missed]
    coverages = [one.coverage_pct for one in tried if one.coverage_pct is not None]
    return Keepwarm(
        asked=sum(one.asked for one in kept),
        reached=sum(reached) if reached and len(reached) == len(answered) else None,
        rounds=sum(one.rounds for one in kept),
        coverage_pct=min(coverages) if coverages and len(coverages) == len(tried) else None,
        targets=tuple(kept),
    )

"""Whether a run has changed against its baseline by more than it may, and whether it has the samples to say
so."""

from collections.abc import Iterator, Sequence
from math import inf, isfinite
from typing import TYPE_CHECKING

from msgspec.structs import replace

from coldbench.core.change import Change
from coldbench.core.summary import Checked, Outcome
from coldbench.stats.comparison import Contender, against
from coldbench.stats.cut_off import quantile, share_beyond
from coldbench.stats.intervals import estimate
from coldbench.stats.quantiles import quantiles

if TYPE_CHECKING:
    from coldbench.stats.intervals import Floats


def changed(changes: Sequence[Change], contenders: Sequence[Contender], baseline: str) -> Iterator[Checked]:
    """Each forbidden change at each side that it is about, held against the baseline's."""
    for change in changes:
        for one in contenders:
            reference = against(one, contenders, baseline)
            if reference is not None and change.target in (None, one.side.target):
                yield _checked(change, one, reference)


def _checked(change: Change, one: Contender, reference: Contender) -> Checked:
    n = min(_number(one, change.field), _number(reference, change.field))
    if change.part is not None and change.field in one.samples and change.field in reference.samples:
        seen, outcome = _of_quantile(change, change.part, one, reference)
    else:
        seen = _difference(change, _stated(change, one), _stated(change, reference))
        outcome = _outcome(change, seen, seen)
    return Checked(check=change.text, target=one.side.target, outcome=outcome, seen=seen, n=n)


def _number(one: Contender, field: str) -> int:
    return getattr(getattr(one.result, field), "n", 0)


def _stated(change: Change, one: Contender) -> float | None:
    """The figure as the run's own summary has it."""
    found = getattr(one.result, change.field)
    value: float | None = getattr(found, change.stat, None) if change.stat else found
    return value


def _of_quantile(
    change: Change, part: float, one: Contender, reference: Contender
) -> tuple[float | None, Outcome]:
    """By the interval of the change: it is decided when the bound is outside of it. Where so many calls timed
    out that there may be no change in numbers, by the share of calls beyond what is allowed."""

    def statistic(sides: Sequence["Floats"]) -> float:
        values = [quantile(side, part) for side in sides]
        return _difference(change, *values) or 0.0

    def allowed(base: float) -> float:
        return base * (1 + change.bound / 100) if change.percent else base + change.bound

    sides = [one.samples[change.field], reference.samples[change.field]]
    for side in sides:
        # The quantile itself is withheld where there are too few values for it, be they cut off or not.
        found = quantiles([value for its in side.values() for value in its])
        if getattr(found, change.stat or "", None) is None:
            return None, Outcome.TOO_FEW
    together = one.side.run == reference.side.run
    interval = estimate(statistic, sides, one.seed, together=together)
    if interval is None:
        return None, Outcome.TOO_FEW
    if interval.low is not None or not any(inf in its for side in sides for its in side.values()):
        return interval.value, _outcome(change, interval.low, interval.high)
    share = share_beyond(part, allowed, sides[0], sides[1], one.seed, together=together)
    seen = interval.value if isfinite(interval.value) else None
    return seen, _outcome(replace(change, bound=0.0), *(share.low, share.high) if share else (None, None))


def _difference(change: Change, value: float | None, base: float | None) -> float | None:
    if value is None or base is None or (change.percent and not base):
        return None
    return 100 * (value - base) / base if change.percent else value - base


def _outcome(change: Change, low: float | None, high: float | None) -> Outcome:
    """Forbidden growth is seen when even the low end is beyond the bound, and ruled out when the high end is
    not; forbidden loss the other way round."""
    if low is None or high is None:
        return Outcome.TOO_FEW
    if low > change.bound if change.growth else high < change.bound:
        return Outcome.FAILED
    return (
        Outcome.PASSED
        if (high <= change.bound if change.growth else low >= change.bound)
        else Outcome.TOO_FEW
    )

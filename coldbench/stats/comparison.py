"""Sides of runs against one another: medians, differences, rank."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf, isfinite
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from coldbench.core.comparison import Difference, Figure, Group, Side, Told
from coldbench.core.errors import UsageError
from coldbench.core.invocation import Error
from coldbench.core.summary import Interval, Result, Run, TargetInfo
from coldbench.core.verdict import ColdKind
from coldbench.stats.cut_off import quantile, share_beyond
from coldbench.stats.intervals import ByBlock, estimate

if TYPE_CHECKING:
    from coldbench.stats.intervals import Floats

# The fields of `Result` that are compared, in reading order.
FIELDS = (
    "startup_ms",
    "platform_ms",
    "unattributed_ms",
    "init_ms",
    "exec_ms",
    "wait_cold_ms",
    "wait_warm_ms",
    "service_ms",
)
_OF_COLD_STARTS = frozenset(FIELDS) - {"exec_ms", "wait_warm_ms", "service_ms"}
# What sides are ranked by: the first of these that all of them have.
_RANKED_BY = ("startup_ms", "wait_cold_ms", "wait_warm_ms", "service_ms")
# Between one run and another machines, networks and platforms drift, which no round of either shows: what may
# be less than this part of the reference's median is not told.
_DRIFT = 0.1
# More than this many times as many rounds is nothing that anybody would do.
_MOST_TIMES = 100


class Sampled(Struct, frozen=True, kw_only=True):
    """A run and what a comparison resamples of it, by target: by field of `Result`, values by block."""

    folder: str
    run: Run
    cold_kinds: Mapping[str, ColdKind | None]
    samples: Mapping[str, Mapping[str, ByBlock]]


class Contender(Struct, frozen=True, kw_only=True):
    """A side, with what its figures are made of."""

    side: Side
    result: Result
    samples: Mapping[str, ByBlock]
    seed: int

    def median(self, field: str) -> float | None:
        """Of that field, ms; +inf where it is beyond all that was waited for; None where there are too few
        values."""
        figure = self.side.figures.get(field)
        if figure is None or figure.p50 is None:
            return inf if figure is not None and figure.beyond else None
        return figure.p50.value


def contenders(runs: Sequence[Sampled], by: str | None) -> dict[str, list[Contender]]:
    """Who is compared with whom, by the name of the group.

    With `by`, a label: targets that have it and are alike but for it. Else targets of the same name when each
    of them is in several runs; else all. Raises UsageError when that leaves nobody to compare.
    """
    every = [(run, target) for run in runs for target in run.run.targets]
    seen = Counter(target.name for _, target in every)
    by_name = by is None and len(runs) > 1 and min(seen.values(), default=0) > 1

    def group_of(target: TargetInfo) -> str:
        if by is not None:
            others = sorted(f"{key}={value}" for key, value in target.labels.items() if key != by)
            return " ".join([target.runtime or "", *others]).strip()
        return target.name if by_name else ""

    groups: dict[str, list[tuple[Sampled, TargetInfo]]] = {}
    for run, target in every:
        if by is None or by in target.labels:
            groups.setdefault(group_of(target), []).append((run, target))
    found = {name: _named(its, by) for name, its in groups.items() if len(its) > 1}
    if not found and by is None:
        hint = "give several runs, or one of several targets"
        place = ", ".join(run.folder for run in runs) or None
        raise UsageError("fewer than two targets: nothing to compare", place=place, hint=hint)
    if not found:
        labels = sorted({key for _, target in every for key in target.labels})
        raise UsageError(
            "no targets that have it and are alike but for it",
            place=f"--by {by}",
            hint=f"labels there: {', '.join(labels) or 'none'}; run --label sets them",
        )
    return found


def _named(its: Sequence[tuple[Sampled, TargetInfo]], by: str | None) -> list[Contender]:
    """Each by the shortest name that tells it from the others."""
    ways: tuple[Callable[[Sampled, TargetInfo], str], ...] = (
        lambda run, target: target.name if by is None else f"{by}={target.labels[by]}",
        lambda run, target: run.run.name,
        lambda run, target: f"{run.run.name}:{target.name}",
        lambda run, target: run.folder,
        lambda run, target: f"{run.folder}:{target.name}",
    )
    for way in ways:
        names = [way(*one) for one in its]
        if len(set(names)) == len(names):
            break
    return [_contender(name, run, target) for name, (run, target) in zip(names, its, strict=True)]


def _contender(name: str, run: Sampled, target: TargetInfo) -> Contender:
    result = next(result for result in run.run.results if result.target == target.name)
    kind = run.cold_kinds[target.name]
    samples = run.samples[target.name]
    figures = {
        field: figure
        for field in FIELDS
        if (figure := _figure(field, result, samples[field], run.run.seed)) is not None
    }
    side = Side(
        name=name,
        run=run.folder,
        target=target.name,
        runtime=target.runtime,
        labels=target.labels,
        cold_kind=None if kind is None else kind.value,
        figures=figures,
    )
    return Contender(side=side, result=result, samples=samples, seed=run.run.seed)


def _figure(field: str, result: Result, values: ByBlock, seed: int) -> Figure | None:
    quantiles = getattr(result, field)
    if quantiles is None:
        return None
    p50 = estimate(_median, [values], seed, together=True)
    return Figure(
        n=quantiles.n,
        rounds=len(values),
        p50=_duration(p50) if p50 is not None and isfinite(p50.value) else None,
        p95=quantiles.p95,
        cut_off=result.errors.get(Error.TIMEOUT, 0) if field == "service_ms" else 0,
    )


def _duration(estimated: Interval) -> Interval:
    """No duration is below zero, though a symmetrical interval may be."""
    return estimated if estimated.low is None else replace(estimated, low=max(estimated.low, 0.0))


def group(name: str, its: Sequence[Contender], baseline: str | None) -> Group:
    """The sides of one group compared; `baseline` is the folder of the run that the others are held against.

    Without one, all are held against the one with the shortest median.
    """
    ranked_by = next((field for field in _RANKED_BY if _all_comparable(its, field)), None)
    order = sorted(its, key=lambda one: one.median(ranked_by) or 0.0) if ranked_by else list(its)
    differences: list[Difference] = []
    for one in order:
        reference = against(one, its, baseline) if baseline else order[0]
        if reference is not None and reference is not one:
            differences += _differences(one, reference)
    return Group(
        name=name,
        sides=tuple(one.side for one in order),
        ranked_by=ranked_by,
        tiers=tuple(_tiers(order, ranked_by)) if ranked_by else (),
        differences=tuple(differences),
    )


def against(one: Contender, its: Sequence[Contender], baseline: str) -> Contender | None:
    """Its counterpart in the baseline: of the same target, or the only one there is."""
    if one.side.run == baseline:
        return None
    base = [other for other in its if other.side.run == baseline]
    same = [other for other in base if other.side.target == one.side.target]
    return (same or base)[0] if same or len(base) == 1 else None


def _comparable(one: Contender, other: Contender, field: str) -> bool:
    """Both have enough of it, and of the same kind: kinds of cold starts are never compared across."""
    if field in _OF_COLD_STARTS and one.side.cold_kind != other.side.cold_kind:
        return False
    medians = one.median(field), other.median(field)
    return None not in medians and not all(median == inf for median in medians)


def _all_comparable(its: Sequence[Contender], field: str) -> bool:
    """With the one that has the shortest median."""
    first = min(its, key=lambda one: inf if (median := one.median(field)) is None else median)
    return all(_comparable(first, one, field) for one in its)


def _differences(one: Contender, reference: Contender) -> Iterator[Difference]:
    for field in FIELDS:
        # A difference to what is beyond all that was waited for is no number.
        if _comparable(one, reference, field) and inf not in (one.median(field), reference.median(field)):
            yield _difference(field, one, reference)


def _difference(field: str, one: Contender, reference: Contender) -> Difference:
    sides = [one.samples[field], reference.samples[field]]
    found, margin = _difference_of_medians(field, one, reference)
    told = _told(field, one, reference, found, margin)
    base = reference.median(field)
    return Difference(
        field=field,
        side=one.side.name,
        reference=reference.side.name,
        told=told,
        difference_ms=found,
        difference_pct=100 * found.value / base if base else None,
        longer_in_pct=_longer_in_pct(*sides),
        times_as_many=_times_as_many(found, margin) if told is Told.ALIKE else None,
    )


def _difference_of_medians(field: str, one: Contender, reference: Contender) -> tuple[Interval, float]:
    """With the margin that it must be beyond to be told, ms."""
    sides = [one.samples[field], reference.samples[field]]
    together = one.side.run == reference.side.run
    found = estimate(_median_difference, sides, one.seed, together=together)
    base = reference.median(field)
    assert found is not None
    assert base is not None
    return found, 0.0 if together else _DRIFT * base


def _told(field: str, one: Contender, reference: Contender, found: Interval, margin: float) -> Told:
    if found.low is None or found.high is None:
        return _told_by_share(field, one, reference, margin)
    if found.low > margin:
        return Told.SLOWER
    return Told.FASTER if found.high < -margin else Told.ALIKE


def _told_by_share(field: str, one: Contender, reference: Contender, margin: float) -> Told:
    """Where so many may have timed out that the difference has no interval."""
    share = share_beyond(
        0.5,
        lambda median: median + margin,
        one.samples[field],
        reference.samples[field],
        one.seed,
        together=one.side.run == reference.side.run,
    )
    return Told.SLOWER if share is not None and share.low is not None and share.low > 0 else Told.TOO_FEW


def _times_as_many(found: Interval, margin: float) -> float | None:
    """By how much the number of rounds has to grow for the interval to be as narrow as the difference."""
    assert found.high is not None
    beyond = abs(found.value) - margin
    if beyond <= 0:
        return None
    times = ((found.high - found.value) / beyond) ** 2
    return times if times <= _MOST_TIMES else None


def _longer_in_pct(one: ByBlock, reference: ByBlock) -> float:
    """The A of Vargha and Delaney (2000) in percent, by the U of Mann and Whitney."""
    from scipy.stats import mannwhitneyu

    values = [[value for its in side.values() for value in its] for side in (one, reference)]
    u = mannwhitneyu(*values, method="asymptotic").statistic
    return float(100 * u / (len(values[0]) * len(values[1])))


def _tiers(order: Sequence[Contender], field: str) -> Iterator[tuple[str, ...]]:
    tier = [order[0]]
    for one in order[1:]:
        found, margin = _difference_of_medians(field, one, tier[0])
        if _told(field, one, tier[0], found, margin) is Told.SLOWER:
            yield tuple(each.side.name for each in tier)
            tier = []
        tier.append(one)
    yield tuple(each.side.name for each in tier)


def _median(sides: Sequence["Floats"]) -> float:
    return quantile(sides[0], 0.5)


def _median_difference(sides: Sequence["Floats"]) -> float:
    return quantile(sides[0], 0.5) - quantile(sides[1], 0.5)

"""The page of a comparison: its pictures, and the tables behind them."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from coldbench.core.comparison import Comparison, Group
from coldbench.report.breakdown import NAMES as PARTS
from coldbench.report.comparison import (
    FIELD_NAMES,
    comparison_tables,
    comparison_title,
    comparison_words,
)
from coldbench.report.html import charts
from coldbench.report.html.charts import XY, Series
from coldbench.report.html.document import Figure, Section
from coldbench.report.html.page import render
from coldbench.report.words import shown

# Of each side: values by block, ms, by field of `Result`.
Samples = Mapping[str, Mapping[str, Mapping[int, Sequence[float]]]]

_LONGEST_NAME = 40
_COLOURS = 8  # of sides, in page.css
_MOST_STEPS = 400
_STACKED = {"platform_ms": "platform", "unattributed_ms": "unattributed", "init_ms": "init"}


def comparison_page(
    comparison: Comparison, samples: Mapping[str, Samples], *, home: str | None = None
) -> str:
    """The whole document; `samples` by the name of the group, `home` the address of the list of runs."""
    return render(
        "comparison.html",
        title=comparison_title(comparison),
        answers=list(comparison_words(comparison)),
        doubts=list(comparison.warnings),
        sections=list(_sections(comparison, samples)),
        home=home,
    )


def _sections(comparison: Comparison, samples: Mapping[str, Samples]) -> Iterator[Section]:
    for group in comparison.comparison:
        title = f"Compared: {shown(group.name, _LONGEST_NAME)}" if group.name else "Compared"
        figures = [*_differences(group), *_distributions(group, samples[group.name]), *_parts(group)]
        yield Section(title=title, figures=figures)
    yield Section(title="Figures", tables=list(comparison_tables(comparison)))


def _differences(group: Group) -> Iterator[Figure]:
    rows = [
        (f"{shown(each.side, 24)}: {FIELD_NAMES[each.field]}", found.low, found.value, found.high)
        for each in group.differences
        if (found := each.difference_ms).low is not None and found.high is not None
    ]
    if rows:
        against = ", ".join(dict.fromkeys(shown(each.reference, 24) for each in group.differences))
        yield Figure(
            title=f"Differences to {against}",
            caption="Of medians: the point is the difference that was seen, the line its 95 % interval. "
            "A line that holds zero: these samples cannot tell the two sides apart. n is in the table.",
            option=charts.intervals(rows, "ms longer (right) or shorter (left)", "var(--target-1)"),
            height_px=90 + 26 * len(rows),
        )


def _distributions(group: Group, samples: Samples) -> Iterator[Figure]:
    if group.ranked_by is None:
        return
    field = group.ranked_by
    series, numbers = [], []
    for place, side in enumerate(group.sides):
        values = sorted(value for its in samples[side.name][field].values() for value in its)
        numbers.append(f"{shown(side.name, 24)} {len(values):,}")
        colour = f"var(--target-{place % _COLOURS + 1})"
        series.append(Series(name=shown(side.name, 24), data=_shares(values), colour=colour))
    yield Figure(
        title=f"The whole distribution: {FIELD_NAMES[field]}",
        caption="At a time on the axis below, the line is as high as the share of calls that took no longer; "
        f"where it crosses 50 % is the median. n: {', '.join(numbers)}.",
        option=charts.distribution(series, f"{FIELD_NAMES[field]}, ms (log scale)", "share, %"),
    )


def _shares(values: Sequence[float]) -> list[XY]:
    step = max(1, len(values) // _MOST_STEPS)
    ranks = [*range(0, len(values) - 1, step), len(values) - 1]
    shares = [(round(values[rank], 3), round(100 * (rank + 1) / len(values), 2)) for rank in ranks]
    # What timed out has no place on the axis: the line ends below 100 %.
    return [point for point in shares if isfinite(point[0])]


def _parts(group: Group) -> Iterator[Figure]:
    parts = [
        (PARTS[part], f"var(--part-{part})", [_median(side.figures.get(field)) for side in group.sides])
        for field, part in _STACKED.items()
        if any(field in side.figures for side in group.sides)
    ]
    if parts:
        yield Figure(
            title="What the startup is made of",
            caption="The median of each part; medians do not add up exactly. Init is what the function's "
            "code and runtime can change, platform overhead is not; unattributed is startup of which nobody "
            "said whose it is. n is in the table.",
            option=charts.stacked([shown(side.name, 24) for side in group.sides], parts, "ms"),
            height_px=90 + 44 * len(group.sides),
        )


def _median(figure: object) -> float:
    p50 = getattr(figure, "p50", None)
    return 0.0 if p50 is None else round(max(p50.value, 0.0), 3)

"""The idle lifetime: the plan, the points, the curve, and what they mean in words."""

from collections.abc import Iterator, Sequence

from coldbench.core.durations import format_duration
from coldbench.core.summary import CurvePoint, Interval, Lifetime
from coldbench.core.target import Target
from coldbench.report.table import Column, Table
from coldbench.report.words import count, shown

LIVED = "P(cold | gap)"

_ROWS = 12
_BAR = 40
# What unused instances live on most platforms: the shortest and the longest.
_TYPICAL_S = (60.0, 900.0)


def plan_lines(
    targets: Sequence[Target], *, samples: int, precision: float, most_s: float, max_time_s: float | None
) -> Iterator[str]:
    """What will be sent where, and about how long it takes."""
    names = ", ".join(shown(target.name, 40) for target in targets)
    yield (
        f"plan  at most {count(samples, 'trial')} of two calls each to {names}: silence, a call, and at once "
        "a second one"
    )
    yield (
        f"      gaps of up to {seconds(most_s)} that follow the outcomes, until the median is known to "
        f"{100 * precision:g} % of itself"
    )
    # Gaps of about a lifetime each, the targets waiting at the same time.
    lives = sorted({min(typical, most_s) for typical in _TYPICAL_S})
    about = ", ".join(
        f"{seconds(life * samples / len(targets))} if one lives {seconds(life)}" for life in lives
    )
    yield f"      at most about {about}"
    if max_time_s is not None:
        yield f"      for no longer than {seconds(max_time_s)}"


def lifetime_words(found: Lifetime) -> Iterator[str]:
    """The plain answers."""
    if found.p10 and found.p50 and found.p90:
        yield (
            f"Half of all unused instances are gone after {_point(found.p50)}; one in ten after "
            f"{_point(found.p10)}, nine in ten after {_point(found.p90)}."
        )
    elif found.warm and not found.cold:
        longest_s = max(point.gap_s for point in found.curve)
        yield f"No instance went away within {seconds(longest_s)}: it lives longer (--max-gap tries more)."
    elif found.cold:
        shortest_s = min(point.gap_s for point in found.curve)
        yield f"Every call was cold, after {seconds(shortest_s)} too: no instance is kept that long."
    elif found.unknown:
        longest_s = max(found.unknown_gaps_s)
        yield (
            f"After gaps of up to {seconds(longest_s)} no call stands out: either all were cold, or all were "
            "warm and an unused instance lives longer (--max-gap tries more)."
        )
    else:
        yield "No trial tells how long an unused instance lives."
    yield (
        f"{count(found.trials, 'trial')}, {seconds(found.waited_s)} of silence in all: {found.cold} cold, "
        f"{found.warm} warm{_lost(found)}."
    )
    if found.recycled and found.recycled_after_s is not None:
        yield (
            f"{count(found.recycled, 'instance')} ended {seconds(found.recycled_after_s)} old or older, "
            "whatever the gap: the platform replaces instances for their age, which no ping prevents."
        )


def curve_table(lifetime: Lifetime) -> Table:
    """P(cold | gap), drawn."""
    return Table(
        title=LIVED,
        columns=[
            Column("gaps", words=True),
            Column("cold"),
            Column("P(cold)"),
            Column("", words=True),
        ],
        rows=[list(row) for row in _curve_rows(lifetime)],
        caption="Turnbull's estimate at the end of each span of gaps; as many trials in each.",
    )


def _curve_rows(found: Lifetime) -> Iterator[tuple[str, str, str, str]]:
    """The span of gaps, how many trials, the probability at its end, and a bar."""
    points = found.curve
    step = -(-len(points) // _ROWS)
    for first in range(0, len(points), step or 1):
        part: Sequence[CurvePoint] = points[first : first + step]
        probability = part[-1].probability
        ends = dict.fromkeys(seconds(point.gap_s) for point in (part[0], part[-1]))
        cold = sum(point.cold for point in part)
        bar = "#" * round(_BAR * probability)
        yield " to ".join(ends), f"{cold} of {len(part)}", f"{100 * probability:.0f} %", bar


def seconds(value: float) -> str:
    """A duration with three digits that count: `2.98s`, `4m 12s`."""
    if value >= 100:
        return format_duration(round(value) * 10**9)
    return f"{value:.3g}s"


def _point(estimate: Interval) -> str:
    low = "?" if estimate.low is None else seconds(estimate.low)
    high = "?" if estimate.high is None else seconds(estimate.high)
    return f"{seconds(estimate.value)} [{low} to {high}]"


def _lost(found: Lifetime) -> str:
    parts = [f"{number} void since {why}" for why, number in found.void_reasons.items()]
    if found.unknown:
        parts.append(f"{found.unknown} not decided")
    if found.recycled:
        parts.append(f"{found.recycled} recycled")
    return "".join(f", {part}" for part in parts)

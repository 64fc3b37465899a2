"""The pictures of a run: bounded readings of its samples become series, and a caption says what they mean."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from coldbench.core.durations import format_duration
from coldbench.core.summary import Run
from coldbench.core.verdict import Verdict
from coldbench.report.breakdown import NAMES, PARTS, bars
from coldbench.report.html import charts, verdicts
from coldbench.report.html.charts import XY, Series
from coldbench.report.html.document import Figure
from coldbench.report.html.verdicts import VERDICTS
from coldbench.report.words import shown
from coldbench.runs import thinned
from coldbench.runs.thinned import Group, Rank, Waits

# Of each target. Cold starts are all drawn, up to a number that keeps the page openable.
_MOST_POINTS, _MOST_COLD = 3_000, 100_000
_MOST_RANKS = 400
_MOST_INTERVALS = 300
_COLOURS = 8  # of targets, in page.css

_NEVER_THINNED = (Verdict.COLD, Verdict.START_FAILED)


def over_time(run: Run, samples: sqlite3.Connection) -> Iterator[Figure]:
    """For each target its invocations by when they were sent and how long they waited."""
    known = thinned.groups(samples)
    most = {group: _MOST_COLD if group.verdict in _NEVER_THINNED else _MOST_POINTS for group in known}
    drawn = thinned.points(samples, most, known)
    end_s = thinned.end_ns(samples) / 1e9
    for target in run.targets:
        groups = [group for verdict in VERDICTS if (group := Group(target.name, verdict)) in known]
        series = [
            verdicts.series(
                group.verdict,
                [(charts.seconds(at_ns), charts.milliseconds(wait_ns)) for at_ns, wait_ns in drawn[group]],
            )
            for group in groups
        ]
        if series:
            yield Figure(
                title=shown(target.name, 60),
                caption="Each point is an invocation: when it was sent, and how long until the first byte "
                f"of its answer, or until it was given up. n = {sum(known[group] for group in groups):,}. "
                + _thinning([(known[group], len(drawn[group]), group.verdict) for group in groups]),
                option=charts.scatter(series, charts.SECONDS, "wait, ms", end_s),
                height_px=260,
            )


def waits(run: Run, samples: sqlite3.Connection) -> Iterator[Figure]:
    """The distributions of cold and warm waits of all targets, over one another."""
    ranks = thinned.ranks(samples, _MOST_RANKS)
    ordered = [
        (number, whose)
        for number, target in enumerate(run.targets)
        for whose in ranks
        if whose.target == target.name
    ]
    series = [
        Series(
            name=_whose(whose) if _kinds(whose, ranks) > 1 else f"{shown(whose.target, 24)} {whose.verdict}",
            data=_shares(ranks[whose]),
            colour=f"var(--target-{number % _COLOURS + 1})",
            dashed=whose.verdict is Verdict.WARM,
        )
        for number, whose in ordered
    ]
    if series:
        numbers = ", ".join(f"{_whose(whose)} {ranks[whose][0].n:,}" for _, whose in ordered)
        yield Figure(
            title="Waits of cold and warm invocations",
            caption="At a wait on the axis below, the line is as high as the share of invocations that "
            "waited no longer; where it crosses 50 % is the median. Solid: cold; dashed: warm. The further "
            "right the solid line of a target is of its dashed one, the more a cold start costs; a flat, "
            f"long line to the top is a tail of slow ones. n: {numbers}.",
            option=charts.distribution(series, "wait, ms (log scale)", "share that waited no longer, %"),
        )


def startup(run: Run) -> Iterator[Figure]:
    """What a cold call waits for, one bar a target."""
    found = bars(run.results)
    if not found:
        return
    parts = [
        (NAMES[part], f"var(--part-{part})", [round(bar.parts.get(part, 0.0), 3) for bar in found])
        for part in PARTS
        if any(part in bar.parts for bar in found)
    ]
    drawn = {bar.target for bar in found}
    cold = ", ".join(
        f"{shown(result.target, 24)} {result.wait_cold_ms.n:,}"
        for result in run.results
        if result.wait_cold_ms and result.target in drawn
    )
    yield Figure(
        title="What a cold call waits for",
        caption="The median of each part, in the order in which a caller lives through them; medians do "
        "not add up exactly. Init is what the function's own code and runtime can change, platform overhead "
        f"is not; unattributed is startup of which nobody said whose it is. n (cold): {cold}.",
        option=charts.stacked([shown(bar.target, 24) for bar in found], parts, "ms"),
        height_px=90 + 44 * len(found),
    )


def arrivals(samples: sqlite3.Connection) -> Iterator[Figure]:
    """What was intended and what was sent, over time."""
    end_ns = thinned.end_ns(samples)
    if not end_ns:
        return
    interval_ns = _round_interval_ns(end_ns / _MOST_INTERVALS)
    found = thinned.arrivals(samples, interval_ns)
    numbers = range(end_ns // interval_ns + 2)
    yield Figure(
        title="Intended and sent",
        caption=f"Invocations of all targets in each {format_duration(interval_ns)}. Where the two lines "
        "part, the generator was late, or connections were not open in time: response times then hold "
        f"waiting that no platform caused. n = {sum(found.intended.values()):,} intended, "
        f"{sum(found.sent.values()):,} sent.",
        option=charts.steps(
            [
                Series(
                    name="sent",
                    data=[(charts.seconds(n * interval_ns), found.sent.get(n, 0)) for n in numbers],
                    colour="var(--sent)",
                ),
                Series(
                    name="intended",
                    data=[(charts.seconds(n * interval_ns), found.intended.get(n, 0)) for n in numbers],
                    colour="var(--intended)",
                    dashed=True,
                ),
            ],
            charts.SECONDS,
            f"in {format_duration(interval_ns)}",
            end_ns / 1e9,
        ),
        height_px=240,
    )


def _thinning(drawn: list[tuple[int, int, Verdict | None]]) -> str:
    """How many of the known ones are drawn; empty when all are."""
    part = [
        f"{number:,} of {known:,} {verdicts.words(verdict)}"
        for known, number, verdict in drawn
        if known > (_MOST_COLD if verdict in _NEVER_THINNED else _MOST_POINTS)
    ]
    if not part:
        return "All are drawn."
    return f"Drawn are {', '.join(part)}, each with the same chance, and all of the others."


def _whose(whose: Waits) -> str:
    kind = f" ({whose.kind})" if whose.kind else ""
    return f"{shown(whose.target, 24)} {whose.verdict}{kind}"


def _kinds(whose: Waits, among: Iterable[Waits]) -> int:
    return sum(other[:2] == whose[:2] for other in among)


def _shares(ranks: Sequence[Rank]) -> list[XY]:
    first = ranks[0]
    return [
        (charts.milliseconds(first.wait_ns), 0.0),
        *((charts.milliseconds(r.wait_ns), round(100 * r.rank / r.n, 3)) for r in ranks),
    ]


def _round_interval_ns(least_ns: float) -> int:
    """1, 2 or 5 times a power of ten, from 1 ms on."""
    power = 1_000_000
    while True:
        for digit in (1, 2, 5):
            if digit * power >= least_ns:
                return digit * power
        power *= 10

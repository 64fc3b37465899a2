"""The pictures of the experiments: how long unused instances live, how many were kept warm."""

from collections.abc import Iterator, Sequence

from coldbench.core.keepwarm import Round
from coldbench.core.summary import Run
from coldbench.report.html import charts
from coldbench.report.html.charts import Series
from coldbench.report.html.document import Figure
from coldbench.report.words import shown

_MOST_ROUNDS = 600


def survival(run: Run) -> Iterator[Figure]:
    """P(cold | gap), and the trials that it was learned from."""
    if run.lifetime is None or not run.lifetime.curve:
        return
    points = run.lifetime.curve
    line = Series(
        name="P(cold | gap)",
        data=[(point.gap_s, round(100 * point.probability, 2)) for point in points],
        colour="var(--target-1)",
    )
    trials = [
        Series(
            name=f"{name} after the gap",
            data=[(point.gap_s, at) for point in points if point.cold is cold],
            colour=f"var(--{name})",
            symbol=symbol,
        )
        for name, cold, at, symbol in (("cold", True, 100.0, "circle"), ("warm", False, 0.0, "emptyCircle"))
    ]
    yield Figure(
        title="How long an unused instance lives",
        caption="After a gap of so many seconds on the axis below, the line is the share of calls that are "
        "cold: Turnbull's estimate from the trials, which are drawn where they came out, cold above and warm "
        f"below. n = {len(points):,} trials; the points of 10, 50 and 90 % stand in words above.",
        option=charts.curve(line, trials, "idle gap, s (log scale)", "P(cold), %"),
    )


def kept(rounds: Sequence[Round]) -> Iterator[Figure]:
    """For each target the instances that each round of pings reached."""
    for target in dict.fromkeys(done.target for done in rounds):
        its = [done for done in rounds if done.target == target]
        together = -(-len(its) // _MOST_ROUNDS)
        parts = [its[start : start + together] for start in range(0, len(its), together)]
        thinned = "" if together == 1 else f" Of each {together} rounds the one that reached fewest is drawn."
        yield Figure(
            title=shown(target, 60),
            caption="Each step is a round of overlapping pings: how many distinct instances answered, and "
            "how many were asked for. Where the line is below, callers may meet a cold start. "
            f"n = {len(its):,} rounds.{thinned}",
            option=charts.steps(
                [
                    Series(
                        name="reached",
                        data=[(part[0].at_s, _fewest(part)) for part in parts],
                        colour="var(--sent)",
                    ),
                    Series(
                        name="asked for",
                        data=[(part[0].at_s, part[0].asked) for part in parts],
                        colour="var(--intended)",
                        dashed=True,
                    ),
                ],
                charts.SECONDS,
                "instances",
                its[-1].at_s,
            ),
            height_px=240,
        )


def _fewest(rounds: Sequence[Round]) -> int | None:
    """Of the rounds that tell how many they reached."""
    return min((done.reached for done in rounds if done.reached is not None), default=None)

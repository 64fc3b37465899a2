"""Series of numbers to options of ECharts. Pure: nothing here knows of runs or files.

Names are drawn onto a canvas, or shown as rich text: what a server put into one is never read as HTML.
"""

from collections.abc import Sequence
from typing import cast

from msgspec import Struct

_TOOLTIP: dict[str, object] = {"renderMode": "richText", "confine": True}
# The names of the axes and their labels stand inside of these margins.
_GRID = {
    "top": 36,
    "left": 8,
    "right": 20,
    "bottom": 4,
    "outerBoundsMode": "same",
    "outerBoundsContain": "all",
}
_LINES: dict[str, object] = {"itemWidth": 28, "itemStyle": {"opacity": 0}}  # in a legend: without a marker
_BAR_PX, _ROWS_PX = 5, 500  # a bar is thinner where all of them would take more than so much
_MANY, _FEW_PX, _MANY_PX = 2_000, 7, 4  # so many points are drawn smaller, and without a tooltip each
_NO_END: dict[str, object] = {"axisLabel": {"showMaxLabel": False}}  # 33.649218172 s, beside round numbers
_LEAST_MS = 1e-3  # a log axis has no zero

SECONDS = "s since the run began"
XY = tuple[float | None, float | None]


class Series(Struct, frozen=True, kw_only=True):
    """One name of the legend: its points, and how they look."""

    name: str
    data: Sequence[XY]
    colour: str
    symbol: str = "circle"
    dashed: bool = False


def scatter(series: Sequence[Series], x: str, y: str, x_max: float) -> dict[str, object]:
    """Points over linear x and logarithmic y, for instance waits over time."""
    return {
        **_frame(series),
        "xAxis": _axis(x, max=x_max, **_NO_END),
        "yAxis": _axis(y, type="log", min=_power_below(series, 1)),
        "series": [
            {
                "type": "scatter",
                "name": one.name,
                "data": [(at, max(value or 0.0, _LEAST_MS)) for at, value in one.data],
                "dimensions": [x, y],
                "encode": {"x": 0, "y": 1, "tooltip": [0, 1]},
                "symbol": one.symbol,
                "symbolSize": _FEW_PX if len(one.data) < _MANY else _MANY_PX,
                "itemStyle": {"color": one.colour, "opacity": 0.75},
                "large": len(one.data) >= _MANY,
                "animation": False,
            }
            for one in series
        ],
    }


def distribution(series: Sequence[Series], x: str, y: str) -> dict[str, object]:
    """Empirical distribution functions: shares up to 100 % over logarithmic x."""
    return {
        **_frame(series, **_LINES),
        "xAxis": _axis(x, type="log", min=_power_below(series, 0)),
        "yAxis": _axis(y, min=0, max=100),
        "series": [
            {
                "type": "line",
                "name": one.name,
                "data": [(max(value or 0.0, _LEAST_MS), share) for value, share in one.data],
                "dimensions": [x, y],
                "encode": {"x": 0, "y": 1, "tooltip": [0, 1]},
                "step": "end",
                "showSymbol": False,
                "color": one.colour,
                "lineStyle": {"type": "dashed" if one.dashed else "solid", "width": 2},
                "animation": False,
            }
            for one in series
        ],
    }


def curve(line: Series, trials: Sequence[Series], x: str, y: str) -> dict[str, object]:
    """A share in percent that climbs in steps over logarithmic x, and the trials that it was learned from."""
    drawn = distribution([line], x, y)
    marks = [
        {
            "type": "scatter",
            "name": one.name,
            "data": list(one.data),
            "symbol": one.symbol,
            "symbolSize": _FEW_PX + 2,
            "itemStyle": {"color": one.colour},
            "animation": False,
        }
        for one in trials
    ]
    return {**drawn, **_frame([line, *trials]), "series": [*cast(list[object], drawn["series"]), *marks]}


def rows(series: Sequence[Series], x: str, y: str, x_max: float, number: int) -> dict[str, object]:
    """Bars in rows from 1 to `number`, downwards: two points a bar, then a gap (None, None)."""
    return {
        **_frame(series, icon="roundRect"),
        # The axis of seconds stays below though the rows begin above.
        "xAxis": _axis(x, max=x_max, axisLine={"onZero": False}, **_NO_END),
        "yAxis": _axis(
            y,
            min=0,
            max=number + 1,
            inverse=True,
            minInterval=1,
            splitLine={"show": False},
            axisLabel={"showMinLabel": False, "showMaxLabel": False},
        ),
        "series": [
            {
                "type": "line",
                "name": one.name,
                "data": list(one.data),
                "showSymbol": False,
                "color": one.colour,
                "lineStyle": {"width": min(_BAR_PX, _ROWS_PX / number), "cap": "butt"},
                "silent": True,
                "animation": False,
            }
            for one in series
        ],
    }


def steps(series: Sequence[Series], x: str, y: str, x_max: float) -> dict[str, object]:
    """Counts of equal intervals, each drawn from its beginning to the next one's."""
    return {
        **_frame(series, **_LINES),
        "tooltip": {**_TOOLTIP, "trigger": "axis"},
        "xAxis": _axis(x, max=x_max, **_NO_END),
        "yAxis": _axis(y, min=0, minInterval=1),
        "series": [
            {
                "type": "line",
                "name": one.name,
                "data": list(one.data),
                "step": "end",
                "showSymbol": False,
                "color": one.colour,
                "lineStyle": {"type": "dashed" if one.dashed else "solid", "width": 2},
                "animation": False,
            }
            for one in series
        ],
    }


def stacked(
    names: Sequence[str], parts: Sequence[tuple[str, str, Sequence[float]]], x: str
) -> dict[str, object]:
    """One horizontal bar a name; each part has its name, its colour and its length in each bar."""
    return {
        "tooltip": _TOOLTIP,
        "legend": {"type": "scroll", "top": 0},
        "grid": _GRID,
        "xAxis": _axis(x),
        "yAxis": {
            "type": "category",
            "data": list(names),
            "inverse": True,
            "axisLabel": {"width": 90, "overflow": "truncate"},
        },
        "series": [
            {
                "type": "bar",
                "stack": "parts",
                "name": name,
                "data": list(lengths),
                "barMaxWidth": 34,
                "itemStyle": {"color": colour},
                "animation": False,
            }
            for name, colour, lengths in parts
        ],
    }


def intervals(rows: Sequence[tuple[str, float, float, float]], x: str, colour: str) -> dict[str, object]:
    """One line a name: low, value and high; a line at zero tells what holds it."""
    names = [name for name, *_ in rows]
    spans = [[(low, name), (high, name), (None, None)] for name, low, _, high in rows]
    return {
        "tooltip": _TOOLTIP,
        "grid": _GRID,
        "xAxis": _axis(x, axisLine={"onZero": False}),
        "yAxis": {
            "type": "category",
            "data": names,
            "inverse": True,
            "axisLine": {"onZero": True},
            "axisLabel": {"width": 150, "overflow": "truncate"},
        },
        "series": [
            {
                "type": "line",
                "data": [point for span in spans for point in span],
                "showSymbol": False,
                "color": colour,
                "lineStyle": {"width": 4, "cap": "butt"},
                "silent": True,
                "animation": False,
            },
            {
                "type": "scatter",
                "data": [(value, name) for name, _, value, _ in rows],
                "dimensions": [x, "of"],
                "symbolSize": _FEW_PX + 3,
                "itemStyle": {"color": colour},
                "animation": False,
            },
        ],
    }


def seconds(instant_ns: int) -> float:
    """As an axis has it: to 0.1 ms, which no picture shows."""
    return round(instant_ns / 1e9, 4)


def milliseconds(duration_ns: int) -> float:
    """As an axis has it: to the microsecond."""
    return round(duration_ns / 1e6, 3)


def _frame(series: Sequence[Series], **legend: object) -> dict[str, object]:
    return {
        "tooltip": _TOOLTIP,
        "legend": {"type": "scroll", "top": 0, "data": [one.name for one in series], **legend},
        "grid": _GRID,
    }


def _axis(name: str, **more: object) -> dict[str, object]:
    """Its name stands in the middle of it."""
    return {"type": "value", "name": name, "nameLocation": "middle", "nameGap": 28, **more}


def _power_below(series: Sequence[Series], column: int) -> float:
    """The power of ten at or below the least value, for a log axis; 1 when there are no values."""
    values = [value for one in series for point in one.data if (value := point[column]) is not None]
    power = 1.0
    least = max(min(values, default=power), _LEAST_MS)
    while power > least:
        power /= 10
    while power * 10 <= least:
        power *= 10
    return power

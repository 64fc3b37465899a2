"""Waits as bars on one logarithmic axis."""

import io

from rich.console import Console

from coldbench.core.summary import Quantiles, Result
from coldbench.report.ranges import ranges
from tests.unit.report_runs import run_of


def lines(*results: Result, ascii_only: bool = False) -> list[str]:
    console = Console(width=60, file=io.TextIOWrapper(io.BytesIO(), "ascii" if ascii_only else "utf-8"))
    return [line.plain for line in ranges(run_of(*results), console, 50)]


def waits(least: float, p50: float | None, most: float | None, p95: float | None = None) -> Quantiles:
    return Quantiles(n=60, min=least, p50=p50, p95=p95, max=most)


def test_the_axis_is_logarithmic_and_one_for_all() -> None:
    f = Result(target="f", wait_cold_ms=waits(100, 1000, 10_000, 3000), wait_warm_ms=waits(1, 10, 100))
    cold, warm, axis, legend = lines(f)
    assert cold.startswith("f cold")
    width = 50 - len("f cold  ")
    start = len("f cold  ")
    assert abs(cold.index("█") - (start + 0.75 * (width - 1))) <= 1  # 1 to 10,000: 1,000 is at three quarters
    assert cold.index("─") == warm.rindex("─")  # 100 of either
    assert cold.count("▒") > 0 == warm.count("▒")
    assert axis.split() == ["1.00", "ms", "10,000", "ms"]
    assert "median" in legend


def test_what_has_no_median_is_not_drawn() -> None:
    assert lines(Result(target="f", wait_cold_ms=waits(1, None, 5))) == []
    assert lines() == []


def test_one_value_and_a_hidden_maximum_are_drawn() -> None:
    same, *_ = lines(Result(target="f", wait_warm_ms=waits(5, 5, 5)))
    assert same.endswith("█")
    hidden, *_ = lines(Result(target="f", wait_warm_ms=waits(1, 5, None, 50)))
    assert hidden.endswith("▒")


def test_in_ascii_it_is_ascii() -> None:
    assert "".join(lines(Result(target="f", wait_warm_ms=waits(1, 5, 9, 8)), ascii_only=True)).isascii()

"""The closing words: an answer from the figures that are there, and none from those that are not."""

import pytest
from msgspec.structs import replace

from coldbench.core.summary import InitSpan, Interval, Quantiles, Result, StageWaits
from coldbench.report.reading import reading
from tests.unit.report_runs import NODE, PYTHON, SILENT, run_of, times

AFTER_SILENCE = StageWaits(
    stage=1, kind="burst", silence_s=360.0, over_next_ms=Interval(value=800.0, low=790.0, high=810.0)
)


def only(result: Result) -> str:
    (said,) = reading(run_of(result))
    return said


def test_what_a_cold_start_costs_and_what_it_is_made_of() -> None:
    assert only(PYTHON) == (
        "python: a cold start costs its caller 71.3 ms [68.0 to 75.2] over a warm call: "
        "platform overhead 6.60 ms, init 64.4 ms (medians). Execution takes 5.10 ms. "
        "60 of 120 calls (50 %) met a cold start; 3 more waited in somebody else's."
    )


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (replace(PYTHON, cold_penalty_ms=Interval(value=70.0)), "costs its caller 70.0 ms over a warm call"),
        (replace(PYTHON, cold_penalty_ms=None), "a cold start takes 71.3 ms (median)"),
        (replace(PYTHON, cold_penalty_ms=None, startup_ms=None), "a cold call waits 76.9 ms (median)"),
        (
            replace(PYTHON, startup_ms=None, platform_ms=None, exec_ms=None),
            "init 64.4 ms (medians), the rest, about 6.90 ms, outside it. 60 of",
        ),
        (
            replace(PYTHON, init_spans={"db": InitSpan(ms=times(21.0), most_in_bursts=20)}),
            "Within the init db takes 21.0 ms, in up to 20 instances that one round of bursts began. E",
        ),
        (replace(PYTHON, init_spans={"db": InitSpan(ms=Quantiles(n=1))}), "(medians). Execution"),
        (replace(NODE, exec_ms=None), "too few cold calls to say what one costs. 4 of 60 calls (6.7 %)"),
        (replace(PYTHON, platform_ms=None, unattributed_ms=times(6.6)), "unattributed 6.60 ms, init 64.4 ms"),
        (Result(target="t", verdicts={"warm": 9}), "t: no cold start in 9 calls."),
        (
            Result(target="t", verdicts={"warm": 9, "unknown": 2}),
            "t: no cold start in 9 calls of which it can be told; 2 could not be told.",
        ),
        (
            Result(target="t", verdicts={"start_failed": 6}),
            "t: 6 waited for an instance that never came up.",
        ),
        (Result(target="t", verdicts={"discarded": 6}), "t: no answer came from the function itself."),
        (Result(target="t", verdicts={"cold": 0, "warm": 0}), "t: nothing was answered."),
        (SILENT, "which calls were cold is unknown."),
        (
            replace(SILENT, verdicts={"unknown": 40}, stages=(AFTER_SILENCE,)),
            "is unknown. After 6m of silence a call waited 800 ms [790 to 810] longer (median) than right "
            "afterwards, whether by cold starts or not.",
        ),
        (replace(PYTHON, stages=(AFTER_SILENCE,)), "python: a cold start costs its caller 71.3 ms"),
        (
            Result(target="t", verdicts={"cold": 1, "start_failed": 2, "unknown": 3}),
            "2 waited for an instance that never came up; 3 could not be told.",
        ),
    ],
)
def test_only_from_what_is_known(result: Result, said: str) -> None:
    assert said in only(result)


def test_platform_overhead_is_not_claimed_where_it_was_not_measured() -> None:
    assert "platform" not in only(replace(PYTHON, platform_ms=None, unattributed_ms=times(6.6)))


def test_the_targets_by_their_startup() -> None:
    slower = replace(PYTHON, target="slow", startup_ms=times(300.0))
    assert list(reading(run_of(slower, PYTHON, NODE)))[-1] == (
        "Median startup, shortest first: python 71.3 ms, slow 300 ms."
    )

"""What is said of a lifetime and of a concurrency, sentence by sentence."""

from coldbench.core.concurrency import Burst, Concurrency
from coldbench.core.summary import CurvePoint, Interval, Lifetime
from coldbench.core.target import Target
from coldbench.report.concurrency import concurrency_words
from coldbench.report.lifetime import curve_table, lifetime_words, plan_lines

TARGET = Target(name="f", url="https://f.example/", endpoint="https://f.example/")


def curve(*points: tuple[float, bool]) -> tuple[CurvePoint, ...]:
    return tuple(CurvePoint(gap_s=gap, cold=cold, probability=float(cold)) for gap, cold in points)


def said(found: Lifetime) -> str:
    return " ".join(lifetime_words(found))


def test_the_points_stand_with_their_intervals_and_an_unknown_bound_is_a_question() -> None:
    point = Interval(value=3.0, low=2.9, high=None)
    words = said(Lifetime(p10=point, p50=point, p90=point, trials=2, cold=1, warm=1))
    assert "Half of all unused instances are gone after 3s [2.9s to ?]" in words


def test_what_was_never_cold_or_never_warm_is_said_as_a_bound() -> None:
    assert "No instance went away within 15m" in said(Lifetime(trials=1, warm=1, curve=curve((900, False))))
    assert "Every call was cold, after 0.04s too" in said(
        Lifetime(trials=1, cold=1, curve=curve((0.04, True)))
    )


def test_calls_that_are_all_alike_are_neither_cold_nor_warm() -> None:
    words = said(Lifetime(trials=2, unknown=2, unknown_gaps_s=(1.0, 5.0)))
    assert "up to 5s no call stands out" in words
    assert "2 not decided" in words


def test_recycling_and_void_trials_are_said() -> None:
    words = said(
        Lifetime(
            trials=5, voided=1, void_reasons={"somebody else called": 1}, recycled=4, recycled_after_s=7200
        )
    )
    assert "1 void since somebody else called, 4 recycled" in words
    assert "4 instances ended 2h old or older" in words


def test_the_curve_is_drawn_in_at_most_a_dozen_rows() -> None:
    rows = curve_table(Lifetime(curve=curve(*((gap, gap > 20) for gap in range(1, 41))))).rows
    assert len(rows) <= 12
    assert rows[0][1:3] == ["0 of 4", "0 %"]
    assert rows[-1][1:3] == ["4 of 4", "100 %"]


def test_the_plan_says_how_long_it_may_take() -> None:
    lines = list(plan_lines([TARGET], samples=60, precision=0.1, most_s=3600.0, max_time_s=None))
    assert "1h if one lives 60s, 15h if one lives 15m" in lines[-1]
    short = list(plan_lines([TARGET] * 2, samples=60, precision=0.1, most_s=5.0, max_time_s=60.0))
    assert short[-2:] == ["      at most about 2m 30s if one lives 5s", "      for no longer than 60s"]


def test_a_spread_that_is_long_beside_a_call_is_said() -> None:
    burst = Burst(size=4, at_once=4, queued=0, started=0, instances=1, spread_ms=300, wait_max_ms=420)
    found = Concurrency(low=4, method="ids", held_by="hold header", single_ms=400.0, bursts=(burst,))
    words = " ".join(concurrency_words(found))
    assert "One instance took all 4 calls at once" in words
    assert "may not have overlapped" in words


def test_a_platform_that_queues_and_scales_is_said_to_do_both() -> None:
    full = Burst(size=5, at_once=3, queued=2, started=0, instances=2, spread_ms=1, wait_max_ms=800)
    larger = Burst(size=16, at_once=3, queued=9, started=4, instances=5, spread_ms=1, wait_max_ms=900)
    found = Concurrency(
        per_instance=3, low=3, high=3, method="ids", when_full="queued", held_by="hold header",
        single_ms=400.0, bursts=(full, larger),
    )  # fmt: skip
    assert "the platform queues. In larger bursts instances were started, too" in " ".join(
        concurrency_words(found)
    )

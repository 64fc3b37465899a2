"""What a reader is told before believing the figures."""

import pytest
from msgspec.structs import replace

from coldbench.core.summary import Result, StageWaits
from coldbench.stats.notes import notes
from tests.unit.report_runs import times

UNTOLD = Result(target="f", verdicts={"unknown": 50}, statuses={"200": 50})
BY_WAITS = replace(UNTOLD, verdicts={"unknown": 5, "warm": 36, "cold": 9}, wait_warm_ms=times(10.0))


def test_answers_without_evidence_are_said_and_whether_their_waits_told() -> None:
    (untold,) = notes(UNTOLD, silent=50, found=())
    assert untold.startswith("50 answers carry no evidence")
    assert "waits alone tell where lone calls" in untold
    by_waits = next(notes(BY_WAITS, silent=50, found=()))
    assert by_waits.endswith("what is said of them is told by their waits alone")
    some = next(notes(BY_WAITS, silent=5, found=()))
    assert some.startswith("5 answers")
    assert "waits alone tell where lone calls" in some


SILENCE = StageWaits(stage=1, kind="burst", silence_s=30.0)
WARM = Result(
    target="f", verdicts={"warm": 60}, statuses={"200": 60}, wait_warm_ms=times(10.0), stages=(SILENCE,)
)


def test_a_silence_is_too_short_only_where_all_calls_after_it_were_warm() -> None:
    (said,) = notes(WARM, silent=0, found=(), idle_s=(60.0, 300.0))
    assert said.startswith("no cold start was met: the silence is shorter")
    assert "(60 to 300 s here)" in said
    assert said.endswith("--set idle.duration=360s")


@pytest.mark.parametrize(
    "its",
    [
        replace(WARM, stages=()),
        *(
            replace(WARM, verdicts={"warm": 54, other: 6})
            for other in ("preinitialised", "start_failed", "unknown")
        ),
    ],
)
def test_nothing_is_said_of_a_silence_that_may_have_been_long_enough(its: Result) -> None:
    assert not any("silence is shorter" in said for said in notes(its, silent=0, found=()))


def test_a_redirect_that_is_the_function_s_own_is_no_stranger() -> None:
    own = replace(WARM, statuses={"302": 60}, stages=())
    assert not list(notes(own, silent=0, found=()))
    (foreign,) = notes(replace(own, verdicts={"warm": 52, "discarded": 8}), silent=0, found=())
    assert foreign.startswith("8 answers were redirects")


def test_cold_starts_of_a_kind_that_is_not_known_are_named_beside_the_others() -> None:
    mixed = replace(WARM, verdicts={"warm": 40, "cold": 18}, cold_kinds={"deploy": 6, "unknown": 12})
    said = next(notes(mixed, silent=0, found=()))
    assert "6 after a deployment or a command, 12 of a kind that is not known" in said


def test_answers_that_are_all_errors_are_the_first_thing_said() -> None:
    failing = Result(target="f", verdicts={"unknown": 24}, statuses={"401": 4, "500": 20})
    first, *_ = notes(failing, silent=24, found=())
    assert first == "every answer has an error status (401, 500): is this the right URL, method and header?"
    some = replace(failing, statuses={"200": 4, "500": 20})
    assert not any("every answer" in said for said in notes(some, silent=24, found=()))

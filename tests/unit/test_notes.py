"""What a reader is told before believing the figures."""

from msgspec.structs import replace

from coldbench.core.summary import Result
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

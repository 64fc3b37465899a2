"""Parts of init that functions name."""

import pytest

from coldbench.core.invocation import Evidence, Invocation
from coldbench.core.verdict import Verdict
from coldbench.stats.init_spans import InitSpanTally


def answer(phase: str, **spans_ms: float) -> Invocation:
    return Invocation(
        seq=0, target="f", phase=phase, intended_ns=0, evidence=Evidence(init_spans_ms=spans_ms)
    )


def test_what_each_takes_and_how_many_instances_do_it_in_one_round_of_bursts() -> None:
    tally = InitSpanTally()
    for phase, block, number in (("1:burst", 0, 3), ("2:burst", 0, 1), ("4:burst", 1, 2), ("5:rate", 1, 9)):
        for place in range(number):
            tally.add(answer(phase, db=100.0 + place), block, Verdict.COLD)
    tally.add(answer("1:burst", imports=7.0), 0, Verdict.PREINITIALISED)
    found = tally.spans()
    assert (found["db"].ms.n, found["db"].ms.min, found["db"].ms.max) == (15, 100.0, 108.0)
    assert {name: span.most_in_bursts for name, span in found.items()} == {"db": 4, "imports": 1}


def test_without_a_burst_nothing_is_said_of_one() -> None:
    tally = InitSpanTally()
    tally.add(answer("0:rate", db=1.0), 0, Verdict.COLD)
    assert tally.spans()["db"].most_in_bursts is None


@pytest.mark.parametrize(
    ("verdict", "most"),
    [
        (Verdict.COLD, 2),
        (Verdict.PREINITIALISED, 2),
        (Verdict.COLD_AFFECTED, 2),
        (Verdict.WARM, 1),
        (Verdict.UNKNOWN, 1),
    ],
)
def test_an_instance_that_was_up_before_a_round_was_not_begun_by_it(verdict: Verdict, most: int) -> None:
    tally = InitSpanTally()
    tally.add(answer("0:burst", db=1.0), 0, Verdict.COLD)
    tally.add(answer("0:burst", db=1.0), 0, verdict)
    found = tally.spans()["db"]
    assert (found.ms.n, found.most_in_bursts) == (2, most)


def test_names_without_end_are_not_kept() -> None:
    tally = InitSpanTally()
    for number in range(100):
        tally.add(answer("0:rate", **{f"span{number}": 1.0}), 0, Verdict.COLD)
    assert len(tally.spans()) == 8

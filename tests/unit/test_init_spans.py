"""Parts of init that functions name."""

from coldbench.core.invocation import Evidence, Invocation
from coldbench.stats.init_spans import InitSpanTally


def answer(phase: str, **spans_ms: float) -> Invocation:
    return Invocation(
        seq=0, target="f", phase=phase, intended_ns=0, evidence=Evidence(init_spans_ms=spans_ms)
    )


def test_what_each_takes_and_how_many_instances_do_it_in_one_round_of_bursts() -> None:
    tally = InitSpanTally()
    for phase, block, number in (("1:burst", 0, 3), ("2:burst", 0, 1), ("4:burst", 1, 2), ("5:rate", 1, 9)):
        for place in range(number):
            tally.add(answer(phase, db=100.0 + place), block)
    tally.add(answer("1:burst", imports=7.0), 0)
    found = tally.spans()
    assert (found["db"].ms.n, found["db"].ms.min, found["db"].ms.max) == (15, 100.0, 108.0)
    assert {name: span.most_in_bursts for name, span in found.items()} == {"db": 4, "imports": 1}


def test_without_a_burst_nothing_is_said_of_one() -> None:
    tally = InitSpanTally()
    tally.add(answer("0:rate", db=1.0), 0)
    assert tally.spans()["db"].most_in_bursts is None


def test_names_without_end_are_not_kept() -> None:
    tally = InitSpanTally()
    for number in range(100):
        tally.add(answer("0:rate", **{f"span{number}": 1.0}), 0)
    assert len(tally.spans()) == 8

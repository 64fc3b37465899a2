"""Facts to a summary: sums that hold, parts that are only claimed where they were seen."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldbench.analysis import analyse
from coldbench.core.invocation import AnsweredBy, Error, Evidence, Invocation
from coldbench.core.summary import Counts, Result, Run, TargetInfo
from coldbench.core.verdict import Judgement, Verdict

MS = 1_000_000


def run(**values: Any) -> Run:
    given: dict[str, Any] = {
        "run_id": "r",
        "command": "run",
        "name": "n",
        "version": "0",
        "started_at": "now",
    }
    profile = {"stages": [{"kind": "idle"}, {"kind": "burst"}, {"kind": "burst"}]}
    return Run(**(given | {"targets": (TargetInfo(name="f", url="u"),), "profile": profile} | values))


def invocation(
    seq: int, wait_ms: float, *, phase: str = "1:burst", sent_ms: float = 0, **facts: Any
) -> Invocation:
    evidence = {name: facts.pop(name) for name in list(facts) if name in Evidence.__struct_fields__}
    sent, answered = int(sent_ms * MS), int((sent_ms + wait_ms) * MS)
    made: dict[str, Any] = {
        "seq": seq,
        "target": "f",
        "phase": phase,
        "intended_ns": sent,
        "started_ns": sent,
        "sent_ns": sent,
        "first_byte_ns": answered,
        "end_ns": answered,
        "status": 200,
        "reused": True,
        "evidence": Evidence(**evidence),
    }
    return Invocation(**(made | facts))


def cold(seq: int, wait_ms: float = 100, **facts: Any) -> Invocation:
    said = {
        "answered_by": AnsweredBy.FUNCTION,
        "level": 2,
        "instance": f"i{seq}",
        "instance_seq": 1,
        "instance_age_ms": 0.1,
        "queue_ms": wait_ms,
        "init_ms": 60.0,
        "init_is_per_instance": True,
        "init_from_process_start": True,
        "exec_ms": 5.0,
    }
    return invocation(seq, wait_ms, **(said | facts))


def warm(seq: int, wait_ms: float = 6, **facts: Any) -> Invocation:
    return cold(seq, wait_ms, instance_seq=7, instance_age_ms=900.0, queue_ms=0.1, **facts)


def result(invocations: Sequence[Invocation], **values: Any) -> Result:
    return analysed(run(**values), invocations)[0].results[0]


def analysed(asked: Run, invocations: Sequence[Invocation]) -> tuple[Run, list[Judgement]]:
    judgements: list[Judgement] = []
    return analyse(asked, lambda: invocations, judgements.extend), judgements


def test_the_parts_of_a_start() -> None:
    found = result([cold(n) for n in range(5)] + [warm(9, connect_ns=2 * MS, reused=False)])
    assert found.verdicts["cold"] == 5
    assert found.round_trip_ms == 2.0
    assert found.startup_ms
    assert found.startup_ms.p50 == 100 - 2 - 5
    assert found.init_ms
    assert found.init_ms.p50 == 60
    assert found.platform_ms
    assert found.platform_ms.p50 == 93 - 60
    assert found.unattributed_ms is None


def test_what_a_cache_repeats_says_nothing_of_how_the_platform_tells_time() -> None:
    ran = [warm(n, wait_ms=308, exec_ms=300.0) for n in range(6)]
    hits = [warm(6 + n, wait_ms=3, exec_ms=300.0, answered_by=AnsweredBy.CACHE) for n in range(6)]
    found = result(ran + hits)
    assert found.verdicts["discarded"] == 6
    assert not any("billed, not measured" in note for note in found.notes)


def test_who_came_into_an_init_under_way_does_not_show_what_it_is_made_of() -> None:
    found = result([cold(n, wait_ms=45) for n in range(9)] + [cold(10 + n, wait_ms=80) for n in range(5)])
    assert found.startup_ms
    assert found.init_ms
    assert found.platform_ms
    assert (found.startup_ms.n, found.startup_ms.p50) == (14, 40)
    assert (found.init_ms.n, found.init_ms.p50) == (5, 60)
    assert (found.platform_ms.n, found.platform_ms.p50) == (5, 15)


def test_without_process_start_the_rest_is_nobodys() -> None:
    found = result([cold(n, init_from_process_start=False) for n in range(5)])
    assert found.platform_ms is None
    assert found.unattributed_ms
    assert found.unattributed_ms.p50 == 95 - 60


def test_without_execution_there_is_no_startup_only_a_wait() -> None:
    found = result([cold(n, exec_ms=None) for n in range(5)])
    assert found.startup_ms is None
    assert found.platform_ms is None
    assert found.wait_cold_ms
    assert found.wait_cold_ms.p50 == 100


def test_the_penalty_compares_one_kind_of_connection() -> None:
    dialled = {"reused": False, "connect_ns": 3 * MS}
    colds = [cold(n, phase=f"{3 * (n % 3) + 1}:burst") for n in range(9)]
    same = [warm(10 + n, 8, phase=f"{3 * (n % 3) + 2}:burst") for n in range(9)]
    others = [warm(30 + n, 70, started_ns=-3 * MS, phase="2:burst", **dialled) for n in range(30)]
    found = result(colds + same + others).cold_penalty_ms
    assert found
    assert (found.value, found.low, found.high) == (92, 92, 92)


def test_kinds_of_cold_starts_are_not_pooled() -> None:
    first = [cold(n, 100) for n in range(6)]
    # those instances answer again, so that they are up while others are started beside them
    again = [warm(10 + n, sent_ms=900, instance=f"i{n}") for n in range(6)]
    beside = [cold(20 + n, 400, sent_ms=500) for n in range(5)]
    found = result(first + again + beside)
    assert found.cold_kinds == {"idle": 6, "scaleout": 5}
    assert found.wait_cold_ms
    assert (found.wait_cold_ms.n, found.wait_cold_ms.max) == (6, 100)
    assert any("not pooled" in note for note in found.notes)


def test_a_cold_start_of_no_known_kind_is_counted_beside_the_others() -> None:
    told = [cold(n) for n in range(5)]
    flagged = [
        cold(10 + n, wait_ms=90, instance=None, instance_seq=None, cold_flag=True, sent_ms=5000.0 * n)
        for n in range(6)
    ]
    assert result(flagged).cold_kinds == {}
    found = result(told + flagged)
    assert found.cold_kinds["unknown"] == 6
    assert any("of a kind that is not known" in note for note in found.notes)


def test_answers_that_tell_only_of_executions_carry_no_evidence_of_first_uses() -> None:
    found = result([invocation(n, 10, level=1, exec_ms=3.0, sent_ms=100.0 * n) for n in range(9)])
    assert found.verdicts["unknown"] == 9
    assert found.notes[0].startswith("9 answers carry no evidence")


def test_a_timeout_stays_in_the_response_times_as_at_least_that() -> None:
    late = invocation(99, 0, first_byte_ns=None, status=None, error=Error.TIMEOUT)
    found = result([warm(n) for n in range(20)] + [late])
    assert found.response_ms
    assert (found.response_ms.n, found.response_ms.max) == (21, None)
    assert found.response_ms.p50 == 6
    assert found.verdicts["unknown"] == 1


def test_errors_of_the_platform_are_no_times() -> None:
    failed = [
        invocation(n, 900, status=502, answered_by=AnsweredBy.FAILED_START, answered_why="x")
        for n in range(5)
    ]
    found = result(failed + [warm(10 + n) for n in range(5)])
    assert found.verdicts["start_failed"] == 5
    assert found.service_ms
    assert found.service_ms.max == 6


def test_a_killed_run_counts_what_was_planned_as_dropped() -> None:
    found, _ = analysed(run(planned=50), [warm(n) for n in range(20)])
    assert found.counts == Counts(intended=50, sent=20, completed=20, dropped=30)


STATES = st.sampled_from(
    ["cold", "warm", "refused", "timeout", "unfinished", "throttled", "redirect", "silent"]
)


def one(seq: int, state: str) -> Invocation:
    match state:
        case "cold":
            return cold(seq)
        case "warm":
            return warm(seq)
        case "refused":
            return invocation(seq, 0, sent_ns=None, first_byte_ns=None, status=None, error=Error.REFUSED)
        case "timeout":
            return invocation(seq, 0, first_byte_ns=None, status=None, error=Error.TIMEOUT)
        case "unfinished":
            return invocation(seq, 0, first_byte_ns=None, end_ns=None, status=None)
        case "throttled":
            return invocation(seq, 3, status=429)
        case "redirect":
            return invocation(seq, 3, status=301)
        case _:
            return invocation(seq, 3)


@given(st.lists(STATES, max_size=40), st.integers(0, 60))
def test_the_sums_always_hold(states: list[str], more: int) -> None:
    invocations = [one(seq, state) for seq, state in enumerate(states)]
    found, judgements = analysed(run(planned=len(states) + more), invocations)
    counts = found.counts
    assert counts.intended == counts.completed + counts.errors + counts.unfinished + counts.dropped
    assert counts.dropped == more
    assert counts.unfinished == states.count("unfinished")
    verdicts = sum(sum(its.verdicts.values()) for its in found.results)
    assert verdicts == counts.completed + counts.errors == len(judgements)
    assert set(found.results[0].verdicts) == set(Verdict)
    # judging again finds nothing new
    assert analysed(replace(found), invocations)[0] == found

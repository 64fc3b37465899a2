"""The judge as tables: which facts carry which verdict, and which carry none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.invocation import AnsweredBy, Error, Evidence, Invocation
from coldbench.core.judge import judge
from coldbench.core.verdict import ColdKind, Judgement, Verdict

MS = 1_000_000


def invocation(seq: int = 0, *, sent_ms: float = 0, wait_ms: float | None = 10, **facts: Any) -> Invocation:
    """One that was sent at `sent_ms` and answered after `wait_ms`, unless `facts` say otherwise."""
    evidence = {name: facts.pop(name) for name in list(facts) if name in Evidence.__struct_fields__}
    sent = int(sent_ms * MS)
    answered = None if wait_ms is None else sent + int(wait_ms * MS)
    made: dict[str, Any] = {
        "seq": seq,
        "target": "f",
        "phase": "0:burst",
        "intended_ns": sent,
        "started_ns": sent,
        "sent_ns": sent,
        "first_byte_ns": answered,
        "end_ns": answered,
        "status": 200 if answered else None,
        "reused": True,
        "evidence": Evidence(**evidence),
    }
    return Invocation(**(made | facts))


def judged(*invocations: Invocation) -> Judgement:
    """The judgement of the last of them."""
    return judge(invocations)[-1]


def shim(**evidence: Any) -> dict[str, Any]:
    return {"init_is_per_instance": True, "answered_by": AnsweredBy.FUNCTION} | evidence


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        # the shim with the platform's own arrival: exact
        (shim(instance_seq=1, instance_age_ms=0.4, queue_ms=71), Verdict.COLD),
        (shim(instance_seq=1, instance_age_ms=900, queue_ms=0.4), Verdict.PREINITIALISED),
        (shim(instance_seq=2, instance_age_ms=1.2, queue_ms=70), Verdict.COLD_AFFECTED),
        (shim(instance_seq=9, instance_age_ms=5000, queue_ms=0.3), Verdict.WARM),
        (shim(instance_seq=9, instance_age_ms=5000, queue_ms=800), Verdict.WARM),  # queued for a busy one
        # the shim alone: the wait stands in for the queue
        (shim(instance_seq=1, instance_age_ms=0.4, exec_ms=5, wait_ms=500), Verdict.COLD),
        (shim(instance_seq=1, instance_age_ms=60_000, exec_ms=5, wait_ms=20), Verdict.PREINITIALISED),
        (shim(instance_seq=3, instance_age_ms=2, exec_ms=5, wait_ms=500), Verdict.COLD_AFFECTED),
        (shim(instance_seq=3, instance_age_ms=60_000, exec_ms=5, wait_ms=500), Verdict.WARM),
        (shim(instance_seq=1, instance_age_ms=2, exec_ms=5, wait_ms=9), Verdict.UNKNOWN),  # at the edge
        # a sequence without an age does not say whether the first caller waited
        (shim(instance_seq=1, init_ms=100, wait_ms=130), Verdict.COLD),
        (shim(instance_seq=1, init_ms=100, wait_ms=10), Verdict.PREINITIALISED),
        (shim(instance_seq=1, init_ms=100, wait_ms=50), Verdict.UNKNOWN),
        # flags say "first use", the wait says "paid"
        ({"cold_flag": True, "init_ms": 100, "wait_ms": 140}, Verdict.COLD),
        ({"cold_flag": True, "init_ms": 100, "wait_ms": 8}, Verdict.PREINITIALISED),
        ({"cold_flag": True, "init_ms": 100, "wait_ms": 24}, Verdict.UNKNOWN),
        ({"cold_flag": True, "wait_ms": 140}, Verdict.COLD),
        ({"cold_flag": True, "wait_ms": 0.8}, Verdict.UNKNOWN),  # some send it with every answer
        ({"cold_flag": False, "wait_ms": 9}, Verdict.WARM),
        # a platform's report of an init
        ({"init_ms": 340, "wait_ms": 700}, Verdict.COLD),
        ({"init_ms": 340, "wait_ms": 30}, Verdict.PREINITIALISED),  # proactive initialisation
        # nothing decides
        ({}, Verdict.UNKNOWN),
        ({"request_id": "r", "instance": "i"}, Verdict.UNKNOWN),
        ({"exec_ms": 3.0, "billed_ms": 100}, Verdict.UNKNOWN),
        # the function did not run
        ({"sent_ns": None, "status": None, "error": Error.REFUSED}, Verdict.DISCARDED),
        ({"status": None, "error": Error.TIMEOUT}, Verdict.UNKNOWN),
        ({"status": None, "error": Error.STALE_REUSE}, Verdict.UNKNOWN),
        ({"status": 302}, Verdict.DISCARDED),
        (shim(status=302, instance_seq=2, instance_age_ms=900, queue_ms=0.1), Verdict.WARM),
        ({"status": 429}, Verdict.THROTTLED),
        ({"answered_by": AnsweredBy.CACHE, "cold_flag": False}, Verdict.DISCARDED),
        ({"answered_by": AnsweredBy.GATEWAY, "status": 502}, Verdict.DISCARDED),
        ({"answered_by": AnsweredBy.FAILED_START, "status": 502}, Verdict.START_FAILED),
    ],
)
def test_one_invocation(facts: dict[str, Any], verdict: Verdict) -> None:
    judgement = judged(invocation(**facts))
    assert judgement.verdict == verdict, judgement.reason
    assert judgement.reason
    assert (judgement.confidence == 0) == (verdict is Verdict.UNKNOWN)


def test_an_unfinished_invocation_gets_no_verdict() -> None:
    assert judge([invocation(wait_ms=None, status=None)]) == []


def test_a_flag_is_confirmed_against_warm_calls_of_the_same_run() -> None:
    warm = [invocation(n, sent_ms=1000 + 50 * n, wait_ms=10, cold_flag=False) for n in range(8)]
    assert judged(*warm, invocation(9, sent_ms=5000, wait_ms=11, cold_flag=True)).verdict == (
        Verdict.PREINITIALISED
    )
    assert judged(*warm, invocation(9, sent_ms=5000, wait_ms=400, cold_flag=True)).verdict == Verdict.COLD
    assert judged(*warm, invocation(9, sent_ms=5000, wait_ms=24, cold_flag=True)).verdict == Verdict.UNKNOWN


def test_a_caller_of_a_nearly_ended_init_is_not_called_preinitialised() -> None:
    warm = [invocation(n, sent_ms=1000 + 50 * n, wait_ms=3, cold_flag=False) for n in range(8)]
    late = invocation(9, sent_ms=5000, wait_ms=20, cold_flag=True, init_ms=290)
    assert judged(*warm, late).verdict == Verdict.UNKNOWN


def test_a_paid_init_that_is_short_beside_the_execution_is_seen() -> None:
    warm = [invocation(n, sent_ms=300 * n, wait_ms=204 + n % 2, cold_flag=False) for n in range(8)]
    paid = invocation(9, sent_ms=9000, wait_ms=254, cold_flag=True, init_ms=49.5)
    assert judged(*warm, paid).verdict == Verdict.COLD
    quick = invocation(9, sent_ms=9000, wait_ms=206, cold_flag=True, init_ms=49.5)
    assert judged(*warm, quick).verdict == Verdict.PREINITIALISED
    # Where warm calls differ by more than an init, either may have been.
    apart = [invocation(n, sent_ms=300 * n, wait_ms=150 + 20 * n, cold_flag=False) for n in range(8)]
    assert judged(*apart, paid).verdict == Verdict.UNKNOWN


def test_beside_a_starting_instance_a_short_wait_is_not_called_preinitialised() -> None:
    warm = [invocation(n, sent_ms=1000 + 50 * n, wait_ms=8, cold_flag=False) for n in range(8)]
    first = invocation(9, sent_ms=5000, wait_ms=300, cold_flag=True, init_ms=290)
    beside = invocation(10, sent_ms=5290, wait_ms=11, cold_flag=True, init_ms=200)
    assert [j.verdict for j in judge([*warm, first, beside])][-2:] == [Verdict.COLD, Verdict.UNKNOWN]


def test_callers_that_waited_with_a_starting_instance_are_no_warm_baseline() -> None:
    # One starts an instance, the others are bound to it: all wait alike, and the flag is on the first only.
    others = [invocation(n, sent_ms=1, wait_ms=400, cold_flag=False) for n in range(1, 9)]
    first = invocation(0, sent_ms=0, wait_ms=401, cold_flag=True)
    verdicts = [judgement.verdict for judgement in judge([first, *others])]
    assert verdicts == [Verdict.COLD] + [Verdict.UNKNOWN] * 8


def test_a_later_use_with_a_known_instance() -> None:
    first = invocation(0, sent_ms=0, wait_ms=400, cold_flag=True, instance="a")
    together = invocation(1, sent_ms=10, wait_ms=395, cold_flag=False, instance="a")
    after = invocation(2, sent_ms=600, wait_ms=300, cold_flag=False, instance="a")
    assert [j.verdict for j in judge([first, together, after])] == [
        Verdict.COLD,
        Verdict.UNKNOWN,
        Verdict.WARM,
    ]


IDS = [
    invocation(seq, sent_ms=100 * seq, wait_ms=wait_ms, instance="a")
    for seq, wait_ms in enumerate([90, 10, 11, 9, 10, 10, 12])
]


@pytest.mark.parametrize(
    ("last", "verdict", "reason"),
    [
        (invocation(9, sent_ms=5000, wait_ms=95, instance="b"), Verdict.COLD, "not seen before"),
        # as quick as a warm call: somebody else may have used it before
        (invocation(9, sent_ms=5000, wait_ms=10, instance="b"), Verdict.UNKNOWN, "id alone"),
        (invocation(9, sent_ms=5000, wait_ms=12, instance="a"), Verdict.WARM, "had answered before"),
        # slow, but soon after another call, behind which it may have queued
        (invocation(9, sent_ms=2500, wait_ms=95, instance="a"), Verdict.WARM, "had answered before"),
        # a container or a machine keeps its id through a stop
        (invocation(9, sent_ms=5000, wait_ms=95, instance="a"), Verdict.UNKNOWN, "started anew"),
        # what is more than an id decides
        (
            invocation(9, sent_ms=5000, wait_ms=95, instance="a", cold_flag=False),
            Verdict.WARM,
            "not the first use",
        ),
        (invocation(9, sent_ms=5000, wait_ms=95, instance="a", instance_seq=8), Verdict.WARM, "invocation 8"),
    ],
)
def test_ids_alone_tell_later_uses_and_a_first_one_that_waited(
    last: Invocation, verdict: Verdict, reason: str
) -> None:
    found = judged(*IDS, last)
    assert found.verdict is verdict
    assert reason in found.reason


def test_a_restart_is_doubted_where_only_calls_after_a_silence_dial() -> None:
    """Each of those is a restart: among themselves they are alike."""
    restarts = [
        invocation(
            10 + n,
            sent_ms=5000 * (n + 1),
            wait_ms=400,
            instance="a",
            started_ns=started_ms * MS,
            connect_ns=MS,
        )
        for n, started_ms in enumerate(range(4998, 30_000, 5000))
    ]
    found = [one.verdict for one in judge([*IDS, *restarts])]
    assert found[-6:] == [Verdict.UNKNOWN] * 6


def test_slow_calls_beside_others_are_not_taken_for_restarts() -> None:
    """One at a time: the last of a burst waits for all others, and one behind a long call for its rest."""
    queued = [invocation(10 + n, sent_ms=9000 + n, wait_ms=10 + 50 * n, instance="a") for n in range(8)]
    long = invocation(20, sent_ms=20_000, wait_ms=3000, instance="a", exec_ms=2990.0)
    behind = invocation(21, sent_ms=21_000, wait_ms=2000, instance="a")
    found = {one.seq: one.verdict for one in judge([*IDS, *queued, long, behind])}
    assert {found[seq] for seq in (*range(11, 18), 20, 21)} == {Verdict.WARM}


def test_of_calls_that_met_one_new_instance_together_only_the_first_sent_is_its_first_use() -> None:
    together = [invocation(9 + n, sent_ms=5000 + n, wait_ms=95, instance="b") for n in (0, 1)]
    assert [one.verdict for one in judge([*IDS, *together])][-2:] == [Verdict.COLD, Verdict.UNKNOWN]


def test_ids_without_known_warm_calls_tell_nothing_of_a_first_use() -> None:
    assert judged(IDS[0]).verdict is Verdict.UNKNOWN


def test_the_round_trip_is_no_startup() -> None:
    # 100 ms of network: a wait of 104 ms against an init of 50 ms is not a paid init.
    far = invocation(0, wait_ms=104, connect_ns=100 * MS, reused=False, init_ms=50)
    assert judged(far).verdict == Verdict.PREINITIALISED


@pytest.mark.parametrize(
    "facts",
    [
        {"cold_flag": True, "instance_seq": 7, "instance_age_ms": 900.0},
        {"cold_flag": False, "instance_seq": 1, "instance_age_ms": 0.1},
        {"cold_flag": False, "init_ms": 200.0},
    ],
)
def test_contradictions_are_kept_and_weigh(facts: dict[str, Any]) -> None:
    judgement = judged(invocation(**facts))
    assert judgement.contradiction is not None
    assert judgement.confidence <= 0.5


@pytest.mark.parametrize(
    ("queue_ms", "age_ms", "wait_ms", "seq", "verdict", "contradicts"),
    [
        # The gateway's clock is 5 s behind the instance's: the queue is longer than the wait.
        (5001, 1000, 12, 9, Verdict.WARM, True),
        (5400, 0.4, 412, 1, Verdict.COLD, True),
        # It is ahead, or stamps behind the start: none queued, yet the first use waited.
        (0, 0.4, 412, 1, Verdict.COLD, False),
        (0, 0.4, 3, 1, Verdict.PREINITIALISED, False),
        (0, 0.4, 70, 1, Verdict.PREINITIALISED, False),  # something else took so long
        # One answer that is sent again by a cache that nobody knows.
        (340, 0.4, 3, 1, Verdict.UNKNOWN, True),
        # The network, or a slow answer, may add to a wait what it likes.
        (1, 900, 700, 9, Verdict.WARM, False),
        (1, 90, 700, 2, Verdict.WARM, False),
        (1, 90, 700, 1, Verdict.PREINITIALISED, False),
    ],
)
def test_a_queue_that_the_wait_does_not_bear_out_is_not_believed(
    queue_ms: float, age_ms: float, wait_ms: float, seq: int, verdict: Verdict, contradicts: bool
) -> None:
    said = shim(instance="a", instance_seq=seq, instance_age_ms=age_ms, queue_ms=queue_ms, init_ms=380)
    judgement = judged(invocation(wait_ms=wait_ms, **said))
    assert judgement.verdict is verdict
    assert ("two clocks" in (judgement.contradiction or "")) is contradicts


def test_an_init_that_comes_with_every_answer_is_no_first_use() -> None:
    constant = {"init_ms": 350.0, "init_is_per_instance": True, "level": 1}
    calls = [invocation(n, sent_ms=1000 * n, wait_ms=12 if n else 400, **constant) for n in range(9)]
    assert {judgement.verdict for judgement in judge(calls)} == {Verdict.UNKNOWN}


def test_two_first_uses_of_one_instance_contradict() -> None:
    one = shim(instance="a", instance_seq=1, instance_age_ms=0.4, queue_ms=70)
    judgements = judge([invocation(n, sent_ms=900 * n, wait_ms=75, **one) for n in (0, 1)])
    assert judgements[0].contradiction is None
    assert "had already answered" in (judgements[1].contradiction or "")


def test_a_cold_start_beside_a_running_instance_is_a_scale_out() -> None:
    def cold(seq: int, sent_ms: float, instance: str) -> Invocation:
        evidence = shim(instance=instance, instance_seq=1, instance_age_ms=0.1, queue_ms=70)
        return invocation(seq, sent_ms=sent_ms, wait_ms=75, **evidence)

    later = shim(instance="a", instance_seq=2, instance_age_ms=300, queue_ms=0.1)
    run = [cold(0, 0, "a"), cold(1, 1, "b"), cold(2, 200, "c"), invocation(3, sent_ms=300, **later)]
    assert [j.cold_kind for j in judge(run)] == [ColdKind.IDLE, ColdKind.IDLE, ColdKind.SCALEOUT, None]


@given(
    st.builds(
        Evidence,
        cold_flag=st.none() | st.booleans(),
        init_ms=st.none() | st.floats(0, 1e5),
        init_is_per_instance=st.booleans(),
        exec_ms=st.none() | st.floats(0, 1e5),
        queue_ms=st.none() | st.floats(-10, 1e5),
        instance=st.none() | st.sampled_from("ab"),
        instance_seq=st.none() | st.integers(1, 9),
        instance_age_ms=st.none() | st.floats(0, 1e7),
        answered_by=st.sampled_from(AnsweredBy),
    ),
    st.none() | st.floats(0, 1e4),
    st.none() | st.sampled_from(Error),
)
def test_every_ended_invocation_gets_exactly_one_judgement(
    evidence: Evidence, wait_ms: float | None, error: Error | None
) -> None:
    one = invocation(wait_ms=wait_ms, evidence=evidence, error=error)
    judgements = judge([one, one])
    assert len(judgements) == (0 if one.unfinished else 2)
    for judgement in judgements:
        assert 0 <= judgement.confidence <= 1
        # a verdict about an instance always rests on something the response said
        if judgement.verdict in (Verdict.COLD, Verdict.WARM, Verdict.PREINITIALISED, Verdict.COLD_AFFECTED):
            assert (evidence.cold_flag, evidence.init_ms, evidence.instance_seq) != (None, None, None)


def test_behind_a_command_that_made_it_cold_a_start_is_of_that_kind() -> None:
    warm = [invocation(n, sent_ms=1000 + 50 * n, wait_ms=10, cold_flag=False) for n in range(8)]
    first = {"sent_ms": 9000, "cold_flag": True, "instance": "a"}
    cold = judged(*warm, invocation(9, wait_ms=400, phase="3:prepared", **first))
    assert (cold.verdict, cold.cold_kind) == (Verdict.COLD, ColdKind.DEPLOY)
    not_cold = judged(*warm, invocation(9, wait_ms=11, phase="3:prepared", **first))
    assert not_cold.cold_kind is None
    after_silence = judged(*warm, invocation(9, wait_ms=400, phase="3:first", **first))
    assert after_silence.cold_kind is ColdKind.IDLE

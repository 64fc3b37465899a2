"""What waits tell: groups of calls, what a burst shows, what is said of each call. Times are ms."""

from collections.abc import Sequence
from math import inf, log1p

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.bursts import Burst, Lone, in_order
from coldbench.core.by_latency import tell
from coldbench.core.calls import NOT_OBSERVED, CallLog, Calls
from coldbench.core.exclusive import unshared_ns
from coldbench.core.invocation import Error, Invocation
from coldbench.core.latency_model import Component, LatencyModel
from coldbench.core.verdict import ColdKind, Verdict

MS = 1_000_000
COLD, WARM, UNKNOWN = Verdict.COLD, Verdict.WARM, Verdict.UNKNOWN

# Warm calls wait 20 ms, cold ones 100 ms.
MODEL = LatencyModel(
    quick=Component(log1p(20), 0.03),
    slow=Component(log1p(100), 0.05),
    spread=2.0,
    gaps_ns=(0, 10_000 * MS),
    slow_share=(0.01, 0.9),
    tail_share=0.0,
)


def call(
    seq: int, sent_ms: float, wait_ms: float | None, status: int = 200, phase: str = "0:burst"
) -> Invocation:
    sent = int(sent_ms * MS)
    answered = None if wait_ms is None else sent + int(wait_ms * MS)
    return Invocation(
        seq=seq,
        target="f",
        phase=phase,
        intended_ns=sent,
        started_ns=sent,
        sent_ns=sent,
        first_byte_ns=answered,
        end_ns=answered,
        reused=True,
        status=None if wait_ms is None else status,
        error=Error.RESET if wait_ms is None else None,
    )


def calls(*invocations: Invocation) -> Calls:
    log = CallLog()
    for invocation in invocations:
        log.add(invocation)
    return log.calls()


def run(*groups: Sequence[float | None]) -> Calls:
    """Groups of waits, 20 s apart; the calls of a group are sent together."""
    sent = [(20_000.0 * number, wait) for number, group in enumerate(groups) for wait in group]
    return calls(*(call(seq, at, wait) for seq, (at, wait) in enumerate(sent)))


def said(its: Calls, model: LatencyModel = MODEL) -> list[Verdict | None]:
    telling = tell(its, {False: model}, 0)
    found = [telling.get(seq) for seq in sorted(its.seq.tolist())]
    return [one and one.verdict for one in found]


def test_groups_and_the_gaps_before_them() -> None:
    its = calls(call(2, 100, 10), call(0, 0, 30), call(1, 20, 5), call(3, 200, 10))
    assert its.seq.tolist() == [0, 1, 2, 3]
    assert its.group.tolist() == [0, 0, 1, 2]
    assert its.gap_ns.tolist() == [NOT_OBSERVED, NOT_OBSERVED, 70 * MS, 90 * MS]
    assert its.lone.tolist() == [False, False, True, True]


def test_a_failed_call_hides_the_next_one_and_no_more() -> None:
    its = calls(call(0, 0, 10), call(1, 100, None), call(2, 200, 10), call(3, 300, 10))
    assert its.lone.tolist() == [True, False, False, True]


def test_what_was_never_sent_is_no_call() -> None:
    never = Invocation(seq=1, target="f", phase="0:burst", intended_ns=0, error=Error.REFUSED)
    assert calls(call(0, 0, 10), never).seq.tolist() == [0]


def test_no_calls() -> None:
    assert calls().seq.tolist() == []
    assert tell(calls(), {}, 0).get(0) is None


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 300)), min_size=1, max_size=30))
def test_a_group_is_a_longest_chain_of_overlaps(sent_and_wait: list[tuple[int, int]]) -> None:
    its = calls(*(call(seq, sent, wait) for seq, (sent, wait) in enumerate(sent_and_wait)))
    ends = its.sent_ns + its.wait_ns
    for place in range(1, len(ends)):
        begins = its.sent_ns[place] > ends[:place].max()
        assert its.group[place] - its.group[place - 1] == begins


def test_a_longer_wait_is_never_less_likely_cold() -> None:
    waits = np.arange(0, 2000, 1) * MS
    slow, cold = MODEL.probabilities(waits, 0, np.full(len(waits), 20_000 * MS))
    assert (np.diff(slow) >= 0).all()
    assert (np.diff(cold) >= 0).all()
    assert slow[0] < 0.01 < 0.99 < slow[-1]


def test_slow_tails_are_no_starts() -> None:
    tails = LatencyModel(
        quick=MODEL.quick,
        slow=MODEL.slow,
        spread=2.0,
        gaps_ns=(0,),
        slow_share=(0.02,),
        tail_share=0.02,
    )
    _, cold = tails.probabilities(np.array([100 * MS]), 0, np.array([0]))
    assert cold.tolist() == [0.0]


def test_lone_calls_are_told_once_a_cold_one_shows_that_nothing_lies_unused() -> None:
    assert said(run([20], [20], [100], [20], [45])) == [UNKNOWN, UNKNOWN, COLD, WARM, UNKNOWN]


def test_a_connection_alone_may_have_started_an_instance_that_lies_unused() -> None:
    waits = (100, 20, 20, 20, 100, 20)
    phases = ("0:first", "0:fresh", "1:connected", "1:fresh", "2:connected", "2:fresh")
    its = [
        call(seq, 20_000 * seq, wait, phase=phase)
        for seq, (wait, phase) in enumerate(zip(waits, phases, strict=True))
    ]
    assert said(calls(*its)) == [COLD, WARM, UNKNOWN, UNKNOWN, COLD, WARM]


def test_a_failed_call_is_not_told() -> None:
    assert said(run([100], [None], [20]))[1] is None


def test_what_was_not_the_function_says_nothing_of_instances() -> None:
    failed_slowly = calls(call(0, 0, 20), call(1, 20_000, 100, status=502), call(2, 40_000, 20))
    assert said(failed_slowly) == [UNKNOWN] * 3


def test_quick_calls_of_a_burst_are_warm_and_leave_unused_instances() -> None:
    assert said(run([100], [20, 21, 22], [20])) == [COLD, WARM, WARM, WARM, UNKNOWN]


def test_slow_calls_of_a_burst_may_have_queued() -> None:
    assert said(run([100], [20, 100, 101])) == [COLD, WARM, UNKNOWN, UNKNOWN]


EXCLUSIVE: list[list[float]] = [[100], [20, 100, 103, 106], [100], [20, 101, 102]]


def test_slow_calls_are_cold_where_calls_have_instances_of_their_own() -> None:
    telling = said(run(*EXCLUSIVE, [100, 101, 102, 103], [20, 20, 20, 20], [20]))
    assert telling[:8] == [COLD, WARM, COLD, COLD, COLD, COLD, WARM, COLD]
    assert telling[8:13] == [COLD] * 5
    # Four instances are up, and each was used: so are all four warm, and nothing is left unused.
    assert telling[13:] == [WARM] * 5


def test_the_kind_of_a_cold_call_of_a_burst() -> None:
    telling = tell(run(*EXCLUSIVE, [100, 101]), {False: MODEL}, 0)
    kinds = [one and one.cold_kind for one in (telling.get(2), telling.get(9), telling.get(10))]
    assert kinds == [ColdKind.SCALEOUT, ColdKind.IDLE, ColdKind.IDLE]


def test_one_burst_that_shared_an_instance_spoils_it() -> None:
    shared = [[100.0], [20.0, 21.0, 100.0]]
    assert said(run(*EXCLUSIVE, *shared))[2:5] == [UNKNOWN] * 3


def test_a_burst_that_took_long_to_send_is_not_told() -> None:
    slowly = [call(1, 20_000, 90), call(2, 20_080, 20)]
    assert said(calls(call(0, 0, 100), *slowly)) == [COLD, UNKNOWN, UNKNOWN]


def shows(*bursts: Sequence[float], of: float = 20) -> float:
    """Each burst meets one instance, and calls of at most `of` ms are quick."""
    groups = [group for burst in bursts for group in ([1000.0], burst)]
    its = run(*groups)
    speeds = np.where(its.wait_ns > of * MS, 1, -1)
    return unshared_ns(in_order(its, speeds, 0, 1e9))


@pytest.mark.parametrize(
    ("waits", "unshared"),
    [
        ([20, 100, 105], inf),  # it was free again after 20 ms, and took none of those that waited
        ([900, 1300, 1310], 0.9 * 750 * MS),  # it was not free before 1575 ms
        ([300, 500, 510], 0.0),  # it may have been free then, but for a network that does not show
        ([100, 200, 210], 0.0),  # it may have taken one of them
        ([20, 40, 60], 0.0),  # a queue
        ([20, 100], 0.0),  # one slow call is no cluster
    ],
)
def test_what_two_bursts_into_one_instance_show(waits: list[float], unshared: float) -> None:
    assert shows(waits, waits, of=waits[0]) == pytest.approx(unshared)


def test_one_burst_shows_nothing() -> None:
    assert shows([20, 100, 105]) == 0


def test_a_burst_into_nobody_knows_how_many_instances_shows_nothing() -> None:
    its = run([1000], [20, 100, 105], [20, 100, 105])
    speeds = np.where(its.wait_ns > 20 * MS, 1, -1)
    groups = list(in_order(its, speeds, 0, 1e9))
    assert [type(group) for group in groups] == [Lone, Burst, Burst]
    assert unshared_ns(groups) == 0

"""The probe's own figures, of judged invocations."""

import pytest

from coldbench.core.invocation import Evidence, Invocation
from coldbench.core.summary import Connecting, Probed
from coldbench.core.verdict import ColdKind, Judgement, Verdict
from coldbench.stats.probed import ProbedTally

MS = 1_000_000


def add(
    tally: ProbedTally,
    phase: str,
    verdict: Verdict,
    *,
    wait_ms: int = 5,
    exec_ms: float | None = 1.0,
    kind: ColdKind | None = None,
    error: bool = False,
) -> None:
    fresh = not phase.endswith("reused")
    sent = 3 * MS if fresh else 0
    first_byte = sent + wait_ms * MS
    tally.add(
        Invocation(
            seq=0,
            target="f",
            phase=phase,
            intended_ns=0,
            started_ns=0,
            sent_ns=sent,
            first_byte_ns=first_byte,
            end_ns=first_byte + MS,
            dns_ns=1 * MS if fresh else None,
            connect_ns=2 * MS if fresh else None,
            reused=not fresh,
            status=None if error else 200,
            evidence=Evidence(exec_ms=exec_ms),
        ),
        Judgement(seq=0, verdict=verdict, reason="", confidence=1.0, cold_kind=kind),
    )


def probed(rounds: int = 6, first: str = "first") -> Probed:
    tally = ProbedTally("f")
    for number in range(rounds):
        add(tally, f"{number}:{first}", Verdict.COLD, wait_ms=100 + number, exec_ms=9.0, kind=ColdKind.IDLE)
        add(tally, f"{number}:fresh", Verdict.WARM)
        add(tally, f"{number}:reused", Verdict.WARM, wait_ms=4)
    return tally.probed(seed=1)


def test_phases_are_means_by_verdict_and_connection() -> None:
    cold, fresh, reused = probed().phases
    assert (cold.verdict, cold.connection, cold.n, cold.wait_ms) == ("cold", "fresh", 6, 102.5)
    assert (fresh.dns_ms, fresh.connect_ms, fresh.tls_ms, fresh.wait_ms, fresh.download_ms) == (
        1,
        2,
        None,
        5,
        1,
    )
    assert (reused.connection, reused.dns_ms, reused.wait_ms) == ("reused", None, 4)


def test_the_first_execution_against_later_ones() -> None:
    found = probed()
    assert found.exec_first_ms is not None
    assert found.exec_later_ms is not None
    assert (found.exec_first_ms.n, found.exec_later_ms.n) == (6, 12)
    assert found.first_execution_ms is not None
    assert found.first_execution_ms.value == 8.0


@pytest.mark.parametrize("role", ["first", "prepared"])
def test_the_verdicts_of_first_calls_are_counted(role: str) -> None:
    assert probed(first=role).first == {"cold": 6}


def test_kinds_of_cold_starts_are_not_pooled_and_calls_of_a_burst_are_no_baseline() -> None:
    tally = ProbedTally("f")
    add(tally, "0:first", Verdict.COLD, wait_ms=900, kind=ColdKind.IDLE)
    for _ in range(3):
        add(tally, "0:burst", Verdict.COLD, wait_ms=100, kind=ColdKind.SCALEOUT)
        add(tally, "0:burst", Verdict.WARM, wait_ms=50)
    (cold,) = tally.probed(seed=1).phases
    assert (cold.n, cold.wait_ms) == (3, 100)


def test_what_was_not_answered_has_no_part() -> None:
    tally = ProbedTally("f")
    add(tally, "0:first", Verdict.UNKNOWN)
    add(tally, "1:first", Verdict.COLD, error=True)
    found = tally.probed(seed=1)
    assert (found.phases, found.exec_first_ms, found.first_execution_ms) == ((), None, None)
    assert found.first == {"unknown": 1, "cold": 1}


def untold(rounds: int = 6) -> ProbedTally:
    """Rounds after silences (but for the first) in which nothing tells cold from warm."""
    tally = ProbedTally("f")
    for number in range(rounds):
        add(tally, f"{number}:first", Verdict.UNKNOWN, wait_ms=100 + number if number else 900)
        add(tally, f"{number}:fresh", Verdict.UNKNOWN, wait_ms=10 + number)
        add(tally, f"{number}:reused", Verdict.UNKNOWN, wait_ms=4)
        add(tally, f"{number}:burst", Verdict.UNKNOWN, wait_ms=50)
    return tally


def test_where_nothing_is_told_first_calls_stand_beside_later_ones() -> None:
    found = untold().probed(seed=1)
    first, fresh, reused = found.phases
    assert (first.verdict, first.first, first.connection, first.n, first.wait_ms) == (
        "unknown",
        True,
        "fresh",
        5,
        103,
    )
    assert (fresh.first, fresh.connection, fresh.n, fresh.wait_ms) == (False, "fresh", 6, 12.5)
    assert (reused.first, reused.connection, reused.n, reused.wait_ms) == (False, "reused", 6, 4)
    assert found.first_over_later_ms is not None
    assert found.first_over_later_ms.value == 103 - 12.5
    assert found.first_over_later_ms.low is not None


def test_a_call_that_was_given_up_leaves_no_difference() -> None:
    tally = untold()
    add(tally, "6:first", Verdict.UNKNOWN, error=True)
    assert tally.probed(seed=1).first_over_later_ms is None


def test_where_some_are_told_the_others_have_no_phases() -> None:
    tally = untold()
    add(tally, "6:fresh", Verdict.WARM)
    assert [its.verdict for its in tally.probed(seed=1).phases] == ["warm"]


def connecting(
    connected: dict[Verdict, int], silent: dict[Verdict, int], *, ahead_ms: int = 500, failed: int = 0
) -> Connecting | None:
    """The target is cold in round 0, of which no silence is known; a start takes 100 ms."""
    tally = ProbedTally("f", ahead_ms * 1_000_000)
    add(tally, "0:first", Verdict.COLD)
    for role, verdicts in (("connected", connected), ("first", silent), ("unconnected", {C: failed})):
        for verdict, times in verdicts.items():
            for number in range(1, times + 1):
                add(tally, f"{number}:{role}", verdict, wait_ms=100)
    return tally.probed(seed=1).connecting


C, W, P, U = Verdict.COLD, Verdict.WARM, Verdict.PREINITIALISED, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("connected", "silent", "wakes"),
    [
        ({P: 5}, {C: 4}, True),
        ({P: 4, W: 1}, {C: 4}, True),
        ({Verdict.COLD_AFFECTED: 4}, {C: 4}, True),
        ({C: 5}, {C: 4}, False),
        ({C: 4}, {C: 5}, None),  # it may wake it half the time
        ({C: 5, U: 15}, {C: 20}, None),  # what is not known may have been woken
        ({C: 5, Verdict.START_FAILED: 1}, {C: 5}, None),
        ({C: 5}, {U: 4}, None),  # how long a start takes is not known
        ({P: 3}, {C: 3}, None),  # one of twenty by chance
        ({W: 5}, {W: 4}, None),  # the silence was too short: nothing was cold
        ({C: 2, P: 3}, {C: 3, W: 1}, None),
        ({U: 9}, {U: 9}, None),
        ({}, {C: 9}, None),
    ],
)
def test_connecting_wakes_a_target_or_not(
    connected: dict[Verdict, int], silent: dict[Verdict, int], wakes: bool | None
) -> None:
    found = connecting(connected, silent)
    assert found is not None
    assert found.wakes is wakes
    assert found.connected == connected
    assert found.silent == silent  # without round 0
    assert (found.at_most is not None) is (wakes is False)


def test_a_connection_that_comes_too_shortly_before_the_call_tells_nothing() -> None:
    """The call comes into the start that the connection began, and is cold as well."""
    found = connecting({C: 5}, {C: 5}, ahead_ms=80)
    assert found is not None
    assert (found.wakes, found.start_ms) == (None, 100)


def test_what_came_behind_a_failed_connection_is_in_neither() -> None:
    found = connecting({C: 5}, {C: 4}, failed=2)
    assert found is not None
    assert (found.connected, found.silent, found.failed) == ({C: 5}, {C: 4}, 2)


def test_a_start_that_may_have_begun_before_its_call_is_in_no_figure() -> None:
    tally = ProbedTally("f", 1)
    for number in range(3):
        add(tally, f"{number}:first", Verdict.COLD, wait_ms=300)
        add(tally, f"{number}:connected", Verdict.COLD, wait_ms=100)
    (cold,) = tally.probed(seed=1).phases
    assert (cold.n, cold.wait_ms) == (3, 300)


def test_where_no_bare_connection_was_asked_for_nothing_is_said_of_it() -> None:
    assert connecting({}, {C: 9}, ahead_ms=0) is None
    assert connecting({}, {}) is None  # stopped in round 0

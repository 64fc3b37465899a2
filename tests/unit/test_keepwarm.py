"""How pings reach N instances, how often, and when: the pure part of keeping warm."""

from collections import OrderedDict
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldbench.core.cadence import Cadence, Gone, after_round, broken_off, let_go
from coldbench.core.errors import UsageError
from coldbench.core.hold import HoldBy, Holding, held, out_of_step
from coldbench.core.invocation import AnsweredBy, Evidence, Invocation
from coldbench.core.judge import function_answered
from coldbench.core.keepwarm import Round, Tally, together
from coldbench.core.pings import first_uses, instances_reached, least_hold_ns, queued, stayed, tells_queued
from coldbench.core.reach import Limits, Met, Reach, covered, escalated, first_reach, lengthened, resumed
from coldbench.core.target import Target
from coldbench.core.window import is_open, parse_window

MS = 1_000_000
LIMITS = Limits(pings=200, hold_ns=2000 * MS)


class Platform:
    """Places overlapping pings as the lab does: on the instance used last that has room, else a new one.

    A new instance takes its ping too late to hold it with the others: that ping has queued.
    """

    def __init__(self, per_instance: int, most: int = 1000) -> None:
        self._per_instance = per_instance
        self._most = most
        self._instances: OrderedDict[int, None] = OrderedDict()

    def ping(self, reach: Reach, spread_ns: int) -> tuple[int, bool]:
        """How many instances answered, and whether some pings queued."""
        # Pings that come after the first ones have gone find room again: they overlap in groups.
        overlapping = (
            reach.pings if reach.hold_ns >= spread_ns else max(1, reach.pings * reach.hold_ns // spread_ns)
        )
        wanted = -(-overlapping // self._per_instance)
        here = len(self._instances)
        for number in range(here, min(wanted, self._most)):
            self._instances[number] = None
        return min(wanted, here) if here else 1, wanted > here


def settle(platform: Platform, wanted: int, spread_ns: int, limits: Limits = LIMITS) -> tuple[Reach, bool]:
    """After as many attempts as ten rounds may have; whether the last one reached all."""
    reach = first_reach(wanted, limits)
    reached = 0
    for _ in range(40):
        reached, waited = platform.ping(reach, spread_ns)
        if reached >= wanted:
            reach = covered(reach, reached, wanted, spread_ns)
            continue
        met = Met.GROWING if waited else Met.PACKED
        more = escalated(reach, reached, wanted, spread_ns=spread_ns, met=met, limits=limits)
        if more is None:
            break
        reach = more
    return reach, reached >= wanted


@given(st.integers(1, 20), st.integers(1, 8), st.integers(0, 300))
def test_enough_pings_are_found_for_any_concurrency_and_spread(
    wanted: int, per_instance: int, spread_ms: int
) -> None:
    reach, reached = settle(Platform(per_instance), wanted, spread_ms * MS)
    assert reached
    assert reach.hold_ns >= min(spread_ms * MS, reach.hold_ns)
    # as many as the platform's packing needs, and not many more
    least = (wanted - 1) * per_instance + 1
    assert least <= reach.pings <= least + per_instance


def test_a_limit_of_the_platform_is_not_run_against_for_ever() -> None:
    reach, reached = settle(Platform(1, most=3), 5, 5 * MS)
    assert not reached
    assert reach.pings == 5  # the others queued: more pings would only queue too


def test_nothing_beyond_the_limits_is_sent() -> None:
    limits = Limits(pings=6, hold_ns=100 * MS)
    reach, reached = settle(Platform(4), 5, 1 * MS, limits)
    assert not reached
    assert (reach.pings, reach.hold_ns) == (6, 100 * MS)


def test_a_shorter_hold_is_tried_and_never_again_one_that_missed() -> None:
    reach = Reach(pings=5, hold_ns=200 * MS, missed_hold_ns=150 * MS)
    for _ in range(100):
        reach = covered(reach, 5, 5, MS)
    assert 150 * MS < reach.hold_ns <= 200 * MS


def test_late_pings_are_held_longer_and_a_hold_is_not_cut_below_their_spread() -> None:
    reach = Reach(pings=17, hold_ns=25 * MS)
    longer = escalated(reach, 3, 5, spread_ns=2 * MS, met=Met.LATE, limits=LIMITS)
    assert longer is not None
    assert (longer.pings, longer.hold_ns, longer.missed_hold_ns) == (17, 50 * MS, 25 * MS)
    reach = Reach(pings=5, hold_ns=100 * MS)
    for number in range(100):
        reach = covered(reach, 5, 5, 20 * MS if number % 7 == 0 else MS)
    assert reach.hold_ns == 60 * MS


def test_a_restart_goes_on_with_what_was_found() -> None:
    fresh = first_reach(5, LIMITS)
    assert (resumed(fresh, 17, 120.0, LIMITS).pings, resumed(fresh, 17, 120.0, LIMITS).hold_ns) == (
        17,
        120 * MS,
    )
    small = Limits(pings=9, hold_ns=50 * MS)
    assert (resumed(fresh, 17, 120.0, small).pings, resumed(fresh, 17, 120.0, small).hold_ns) == (9, 50 * MS)


@given(st.floats(3, 3600), st.floats(1, 600))
def test_the_period_settles_below_the_lifetime(lifetime_s: float, first_s: float) -> None:
    cadence = Cadence(period_ns=round(first_s * 1e9))
    evictions = []
    for number in range(200):
        evicted = cadence.period_ns / 1e9 >= lifetime_s
        gone = Gone.MOST if evicted else Gone.NONE
        evictions.append(evicted)
        changed = after_round(cadence, gone=gone, shortest_ns=10**9)
        assert changed is not None, number
        cadence = changed
    # Once in fifty rounds a little more is tried: platforms change their minds.
    assert sum(evictions[-50:]) <= 1
    assert cadence.period_ns / 1e9 > 0.4 * lifetime_s


def test_no_timer_helps_where_instances_are_gone_at_once() -> None:
    cadence = Cadence(period_ns=10**9)
    assert after_round(cadence, gone=Gone.MOST, shortest_ns=10**9) is None


@pytest.mark.parametrize(
    ("silent_s", "period_s", "broken"),
    [(27, 30, False), (31, 30, False), (60, 30, True), (43_200, 30, True), (0.3, 0.1, False), (1, 0.1, True)],
)
def test_a_silence_that_was_not_the_periods_teaches_it_nothing(
    silent_s: float, period_s: float, broken: bool
) -> None:
    """After a closed window all instances were cold, and the period was shortened."""
    assert broken_off(round(silent_s * 1e9), round(period_s * 1e9)) is broken


def test_a_round_with_cold_starts_is_not_clean() -> None:
    """Where lifetimes differ the period grew until half of the instances died in each round."""
    cadence = Cadence(period_ns=30 * 10**9)
    for number in range(50):
        changed = after_round(cadence, gone=Gone.NONE if number % 3 else Gone.FEW, shortest_ns=10**9)
        assert changed is not None
        cadence = changed
    assert cadence.period_ns == 30 * 10**9


def test_a_longer_period_that_lets_some_go_is_given_up() -> None:
    cadence: Cadence | None = Cadence(period_ns=30 * 10**9)
    for _ in range(3):
        assert cadence is not None
        cadence = after_round(cadence, gone=Gone.NONE, shortest_ns=10**9)
    assert cadence is not None
    assert cadence.period_ns == 45 * 10**9
    cadence = after_round(cadence, gone=Gone.FEW, shortest_ns=10**9)
    assert cadence == Cadence(period_ns=30 * 10**9, too_long_ns=45 * 10**9)


def ping(**facts: Any) -> Invocation:
    wait_ms = facts.pop("wait_ms", 80)
    connect_ns = facts.pop("connect_ns", None)
    made = {
        "connect_ns": connect_ns,
        "seq": 0,
        "target": "f",
        "phase": "0:ping",
        "intended_ns": 0,
        "sent_ns": 0,
        "status": 200,
    }
    at = round(wait_ms * MS)
    return Invocation(**(made | {"first_byte_ns": at, "end_ns": at, "evidence": Evidence(**facts)}))


def test_ids_are_counted_and_without_them_it_is_an_estimate() -> None:
    holding = Holding(by=HoldBy.FOR, warm_wait_ns=5 * MS)
    named = [ping(instance=name) for name in "aabbc"]
    assert instances_reached(named, holding, 75 * MS, MS, 1) == (3, False)
    nameless = [ping(wait_ms=wait) for wait in (81, 82, 85, 400, 410)]
    assert instances_reached(nameless, holding, 75 * MS, MS, 1) == (3, True)
    assert instances_reached(nameless, holding, 75 * MS, MS, 2) == (2, True)
    assert queued(nameless, holding, 75 * MS) == 2


@pytest.mark.parametrize(
    ("by", "warm_ms", "hold_ms", "spread_ms", "told"),
    [
        (HoldBy.NATURAL, 2, 75, 1, False),  # behind an execution of 2 ms nobody waits 50 ms
        (HoldBy.NATURAL, 120, 75, 1, True),
        (HoldBy.REQUEST, 40, 75, 1, False),
        (HoldBy.REQUEST, 500, 75, 1, True),
        (HoldBy.FOR, 2, 75, 1, True),
        (HoldBy.FOR, 2, 75, 40, False),
        (HoldBy.FOR, 2, 25, 1, False),
        (HoldBy.FOR, 20, 60, 1, True),
    ],
)
def test_without_ids_a_number_needs_a_wait_that_would_show(
    by: HoldBy, warm_ms: int, hold_ms: int, spread_ms: int, told: bool
) -> None:
    """One instance that served all was three."""
    holding = Holding(by=by, warm_wait_ns=warm_ms * MS)
    pings = [ping(wait_ms=warm_ms + 1, connect_ns=MS) for _ in range(3)]
    one = ping(wait_ms=warm_ms + 1)
    assert instances_reached(pings, holding, hold_ms * MS, spread_ms * MS, 1) == (3 if told else None, True)
    assert instances_reached([one], holding, hold_ms * MS, 0, 1) == (1, True)


def test_a_hold_that_has_to_tell_is_long_enough_and_stays_so() -> None:
    holding = Holding(by=HoldBy.FOR, warm_wait_ns=200 * MS)
    pings = [ping(wait_ms=300)] * 3
    assert tells_queued(pings, holding, least_hold_ns(holding, 5 * MS), 5 * MS)
    reach = Reach(pings=5, hold_ns=100 * MS)
    longer = lengthened(reach, 126 * MS, LIMITS)
    assert longer is not None
    assert longer.hold_ns == 126 * MS
    assert lengthened(longer, 126 * MS, LIMITS) is None
    assert lengthened(reach, 126 * MS, Limits(pings=5, hold_ns=110 * MS)) is None
    for _ in range(100):
        reach = covered(reach, 5, 5, MS, 61 * MS)
    assert reach.hold_ns == 61 * MS


@pytest.mark.parametrize(
    ("status", "facts", "expected", "answered"),
    [
        (200, {}, (), True),
        (503, {"answered_by": AnsweredBy.GATEWAY}, (), False),
        (429, {"answered_by": AnsweredBy.THROTTLE}, (), False),
        (200, {"answered_by": AnsweredBy.CACHE}, (), False),
        (200, {"answered_by": AnsweredBy.UNEXPECTED}, (), False),
        (302, {}, (), False),
        (404, {}, (), False),  # a gateway's looks like that, too
        (404, {}, (404,), True),
        (404, {"instance": "a"}, (), True),
        (500, {"answered_by": AnsweredBy.FUNCTION}, (), True),
    ],
)
def test_only_what_the_function_answers_counts(
    status: int, facts: dict[str, Any], expected: tuple[int, ...], answered: bool
) -> None:
    assert function_answered(replace(ping(**facts), status=status), expected) is answered


def test_at_a_rendezvous_the_execution_says_who_queued() -> None:
    holding = Holding(by=HoldBy.UNTIL, warm_wait_ns=5 * MS)
    pings = [
        ping(instance="a", exec_ms=74.0),
        ping(instance="b", exec_ms=40.0),
        ping(instance="a", exec_ms=0.1),
    ]
    assert queued(pings, holding, 75 * MS) == 1


def test_first_uses_are_those_that_say_so() -> None:
    assert first_uses([ping(cold_flag=True), ping(instance_seq=1), ping(instance_seq=2), ping()]) == 2
    assert first_uses([ping(cold_flag=False, instance_seq=1)]) == 0
    assert first_uses([ping(), ping(instance="a")]) is None
    assert first_uses([]) is None


def test_ways_to_hold() -> None:
    target = Target(name="f", url="u", endpoint="http://h:1/a/b?c", headers=(("A", "1"),))
    until = held(
        target, Holding(by=HoldBy.UNTIL, warm_wait_ns=0, clock_ahead_ns=3 * MS), 75 * MS, 10**9 * 1000
    )
    assert until.headers == (("A", "1"), ("X-Coldbench-Hold-Until", "1000078.000"))
    lasting = held(target, Holding(by=HoldBy.FOR, warm_wait_ns=0), 75 * MS, 0)
    assert lasting.headers[-1] == ("X-Coldbench-Hold-Ms", "75.000")
    assert (
        held(target, Holding(by=HoldBy.REQUEST, warm_wait_ns=0, request="/slow"), 0, 0).endpoint
        == "http://h:1/slow"
    )
    posted = held(target, Holding(by=HoldBy.REQUEST, warm_wait_ns=0, request="{}"), 0, 0)
    assert (posted.method, posted.body) == ("POST", b"{}")
    assert held(target, Holding(by=HoldBy.NATURAL, warm_wait_ns=0), 0, 0) == target


@pytest.mark.parametrize(
    ("by", "moved_ms", "again"),
    [
        (HoldBy.UNTIL, 0, False),
        (HoldBy.UNTIL, 2, False),
        (HoldBy.UNTIL, 3000, True),
        (HoldBy.UNTIL, -3000, True),
        (HoldBy.FOR, 3000, False),  # needs no clock
    ],
)
def test_a_clock_that_was_set_is_agreed_on_again(by: HoldBy, moved_ms: int, again: bool) -> None:
    """Holds were 200 times too long from then on."""
    holding = Holding(by=by, warm_wait_ns=MS, clock_ahead_ns=MS, wall_ahead_ns=10**18)
    assert out_of_step(holding, 10**18 + moved_ms * MS) is again


def done(
    number: int, reached: int | None, cold: int | None = 0, slow: int = 0, there: int | None = None
) -> Round:
    return Round(
        target="f",
        number=number,
        at_s=number,
        asked=5,
        reached=reached,
        stayed=reached if there is None else there,
        estimated=False,
        pings=5,
        hold_ms=75,
        spread_ms=1,
        cold=cold,
        slow=slow,
        recycled=False,
        answers=5,
        took_s=0.1,
        every_s=1,
    )


def test_the_first_rounds_do_not_count() -> None:
    tally = Tally("f", 5)
    for number, reached in enumerate((1, 3, 5, 5, 4, 5)):
        tally.add(done(number, reached, cold=2))
    kept = tally.kept(None, 10**9, ())
    assert (kept.rounds, kept.reached, kept.coverage_pct, kept.cold) == (6, 5, 75.0, 8)
    both = together([kept, Tally("g", 3).kept(None, 10**9, ())])
    assert (both.asked, both.reached, both.rounds, both.coverage_pct) == (8, 5, 6, 75.0)


def test_a_round_that_starts_what_it_reaches_covers_nothing() -> None:
    """Every instance died between all rounds, and coverage was 100 %."""
    tally = Tally("f", 5)
    for number in range(6):
        tally.add(done(number, 5, cold=5, there=0))
    kept = tally.kept(None, 10**9, ())
    assert (kept.reached, kept.coverage_pct) == (5, 0.0)


@pytest.mark.parametrize(
    ("reached", "cold", "first", "slow", "estimated", "there"),
    [
        (5, 0, 5, 2, False, 5),
        (5, 2, 3, 2, False, 3),
        (7, 2, 7, 0, False, 5),  # more than were needed
        (2, 3, 2, 0, False, 0),  # instances took several
        (5, None, 5, 2, False, 3),
        (5, None, 3, 2, True, 3),  # the estimate has left them out
        (None, 1, None, 0, True, None),
        (None, None, None, 0, True, None),
    ],
)
def test_what_stayed_is_what_was_not_started(
    reached: int | None, cold: int | None, first: int | None, slow: int, estimated: bool, there: int | None
) -> None:
    assert stayed(reached, cold, first, slow, estimated=estimated) == there


def test_after_a_long_silence_the_first_rounds_do_not_count_again() -> None:
    tally = Tally("f", 5)
    for number in range(6):
        tally.add(done(number, 5))
    assert tally.settled
    tally.settle_anew()
    tally.add(done(6, 5, cold=5, there=0))
    assert not tally.settled
    tally.add(done(7, 5, cold=1, there=4))
    assert tally.settled
    tally.add(done(8, 4))
    kept = tally.kept(None, 10**9, ())
    assert (kept.rounds, kept.counted, kept.cold, kept.coverage_pct) == (9, 5, 0, 80.0)


def test_the_time_in_which_nothing_answered_is_not_covered() -> None:
    """A target that was down for half of a day was covered to 100 %."""
    tally = Tally("f", 5)
    for number in range(8):
        tally.add(done(number, 5))
    tally.miss(60 * 10**9, 10 * 10**9)
    kept = tally.kept(None, 10**9, ())
    assert (kept.rounds, kept.counted, kept.missed, kept.coverage_pct) == (8, 12, 6, 50.0)
    never = Tally("g", 5)
    never.miss(1, 10**9)
    nothing = never.kept(None, 10**9, ())
    assert (nothing.rounds, nothing.missed, nothing.reached, nothing.coverage_pct) == (0, 1, None, 0.0)
    both = together([kept, nothing])
    assert (both.reached, both.coverage_pct) == (5, 0.0)


def test_without_a_word_on_first_uses_slow_pings_are_counted() -> None:
    tally = Tally("f", 5)
    for number in range(6):
        tally.add(done(number, 5, cold=None, slow=2))
    kept = tally.kept(None, 10**9, ())
    assert (kept.cold, kept.slow) == (None, 8)


def test_where_nothing_tells_the_number_there_is_no_coverage() -> None:
    tally = Tally("f", 5)
    for number in range(4):
        tally.add(done(number, None))
    unknown = tally.kept(None, 10**9, ())
    assert (unknown.reached, unknown.coverage_pct, unknown.rounds) == (None, None, 4)
    tally.add(done(4, 5))
    known = tally.kept(None, 10**9, ())
    assert (known.reached, known.coverage_pct) == (5, pytest.approx(100 / 3))
    both = together([unknown, known])
    assert (both.reached, both.coverage_pct) == (None, None)


@pytest.mark.parametrize(
    ("cold", "slow", "reached", "gone"),
    [
        (0, 0, 5, Gone.NONE),
        (2, 0, 5, Gone.FEW),
        (3, 0, 5, Gone.MOST),
        (0, 5, 5, Gone.NONE),  # they queued: the answers say that none was a first use
        (None, 0, 5, Gone.NONE),
        (None, 2, 5, Gone.FEW),
        (None, 3, 5, Gone.MOST),
        (None, 1, 1, Gone.MOST),
        (1, 0, 10, Gone.FEW),
        (5, 0, 10, Gone.MOST),
    ],
)
def test_a_silence_that_lets_go_lets_go_together(
    cold: int | None, slow: int, reached: int, gone: Gone
) -> None:
    assert let_go(cold, slow, reached) is gone


# 23 November 2026 is a Monday.
@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("mon-fri 08:00-20:00", ["23T08:00", "27T19:59"], ["23T20:00", "28T12:00"]),
        ("08:00-20:00", ["28T12:00"], ["28T07:59"]),
        ("fri 22:00-02:00", ["27T23:00", "28T01:59"], ["27T01:00", "28T22:30"]),
        ("sat-mon 00:00-24:00", ["28T00:00", "30T23:59"], ["24T00:00"]),
        ("Sun 12:00-12:00", ["29T12:00", "30T11:59"], ["29T11:59"]),
    ],
)
def test_windows(text: str, inside: list[str], outside: list[str]) -> None:
    windows = [parse_window(text)]
    assert all(is_open(windows, datetime.fromisoformat(f"2026-11-{at}")) for at in inside)
    assert not any(is_open(windows, datetime.fromisoformat(f"2026-11-{at}")) for at in outside)
    assert is_open([], datetime.fromisoformat("2026-11-23T00:00"))


@pytest.mark.parametrize("text", ["", "monday 08:00-20:00", "8:00-20:00", "mon 25:00-26:00", "08:61-09:00"])
def test_no_windows(text: str) -> None:
    with pytest.raises(UsageError):
        parse_window(text, "--window")

"""What pings tell, and what the rounds of keeping warm come to."""

from typing import Any

import pytest
from msgspec.structs import replace

from coldbench.core.hold import HoldBy, Holding, held, out_of_step
from coldbench.core.invocation import AnsweredBy, Evidence, Invocation
from coldbench.core.judge import function_answered
from coldbench.core.keepwarm import Round, Tally, together
from coldbench.core.pings import first_uses, instances_reached, least_hold_ns, queued, stayed, tells_queued
from coldbench.core.reach import Limits, Reach, covered, lengthened
from coldbench.core.target import Target

MS = 1_000_000
LIMITS = Limits(pings=200, hold_ns=2000 * MS)


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

"""What the writer makes of a raw fact: when its bytes had arrived."""

import struct
from typing import Any

import pytest

from coldbench.core.invocation import Evidence, Invocation
from coldbench.core.messages import Ancillary, Batch, Order, RawFact
from coldbench.core.profile import parse_profile
from coldbench.core.schedule import plan
from coldbench.core.target import Target
from coldbench.engine.writer import invocation

MS = 1_000_000
AHEAD_NS = 1_700_000_000_000_000_000
ZERO_NS = 5_000 * MS
SENT_NS = ZERO_NS + 10 * MS


def stamped(at_ns: int) -> Ancillary:
    return [(1, 35, struct.pack("@ll", *divmod(at_ns + AHEAD_NS, 1_000_000_000)))]


def written(since_ns: int = 0, **facts: Any) -> Invocation:
    target = Target(name="f", url="http://x/", endpoint="http://x/")
    profile = parse_profile('[[stage]]\nkind = "burst"\nsize = 1\n', "one")
    order = Order(run_id="r", plan=plan(profile, 1, 1), targets=(target,), drain_ns=1)
    fact = RawFact(
        seq=0,
        target=0,
        phase=0,
        intended_ns=SENT_NS,
        started_ns=SENT_NS,
        sent_ns=SENT_NS,
        status=200,
        **facts,
    )
    batch = Batch(worker=0, zero_ns=ZERO_NS, ahead_ns=AHEAD_NS, since_ns=since_ns, facts=[fact])
    return invocation(batch, fact, Evidence(), order)


def instants(one: Invocation) -> tuple[float | None, float | None]:
    """First and last byte, ms after the request was sent."""
    first, end = one.first_byte_ns, one.end_ns
    sent = SENT_NS - ZERO_NS
    return None if first is None else (first - sent) / MS, None if end is None else (end - sent) / MS


def test_what_came_in_one_read_had_arrived_at_once() -> None:
    read_ns = SENT_NS + 9 * MS
    one = written(first_byte_ns=read_ns, end_ns=read_ns, last_read=stamped(SENT_NS + 7 * MS))
    assert instants(one) == (7, 7)


def test_each_read_has_its_own_stamp() -> None:
    one = written(
        first_byte_ns=SENT_NS + 4 * MS,
        end_ns=SENT_NS + 9 * MS,
        first_read=stamped(SENT_NS + 3 * MS),
        last_read=stamped(SENT_NS + 7 * MS),
    )
    assert instants(one) == (3, 7)


def test_a_failure_is_of_when_it_was_noticed_and_its_first_byte_of_when_it_came() -> None:
    one = written(
        first_byte_ns=SENT_NS + 4 * MS,
        end_ns=SENT_NS + 9 * MS,
        first_read=stamped(SENT_NS + 3 * MS),
        error="reset",
    )
    assert instants(one) == (3, 9)


def test_nothing_arrives_before_the_request_has_left() -> None:
    read_ns = SENT_NS + MS
    one = written(first_byte_ns=read_ns, end_ns=read_ns, last_read=stamped(SENT_NS - 1))
    assert instants(one) == (0, 0)


@pytest.mark.parametrize("stamps", [[], stamped(SENT_NS + 7 * MS)])
def test_without_a_stamp_to_believe_it_is_the_time_of_the_read(stamps: Ancillary) -> None:
    read_ns = SENT_NS + 9 * MS
    one = written(SENT_NS + 8 * MS, first_byte_ns=read_ns, end_ns=read_ns, last_read=stamps)
    assert instants(one) == (9, 9)


def test_of_a_long_answer_only_what_came_after_the_wall_clock_was_set_is_dated_by_it() -> None:
    one = written(
        SENT_NS + 2_000 * MS,
        first_byte_ns=SENT_NS + 700 * MS,
        end_ns=SENT_NS + 5_000 * MS,
        first_read=stamped(SENT_NS + 100 * MS),  # by the clock as it was, 600 ms behind
        last_read=stamped(SENT_NS + 4_999 * MS),
    )
    assert instants(one) == (700, 4_999)


def test_a_stamp_that_this_machine_cannot_read_is_none() -> None:
    """A worker of another architecture has sent it."""
    read_ns = SENT_NS + 9 * MS
    one = written(first_byte_ns=read_ns, end_ns=read_ns, last_read=[(1, 35, b"12345678")])
    assert instants(one) == (9, 9)


def test_one_that_has_not_ended_may_have_begun_to_answer() -> None:
    one = written(first_byte_ns=SENT_NS + 4 * MS, last_read=stamped(SENT_NS + 3 * MS))
    assert instants(one) == (3, None)
    assert instants(written()) == (None, None)

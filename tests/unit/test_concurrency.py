"""What bursts tell of one instance's concurrency, as tables."""

from collections.abc import Iterator, Sequence

import pytest

from coldbench.cli.concurrency import sizes_up_to
from coldbench.core.concurrency import Burst, BurstTally, Concurrency
from coldbench.core.invocation import Error, Evidence, Invocation

MS = 1_000_000
LONE_MS = 400.0


def call(phase: str, wait_ms: float, instance: str | None = None) -> Invocation:
    """One that was sent at 0."""
    return Invocation(
        seq=0,
        target="t",
        phase=phase,
        intended_ns=0,
        sent_ns=0,
        first_byte_ns=round(wait_ms * MS),
        end_ns=round(wait_ms * MS),
        status=200,
        evidence=Evidence(instance=instance),
    )


def found(bursts: Sequence[Sequence[Invocation]], instance: str | None) -> Concurrency:
    tally = BurstTally()
    for wait_ms in (LONE_MS - 1, LONE_MS, LONE_MS + 1):
        tally.add(call("0:single", wait_ms, instance))
    for one in (one for burst in bursts for one in burst):
        tally.add(one)
    return tally.concurrency("hold header")


def queueing(size: int, room: int, instance: str | None) -> Iterator[Invocation]:
    """So many calls to one instance that has room for some and lets the others wait."""
    for place in range(size):
        yield call(f"{size}:burst", LONE_MS * (1 + place // room) + place % 3, instance)


def scaling(size: int, room: int, *, named: bool) -> Iterator[Invocation]:
    """The same where others are started for those that find no room."""
    for place in range(size):
        instance = f"{'first' if place < room else f'{size}-{place // room}'}" if named else None
        yield call(f"{size}:burst", LONE_MS + (place >= room) * 150, instance)


@pytest.mark.parametrize("room", [1, 2, 5, 10])
@pytest.mark.parametrize("named", [True, False])
def test_a_queue_shows_the_room_of_its_instance(room: int, named: bool) -> None:
    instance = "first" if named else None
    its = found([[*queueing(size, room, instance)] for size in sizes_up_to(16)], instance)
    assert (its.per_instance, its.when_full) == (room, "queued")
    assert its.method == ("ids" if named else "waits")
    assert its.low is not None
    assert its.high is not None
    assert its.low <= room <= its.high


@pytest.mark.parametrize("room", [1, 2, 5, 10])
@pytest.mark.parametrize("named", [True, False])
def test_the_first_other_instance_shows_the_room_of_the_one_that_was_warm(room: int, named: bool) -> None:
    bursts = [[*scaling(size, room, named=named)] for size in sizes_up_to(16)]
    its = found(bursts, "first" if named else None)
    assert (its.per_instance, its.when_full) == (room, "started")


def test_an_instance_that_takes_all_has_no_known_limit() -> None:
    its = found([[*queueing(size, 99, "first")] for size in (1, 2, 4)], "first")
    assert (its.per_instance, its.low, its.high) == (None, 4, None)


def test_late_answers_of_a_jittery_network_are_not_a_limit() -> None:
    tally = BurstTally()
    for wait_ms in (400, 440, 420):
        tally.add(call("0:single", wait_ms))
    for wait_ms in (400, 500, 430):
        tally.add(call("3:burst", wait_ms))
    assert tally.concurrency(None).per_instance is None


def test_calls_without_an_answer_are_not_counted() -> None:
    lost = Invocation(seq=9, target="t", phase="2:burst", intended_ns=0, error=Error.RESET)
    its = found([[call("2:burst", LONE_MS, "first"), lost]], "first")
    (burst,) = its.bursts
    assert burst == Burst(
        size=1, at_once=1, queued=0, started=0, instances=1, spread_ms=0.0, wait_max_ms=LONE_MS
    )


def test_nothing_is_said_where_no_lone_call_was_answered() -> None:
    assert BurstTally().concurrency(None) == Concurrency()


def test_sizes_grow_to_the_largest() -> None:
    assert sizes_up_to(16) == [1, 2, 3, 4, 5, 6, 8, 10, 13, 16]
    assert sizes_up_to(2) == [1, 2]

"""What bursts tell of one instance's concurrency, as tables."""

from collections.abc import Iterator, Sequence

import pytest
from msgspec.structs import replace

from coldbench.cli.concurrency import sizes_up_to
from coldbench.core.concurrency import Burst, BurstTally, Concurrency
from coldbench.core.hold import HoldBy
from coldbench.core.invocation import Error, Evidence, Invocation
from coldbench.core.verdict import Verdict
from coldbench.report.concurrency import concurrency_words

MS = 1_000_000
LONE_MS = 400.0


def call(phase: str, wait_ms: float, instance: str | None = None, exec_ms: float | None = None) -> Invocation:
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
        evidence=Evidence(instance=instance, exec_ms=exec_ms),
    )


def verdict_of(one: Invocation) -> Verdict:
    """Roughly the judge's."""
    if one.error is not None:
        return Verdict.UNKNOWN
    return Verdict.THROTTLED if one.status == 429 else Verdict.WARM


def found(
    bursts: Sequence[Sequence[Invocation]],
    instance: str | None,
    *,
    held_by: HoldBy = HoldBy.FOR,
    reported: bool = False,
) -> Concurrency:
    tally = BurstTally()
    for wait_ms in (LONE_MS - 1, LONE_MS, LONE_MS + 1):
        tally.add(call("0:single", wait_ms, instance, wait_ms - 2 if reported else None), Verdict.WARM)
    for one in (one for burst in bursts for one in burst):
        tally.add(one, verdict_of(one))
    return tally.concurrency(held_by)


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


def test_an_instance_that_is_helped_has_no_known_limit() -> None:
    """A soft limit of 2: the third call goes to the same instance, and another is started beside."""
    bursts = [[call(f"{size}:burst", LONE_MS, "first") for _ in range(size)] for size in (1, 2, 3)]
    helped = [call("4:burst", LONE_MS, instance) for instance in ("first", "first", "other", "other")]
    limit = found([*bursts, helped], "first")
    assert (limit.per_instance, limit.low, limit.high, limit.when_full) == (None, 3, None, "spread")
    assert "took 3 at once, by the instances' ids, and later fewer" in next(concurrency_words(limit))


def sharing(size: int, room: int, *, reported: bool, named: bool = True) -> Iterator[Invocation]:
    """So many calls to one instance whose calls share one processor; others are started for the rest."""
    inside = min(size, room)
    for place in range(size):
        fits = place < room
        wait_ms = inside * LONE_MS + place if fits else LONE_MS + 150
        instance = ("first" if fits else f"{size}-{place}") if named else None
        yield call(f"{size}:burst", wait_ms, instance, wait_ms - 2 if reported else None)


def test_calls_that_share_a_processor_are_no_queue_where_executions_are_reported() -> None:
    bursts = [[*sharing(size, 5, reported=True)] for size in sizes_up_to(8)]
    its = found(bursts, "first", held_by=HoldBy.NATURAL, reported=True)
    assert (its.per_instance, its.when_full, its.slowed) == (5, "started", None)
    assert its.parallel == pytest.approx(1.0, rel=0.01)


def test_a_queue_is_one_where_executions_are_reported() -> None:
    bursts = [
        [call(f"{size}:burst", LONE_MS * (1 + place // 2), "first", LONE_MS - 2) for place in range(size)]
        for size in sizes_up_to(4)
    ]
    its = found(bursts, "first", held_by=HoldBy.REQUEST, reported=True)
    assert (its.per_instance, its.when_full) == (2, "queued")
    assert its.parallel == pytest.approx(2.0)


@pytest.mark.parametrize("named", [True, False])
def test_where_not_one_call_is_as_quick_as_a_lone_one_no_limit_is_told(named: bool) -> None:
    bursts = [[*sharing(size, 99, reported=False, named=named)] for size in (1, 2, 3)]
    its = found(bursts, "first" if named else None, held_by=HoldBy.NATURAL)
    assert (its.per_instance, its.low, its.high, its.slowed) == (None, 1, None, 2)
    words = " ".join(concurrency_words(its))
    assert "slow each other down" in words
    assert "queues" not in words


def test_held_calls_do_no_work() -> None:
    assert found([[*queueing(4, 4, "first")]], "first", held_by=HoldBy.FOR).parallel is None


def test_a_slow_first_burst_is_not_a_limit() -> None:
    its = found([[call("1:burst", 2 * LONE_MS, "first")], [*queueing(3, 2, "first")]], "first")
    assert (its.per_instance, its.slowed) == (2, 1)


def test_late_answers_of_a_jittery_network_are_not_a_limit() -> None:
    tally = BurstTally()
    for wait_ms in (400, 440, 420):
        tally.add(call("0:single", wait_ms), Verdict.WARM)
    for wait_ms in (400, 500, 430):
        tally.add(call("3:burst", wait_ms), Verdict.WARM)
    assert tally.concurrency(None).per_instance is None


def test_a_call_without_an_answer_was_not_taken() -> None:
    lost = Invocation(seq=9, target="t", phase="2:burst", intended_ns=0, error=Error.RESET)
    its = found([[call("2:burst", LONE_MS, "first"), lost]], "first")
    (burst,) = its.bursts
    assert burst == Burst(
        size=2, at_once=1, queued=0, started=0, instances=1, spread_ms=0.0, wait_max_ms=LONE_MS, rejected=1
    )


def test_a_fault_of_ours_is_no_rejection() -> None:
    ours = Invocation(seq=9, target="t", phase="2:burst", intended_ns=0, error=Error.DESCRIPTORS)
    assert found([[call("2:burst", LONE_MS, "first"), ours]], "first").bursts[0].rejected == 0


def rejecting(size: int, room: int, instance: str | None, status: int) -> Iterator[Invocation]:
    """So many calls to one instance that takes some; the others are answered at once, by nobody."""
    for place in range(size):
        if place < room:
            yield call(f"{size}:burst", LONE_MS + place, instance)
        else:
            yield replace(call(f"{size}:burst", 5.0), status=status)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("instance", ["first", None])
def test_rejected_calls_were_not_taken(instance: str | None, status: int) -> None:
    its = found([[*rejecting(size, 3, instance, status)] for size in sizes_up_to(16)], instance)
    assert (its.per_instance, its.low, its.high, its.when_full) == (3, 3, 3, "rejected")
    assert its.method == ("ids" if instance else "waits")
    assert [burst.rejected for burst in its.bursts[:5]] == [0, 0, 0, 1, 2]
    assert its.slowed is None
    assert "the others were rejected" in " ".join(concurrency_words(its))


def test_a_function_that_always_answers_with_a_bad_status_is_not_rejecting() -> None:
    tally = BurstTally()
    lone = [call("0:single", wait_ms) for wait_ms in (LONE_MS - 1, LONE_MS, LONE_MS + 1)]
    for one in (*lone, *queueing(3, 2, None)):
        tally.add(replace(one, status=404), Verdict.UNKNOWN)
    assert tally.concurrency(None).when_full == "queued"


def test_a_call_that_was_lost_by_accident_is_no_limit() -> None:
    lost = replace(call("2:burst", LONE_MS), status=None, error=Error.RESET)
    bursts = [[call("2:burst", LONE_MS, "first"), lost], *([*queueing(n, 4, "first")] for n in (3, 4, 5))]
    its = found(bursts, "first")
    assert (its.per_instance, its.when_full) == (4, "queued")


def test_nothing_is_said_where_no_lone_call_was_answered() -> None:
    assert BurstTally().concurrency(None) == Concurrency()


def uneven(burst: Iterator[Invocation], instance: str | None) -> Concurrency:
    """Where lone calls differ so much that a wait tells nothing."""
    tally = BurstTally()
    for wait_ms in (400, 250, 420):
        tally.add(call("0:single", wait_ms, instance), Verdict.WARM)
    for one in burst:
        tally.add(one, verdict_of(one))
    return tally.concurrency(HoldBy.NATURAL)


def test_among_uneven_calls_an_id_still_tells_of_a_start() -> None:
    its = uneven(scaling(3, 2, named=True), "first")
    assert (its.per_instance, its.method, its.when_full) == (2, "ids", "started")


@pytest.mark.parametrize("instance", ["first", None])
def test_nothing_is_said_where_lone_calls_differ_by_a_call(instance: str | None) -> None:
    its = uneven(queueing(3, 2, instance), instance)
    assert (its.method, its.per_instance, its.low, its.bursts) == ("none", None, None, ())
    assert "differ too much" in " ".join(concurrency_words(its))


def test_sizes_grow_to_the_largest() -> None:
    assert sizes_up_to(16) == [1, 2, 3, 4, 5, 6, 8, 10, 13, 16]
    assert sizes_up_to(2) == [1, 2]

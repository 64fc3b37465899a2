"""What calls waited by stage, where nobody says which of them were cold."""

from typing import Any

import pytest

from coldbench.core.blocks import Blocks
from coldbench.core.invocation import Error, Invocation
from coldbench.core.summary import StageWaits
from coldbench.stats.stages import StageTally

MS, S = 1_000_000, 1_000_000_000
IDLE, BURST = {"kind": "idle", "duration_ns": 6 * S}, {"kind": "burst", "size": 2}


def call(phase: str, wait_ms: float | None, status: int = 200) -> Invocation:
    """One that was answered after so long, or never."""
    failed: dict[str, Any] = {"error": Error.TIMEOUT, "end_ns": 60 * S}
    at = {} if wait_ms is None else {"first_byte_ns": int(wait_ms * MS), "end_ns": int(wait_ms * MS)}
    answered: dict[str, Any] = at and {"status": status, **at}
    return Invocation(seq=0, target="f", phase=phase, intended_ns=0, sent_ns=0, **(answered or failed))


def waits(
    stages: list[dict[str, Any]] | None, calls: list[tuple[str, float | None]], repeat: int = 5
) -> tuple[StageWaits, ...]:
    profile = None if stages is None else {"stages": stages, "repeat": repeat}
    blocks = Blocks(profile)
    tally = StageTally(profile, blocks)
    for phase, wait_ms in calls:
        one = call(phase, wait_ms)
        if one.error is None:
            tally.add(one, blocks.of(one))
        else:
            tally.cut_off(one)
    return tally.waits(seed=1)


def rounds(first_ms: float | None, second_ms: float, stages: int = 3) -> list[tuple[str, float | None]]:
    """Five rounds of two bursts of two calls each."""
    return [
        (f"{stages * number + place}:burst", wait if wait is None else wait + number)
        for number in range(5)
        for place, wait in ((1, first_ms), (2, second_ms))
        for _ in range(2)
    ]


def test_a_silence_is_priced_against_the_same_stage_right_after_it() -> None:
    first, second = waits([IDLE, BURST, BURST], rounds(800, 10))
    assert (first.stage, first.kind, first.silence_s) == (1, "burst", 6.0)
    assert first.wait_ms is not None
    assert (first.wait_ms.n, first.wait_ms.p50) == (10, 802)
    assert first.over_next_ms is not None
    assert first.over_next_ms.value == 790
    assert first.over_next_ms.low == pytest.approx(790)  # what a round adds, it adds to both
    assert (second.stage, second.silence_s, second.over_next_ms) == (2, None, None)


@pytest.mark.parametrize(
    "stages",
    [
        [IDLE, BURST, {"kind": "burst", "size": 3}],
        [BURST, BURST, BURST],
        [{"kind": "idle"}, BURST, {"kind": "rate", "rate": 5}],
    ],
)
def test_stages_that_are_not_alike_are_not_compared(stages: list[dict[str, Any]]) -> None:
    assert all(its.over_next_ms is None for its in waits(stages, rounds(800, 10)))


def test_calls_that_were_given_up_waited_longer_than_the_others() -> None:
    stages = [IDLE, BURST, BURST]
    first, second = waits(stages, [*rounds(800, 10), ("1:burst", None)])
    assert first.wait_ms is not None
    assert (first.wait_ms.n, first.wait_ms.max, first.over_next_ms) == (11, None, None)
    assert second.wait_ms is not None
    assert second.wait_ms.n == 10
    first, _ = waits(stages, rounds(None, 10))
    assert first.wait_ms is not None
    assert (first.wait_ms.n, first.wait_ms.p50) == (10, None)


def test_a_silence_of_no_length_has_no_price() -> None:
    none = {"kind": "idle", "duration_ns": 0}
    assert all(its.over_next_ms is None for its in waits([none, BURST, BURST], rounds(800, 10)))


def test_errors_that_nobody_signed_are_no_waits_of_the_function_s() -> None:
    profile = {"stages": [IDLE, BURST, BURST], "repeat": 5}
    tally = StageTally(profile, Blocks(profile))
    tally.add(call("1:burst", 3.0, status=503), 0)
    tally.add(call("1:burst", 800.0), 0)
    (its,) = tally.waits(seed=1)
    assert its.wait_ms is not None
    assert (its.wait_ms.n, its.wait_ms.max) == (1, 800.0)


def test_without_stages_there_is_nothing_to_tell() -> None:
    assert waits(None, [("0:fresh", 10.0), ("1:fresh", None)]) == ()

"""Rounds of pings, against answers that a test makes up."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from coldbench.core.hold import HoldBy, Holding
from coldbench.core.invocation import AnsweredBy, Evidence, Invocation
from coldbench.core.keepwarm import Kept, Round
from coldbench.core.reach import Limits
from coldbench.core.target import Target
from coldbench.probe import keepwarm
from coldbench.probe.kept import Asked

MS = 1_000_000
TARGET = Target(name="f", url="u", endpoint="http://h:1/")

# Of the number of a batch of pings and a place in it: what its answer says.
Says = Callable[[int, int], dict[str, Any]]


def kept_by(
    monkeypatch: pytest.MonkeyPatch,
    says: Says,
    *,
    instances: int,
    rounds: int,
    closed_after: int | None = None,
) -> tuple[list[Round], Kept]:
    """What so many rounds find; after `closed_after` of them the window is closed for two looks at it."""
    batches = seqs = looks = 0
    found: list[Round] = []

    async def together(
        targets: Sequence[Target], run_id: str, zero_ns: int, *, first_seq: int, phase: str
    ) -> list[Invocation]:
        nonlocal batches
        batches += phase.endswith(":ping")
        return [
            answer(first_seq + place, says(batches, place) if phase.endswith(":ping") else {})
            for place in range(len(targets))
        ]

    def next_seqs(number: int) -> int:
        nonlocal seqs
        seqs += number
        return seqs - number

    def tell(done: Round) -> None:
        found.append(done)
        if len(found) == rounds:
            keeper.stop()

    def awake() -> bool:
        nonlocal looks
        looks += len(found) == closed_after
        return not 0 < looks <= 2

    monkeypatch.setattr(keepwarm, "invoke_together", together)
    keeper = keepwarm.Keeper(
        TARGET,
        Asked(
            instances=instances, every_ns=MS, adapts=False, shortest_ns=MS,
            limits=Limits(pings=2 * instances, hold_ns=300 * MS), per_instance=1, hold_with=None,
        ),
        run_id="r", zero_ns=0, next_seqs=next_seqs, append=lambda _: None, tell=tell,
        awake=awake, seed=1,
    )  # fmt: skip
    asyncio.run(keeper.keep(0.0))
    return found, keeper.kept


def answer(seq: int, says: dict[str, Any]) -> Invocation:
    facts = {"status": 200, "wait_ms": 5} | says
    at, status = facts.pop("wait_ms") * MS, facts.pop("status")
    return Invocation(
        seq=seq, target="f", phase="", intended_ns=0, started_ns=0, sent_ns=0, first_byte_ns=at, end_ns=at,
        status=status, evidence=Evidence(**facts),
    )  # fmt: skip


THROTTLED = {"status": 429, "answered_by": AnsweredBy.THROTTLE}


def test_pings_that_are_all_refused_take_nothing_from_what_was_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three were asked for and two reached; the next attempt of the round was refused."""
    (done,), _ = kept_by(
        monkeypatch,
        lambda batch, place: {"instance": "ab"[place % 2], "cold_flag": False} if batch == 1 else THROTTLED,
        instances=3,
        rounds=1,
    )
    assert (done.reached, done.stayed, done.estimated) == (2, 2, False)


def test_instances_that_die_between_all_rounds_are_reached_and_not_covered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, kept = kept_by(
        monkeypatch,
        lambda batch, place: {"instance": f"{batch}-{place}", "cold_flag": True},
        instances=3,
        rounds=5,
    )
    assert {done.reached for done in found} == {3}
    assert (kept.reached, kept.cold, kept.coverage_pct) == (3, 9, 0.0)


def test_refused_rounds_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    _, kept = kept_by(
        monkeypatch,
        lambda batch, place: {"instance": str(place), "cold_flag": False} if batch != 2 else THROTTLED,
        instances=3,
        rounds=4,
    )
    assert kept.rounds == 4
    assert kept.missed > 0
    assert kept.coverage_pct is not None
    assert kept.coverage_pct < 100
    assert any("nothing answered for" in note for note in kept.notes)
    assert any("the last with status 429" in note for note in kept.notes)


def test_what_is_cold_after_a_closed_window_has_not_slipped_through(monkeypatch: pytest.MonkeyPatch) -> None:
    found, kept = kept_by(
        monkeypatch,
        lambda batch, place: {"instance": f"{place}{batch > 4}", "cold_flag": batch == 5},
        instances=3,
        rounds=6,
        closed_after=4,
    )
    assert [done.cold for done in found] == [0, 0, 0, 0, 3, 0]
    assert (kept.cold, kept.missed, kept.coverage_pct) == (0, 0, 100.0)


def test_the_holding_is_found_again_when_the_wall_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead_ns, agreed = 10**18, []

    async def find(*_: Any) -> Holding:
        agreed.append(ahead_ns)
        return Holding(by=HoldBy.UNTIL, warm_wait_ns=5 * MS, wall_ahead_ns=ahead_ns)

    def says(batch: int, place: int) -> dict[str, Any]:
        nonlocal ahead_ns
        ahead_ns = 10**18 + (3000 * MS if batch >= 3 else 0)
        return {"instance": str(place), "cold_flag": False, "exec_ms": 75.0}

    monkeypatch.setattr(keepwarm, "find_holding", find)
    monkeypatch.setattr(keepwarm, "wall_ahead_ns", lambda: ahead_ns)
    kept_by(monkeypatch, says, instances=2, rounds=5)
    assert agreed == [10**18, 10**18 + 3000 * MS]

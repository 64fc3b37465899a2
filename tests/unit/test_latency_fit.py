"""The latency model as it is learned: what makes one, and what does not. Waits are ms."""

from collections.abc import Sequence

import numpy as np
import pytest

from coldbench.core.calls import NOT_OBSERVED, Calls
from coldbench.core.latency_model import LatencyModel, Models
from coldbench.stats.latency import fit

MS = 1_000_000
SHORT_GAP, LONG_GAP = 100, 60_000


def lone(waits_ms: Sequence[float], gaps_ms: Sequence[float], dialled: bool = False) -> Calls:
    """Calls one after another; the first one's gap is not known."""
    count = len(waits_ms)
    wait = (np.asarray(waits_ms, dtype=float) * MS).astype(np.int64)
    gap = (np.asarray(gaps_ms, dtype=float) * MS).astype(np.int64)
    gap[0] = NOT_OBSERVED
    return Calls(
        seq=np.arange(count),
        sent_ns=np.cumsum(np.maximum(gap, 0) + np.append(0, wait[:-1])),
        wait_ns=wait,
        dialled=np.full(count, dialled),
        of_function=np.ones(count, dtype=bool),
        connected=np.zeros(count, dtype=bool),
        group=np.arange(count),
        gap_ns=gap,
    )


def alternating(rounds: int, warm: int = 4, cold_ms: float = 100, seed: int = 1) -> Calls:
    """A cold call after a long gap, then warm ones of 20 ms and a little noise."""
    random = np.random.default_rng(seed)
    waits = [ms + random.exponential(0.5) for _ in range(rounds) for ms in (cold_ms, *[20.0] * warm)]
    gaps = [ms for _ in range(rounds) for ms in (LONG_GAP, *[SHORT_GAP] * warm)]
    return lone(waits, gaps)


def only(models: Models) -> LatencyModel:
    (model,) = models.values()
    return model


def test_two_kinds_of_wait_after_two_kinds_of_gap_make_a_model() -> None:
    model = only(fit(alternating(10), 0))
    assert np.expm1(model.quick.location) == pytest.approx(20.4, abs=0.5)
    assert np.expm1(model.slow.location) == pytest.approx(100.4, abs=2)
    assert model.penalty_ns == pytest.approx(80 * MS, rel=0.05)
    assert model.slow_share[0] < 0.1 < 0.8 < model.slow_share[-1]


def test_the_round_trip_is_not_part_of_what_is_compared() -> None:
    assert fit(alternating(10, cold_ms=28), 0) == {}
    assert only(fit(alternating(10, cold_ms=28), 15 * MS)).penalty_ns == pytest.approx(8 * MS, rel=0.2)


def test_each_kind_of_connection_has_its_own() -> None:
    assert list(fit(lone([20] * 20, [SHORT_GAP] * 20), 0)) == []
    assert list(fit(alternating(10), 0)) == [False]


@pytest.mark.parametrize(
    ("waits", "gaps", "why"),
    [
        ([100, 20, 20, 20] * 2, [LONG_GAP, SHORT_GAP, SHORT_GAP, SHORT_GAP] * 2, "too few calls"),
        ([20.0 + n % 3 for n in range(60)], [SHORT_GAP] * 60, "one kind of wait"),
        ([100, 20, 20, 20] * 15, [SHORT_GAP] * 60, "slow at any gap"),
        ([20, 20, 20, 100] * 15, [LONG_GAP, SHORT_GAP, SHORT_GAP, SHORT_GAP] * 15, "slow after short gaps"),
        ([26, 20, 20, 20] * 15, [LONG_GAP, SHORT_GAP, SHORT_GAP, SHORT_GAP] * 15, "too near one another"),
    ],
)
def test_what_makes_no_model(waits: list[float], gaps: list[float], why: str) -> None:
    assert fit(lone(waits, gaps), 0) == {}, why


def test_of_very_many_calls_the_rare_cold_ones_are_kept() -> None:
    waits, gaps = np.full(60_000, 20.0), np.full(60_000, float(SHORT_GAP))
    waits += np.random.default_rng(1).exponential(0.5, len(waits))
    waits[1000::6000] += 80
    gaps[1000::6000] = LONG_GAP
    model = only(fit(lone(waits, gaps), 0))
    assert np.expm1(model.slow.location) == pytest.approx(100.5, abs=2)
    assert model.slow_share[-1] > 0.8

"""Intervals of simulated runs hold the truth as often as they say, also of three rounds."""

import numpy as np
import pytest

from coldbench.stats.intervals import difference_of_medians

COLD_MS, WARM_MS = 100.0, 40.0

# Rounds, calls in each, and how much a round and a call vary (sigma of their logarithms).
SHAPES = [(3, 20, 0.1, 0.2), (10, 10, 0.1, 0.3), (30, 1, 0.0, 0.3), (60, 1, 0.1, 0.3)]


def covered(rounds: int, calls: int, of_round: float, of_call: float, runs: int) -> float:
    """The part of simulated runs whose interval holds the difference that they were made with."""
    held = 0
    for seed in range(runs):
        random = np.random.default_rng(seed)

        def side(median_ms: float, random: np.random.Generator = random) -> dict[int, list[float]]:
            effects = random.normal(0, of_round, rounds)
            return {
                number: list(median_ms * np.exp(effect + random.normal(0, of_call, calls)))
                for number, effect in enumerate(effects)
            }

        found = difference_of_medians(side(COLD_MS), side(WARM_MS), seed)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= COLD_MS - WARM_MS <= found.high
    return held / runs


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES[::2])
def test_intervals_hold_the_truth(shape: tuple[int, int, float, float]) -> None:
    assert covered(*shape, runs=100) >= 0.88


@pytest.mark.accept
@pytest.mark.parametrize("shape", SHAPES)
def test_intervals_hold_the_truth_in_95_of_100(shape: tuple[int, int, float, float]) -> None:
    part = covered(*shape, runs=1000)
    print(f"{shape}: {100 * part:.1f} %")
    assert 0.93 <= part <= 0.97


def test_one_round_unlike_the_others_does_not_widen_an_interval_beyond_what_was_met() -> None:
    """A start of 1.5 s among such of 0.4 s made it [12.6 to 857]."""
    cold = {number: [400.0 + number, 410.0 + number] for number in range(9)} | {9: [1500.0, 1510.0, 1520.0]}
    warm = {number: [3.0 + number / 10] for number in range(10)}
    found = difference_of_medians(cold, warm, 1)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert 390 < found.low < found.value < found.high < 1520

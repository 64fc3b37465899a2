"""What a comparison tells apart: of simulated targets, and of the lab's."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from coldbench.core.comparison import Told
from coldbench.stats.intervals import difference_of_medians
from tests.e2e.cli import coldbench

PAIRS = 40


def bursts(median_ms: float, random: np.random.Generator) -> dict[int, list[float]]:
    """200 cold calls in ten rounds; a call varies by 10 %, a round by 5 %."""
    rounds = median_ms * np.exp(random.normal(0, 0.05, 10))
    return {number: list(of * np.exp(random.normal(0, 0.1, 20))) for number, of in enumerate(rounds)}


def apart(first_ms: float, second_ms: float, seed: int) -> bool:
    random = np.random.default_rng(seed)
    found = difference_of_medians(bursts(first_ms, random), bursts(second_ms, random), seed)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    return not found.low <= 0 <= found.high


def test_alike_targets_are_not_told_apart_and_a_fifth_is() -> None:
    """A fifth is twice what a call varies by."""
    assert sum(apart(100, 100, seed) for seed in range(PAIRS)) <= 0.1 * PAIRS
    assert sum(apart(120, 100, seed) for seed in range(PAIRS)) >= 0.9 * PAIRS


@pytest.mark.accept
def test_two_runs_of_one_lab_target_are_not_told_apart(tmp_path: Path) -> None:
    """Forty pairs of runs, one after the other: what a machine's drift between them makes of it."""
    names = [f"r{number}" for number in range(PAIRS + 1)]
    settings = ("--set", "size=10", "--set", "idle.duration=1s", "--set", "repeat=6")
    for name in names:
        run = ("run", "--url", "lab:custom?idle=500ms", "--profile", "burst", *settings, "--name", name)
        assert coldbench(*run, cwd=tmp_path).returncode in (0, 4)
    found = []
    for before, after in pairwise(names):
        done = coldbench("compare", after, "--baseline", before, "--json", "-", cwd=tmp_path)
        [group] = json.loads(done.stdout)["comparison"]
        found.append({each["field"]: each["told"] for each in group["differences"]})
    for field in ("startup_ms", "wait_cold_ms", "wait_warm_ms", "service_ms"):
        alike = sum(each.get(field) == Told.ALIKE for each in found)
        print(f"{field}: {alike} of {PAIRS} not distinguishable")
        assert alike >= 0.9 * PAIRS

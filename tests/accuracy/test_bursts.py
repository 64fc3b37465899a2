"""Bursts judged by latency alone, on simulated platforms: rather `unknown` than wrong, whatever they do.

The seeds are not those that the limits were set with.
"""

from collections import Counter
from dataclasses import replace

import pytest

from coldbench.core.verdict import Verdict
from tests.accuracy.platform import Platform, rounds
from tests.accuracy.test_latency import said, told, unknown, wrong

# A silence, two lone calls, two bursts.
SIZES = [1, 1, 5, 5]


def verdicts(platform: Platform, sizes: list[int] = SIZES) -> Counter[tuple[Verdict, Verdict]]:
    met: Counter[tuple[Verdict, Verdict]] = Counter()
    for seed in range(100, 104):
        invocations, truth = rounds(platform, sizes, 12, seed)
        met += Counter(zip(truth, told(invocations, platform.round_trip_ms), strict=True))
    return met


PLATFORMS = {
    "first come first served": Platform(),
    "each call its own instance": Platform(bound=True),
    "four calls an instance": Platform(concurrency=4),
    "four calls an instance, bound": Platform(concurrency=4, bound=True),
    "one instance": Platform(most=1),
    "a network that handshakes do not show": Platform(hidden_ms=100),
    "jitter": Platform(jitter_ms=10),
    "startups that differ": Platform(startup_sigma=0.5),
    "executions that differ": Platform(execution_sigma=0.3),
}


@pytest.mark.parametrize("execution_ms", [2, 50, 200, 300, 400])
@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_seldom_wrong_whatever_the_platform_does(platform: Platform, execution_ms: float) -> None:
    met = verdicts(replace(platform, execution_ms=execution_ms))
    assert wrong(met) <= 0.01 * met.total()


@pytest.mark.parametrize("execution_ms", [10, 50, 120])
def test_calls_with_instances_of_their_own_are_mostly_told(execution_ms: float) -> None:
    met = verdicts(Platform(bound=True, execution_ms=execution_ms), [*SIZES, 10])
    assert unknown(met) <= 0.25 * met.total()
    assert met[Verdict.COLD, Verdict.COLD] > 0.9 * sum(
        n for (true, _), n in met.items() if true is Verdict.COLD
    )


def test_long_calls_are_mostly_told() -> None:
    met = verdicts(Platform(startup_ms=450, execution_ms=780), [*SIZES, 10])
    assert wrong(met) == 0
    assert unknown(met) <= 0.4 * met.total()


def test_a_queue_longer_than_a_cold_start_is_not_cold() -> None:
    """The first trap: one instance, fifty calls, each waits for all before it."""
    met = verdicts(Platform(most=1, execution_ms=20), [1, 1, 50])
    assert met[Verdict.WARM, Verdict.COLD] == 0
    assert said(met, Verdict.COLD) == met[Verdict.COLD, Verdict.COLD] > 0


def test_an_instance_that_a_burst_left_unused_is_not_called_warm() -> None:
    """The second trap: the first use of an instance that was started for somebody else."""
    met = verdicts(Platform(startup_sigma=0.5), [1, 10, 1, 10])
    assert sum(n for (true, _), n in met.items() if true is Verdict.PREINITIALISED) > 0
    assert met[Verdict.PREINITIALISED, Verdict.WARM] == 0

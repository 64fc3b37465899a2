"""How sure the judge can be by penalty over jitter, beside the best possible rule. Held-out seeds.

`pytest -m accept -s tests/accuracy/test_ratios.py` prints the table of docs/accuracy.md.
"""

from collections import Counter
from itertools import product

import pytest

from coldbench.core.verdict import Verdict
from tests.accuracy.best_rule import unknown_share
from tests.accuracy.simulator import World
from tests.accuracy.test_latency import unknown, verdicts, wrong

RATIOS = (0.5, 1.0, 2.0, 5.0, 20.0)
# After long gaps one call in two, or one in ten.
SHORT = (0.5, 0.9)


def measured(world: World, short: float, runs: int) -> Counter[tuple[Verdict, Verdict]]:
    met: Counter[tuple[Verdict, Verdict]] = Counter()
    for seed in range(1000, 1000 + runs):
        met += verdicts(world, 1500, short, seed)
    return met


def recall_and_precision(met: Counter[tuple[Verdict, Verdict]]) -> tuple[float, float]:
    """Of cold, among those that were decided; 1 where there were none."""
    found = met[Verdict.COLD, Verdict.COLD]
    missed, invented = met[Verdict.COLD, Verdict.WARM], met[Verdict.WARM, Verdict.COLD]
    return (found / (found + missed), found / (found + invented)) if found else (1.0, 1.0)


@pytest.mark.parametrize("short", SHORT)
@pytest.mark.parametrize("ratio", [5.0, 20.0])
def test_little_more_is_unknown_than_must_be(ratio: float, short: float) -> None:
    world = World(ratio=ratio, exponential=True)
    met = measured(world, short, runs=2)
    assert min(recall_and_precision(met)) >= 0.98
    assert unknown(met) / met.total() <= unknown_share(world, short, seed=1) + 0.06


@pytest.mark.accept
def test_by_ratio_round_trip_and_jitter() -> None:
    waits = "| ratio | round trip | Pareto tail | long gaps "
    print(f"\n{waits}| recall | precision | wrong | unknown | best | by wait alone |\n|{'---:|' * 10}")
    for ratio, round_trip_ms, pareto, short in product(RATIOS, (2.0, 200.0), (False, True), SHORT):
        world = World(ratio=ratio, round_trip_ms=round_trip_ms, pareto=pareto, exponential=True)
        met = measured(world, short, runs=7)
        recall, precision = recall_and_precision(met)
        decided = met[Verdict.COLD, Verdict.COLD] > 0
        share, best = unknown(met) / met.total(), unknown_share(world, short, seed=1)
        alone = unknown_share(world, short, seed=1, by_gap=False)
        print(
            f"| {ratio:g} | {round_trip_ms:g} ms | {'yes' if pareto else 'no'} | {1 - short:.0%} "
            f"| {f'{recall:.1%}' if decided else '-'} | {f'{precision:.1%}' if decided else '-'} "
            f"| {wrong(met)} of {met.total():,} | {share:.1%} | {best:.1%} "
            f"| {alone:.1%} |"
        )
        assert min(recall, precision) >= 0.98
        assert ratio < 20 or wrong(met) == 0

"""The best possible rule for the serial simulator: Bayes', with everything known but the truth.

It knows both distributions of waits exactly, and decides from the same probability on as the judge. What it
leaves unknown nobody could tell better: from wait and gap where it knows P(cold | gap), too; else from the
wait alone, cold and warm being even.
"""

import numpy as np
from numpy.typing import NDArray

from tests.accuracy.simulator import World, cold_waits_ms, warm_waits_ms

_DRAWS = 400_000
_SURE = 0.99


def unknown_share(world: World, short: float, seed: int, *, by_gap: bool = True) -> float:
    """The part of calls that stay unknown; idle lifetimes must be exponential (else the gap decides)."""
    random = np.random.default_rng(seed)
    warm, cold = warm_waits_ms(world, _DRAWS, random), cold_waits_ms(world, _DRAWS, random)
    edges = np.linspace(min(warm.min(), cold.min()), np.quantile(cold, 0.9999), 400)
    # The likelihood ratio at a wait, from histograms; one draw is added to each bin.
    ratio = (_counts(cold, edges) + 1) / (_counts(warm, edges) + 1)
    gaps_s = world.gaps_s(short, 2000, random)
    prior = 1 - np.exp(-gaps_s / world.lifetime_s)
    odds = np.outer(prior / (1 - prior) if by_gap else np.ones_like(prior), ratio)
    p = odds / (1 + odds)
    undecided = (p < _SURE) & (p > 1 - _SURE)
    of_cold, of_warm = _counts(cold, edges) / _DRAWS, _counts(warm, edges) / _DRAWS
    met = prior[:, None] * of_cold + (1 - prior)[:, None] * of_warm
    return float((undecided * met).sum() / len(gaps_s))


def _counts(waits: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    counts, _ = np.histogram(np.clip(waits, edges[0], edges[-1]), edges)
    return counts.astype(float)

"""Verdicts by latency alone against a simulator's truth: rather `unknown` than wrong."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from coldbench.core.by_latency import tell
from coldbench.core.calls import CallLog
from coldbench.core.invocation import Invocation
from coldbench.core.verdict import Verdict
from coldbench.stats.latency import fit
from tests.accuracy.simulator import MS, World, invocation, serial


def verdicts(world: World, calls: int, short: float, seed: int) -> Counter[tuple[Verdict, Verdict]]:
    """How often each (truth, verdict) was met."""
    invocations, truth = serial(world, calls, short, seed)
    said = told(invocations, world.round_trip_ms)
    return Counter(zip(truth, said, strict=True))


def told(invocations: list[Invocation], round_trip_ms: float) -> list[Verdict]:
    """What waits alone tell of each."""
    log = CallLog()
    for one in invocations:
        log.add(one)
    calls, round_trip_ns = log.calls(), int(round_trip_ms * MS)
    telling = tell(calls, fit(calls, round_trip_ns), round_trip_ns)
    found = (telling.get(one.seq) for one in invocations)
    return [Verdict.UNKNOWN if its is None else its.verdict for its in found]


def wrong(met: Counter[tuple[Verdict, Verdict]]) -> int:
    return sum(n for (true, said), n in met.items() if said not in (true, Verdict.UNKNOWN))


def unknown(met: Counter[tuple[Verdict, Verdict]]) -> int:
    return sum(n for (_, said), n in met.items() if said is Verdict.UNKNOWN)


def said(met: Counter[tuple[Verdict, Verdict]], verdict: Verdict) -> int:
    return sum(n for (_, given), n in met.items() if given is verdict)


@pytest.mark.parametrize("short", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("round_trip_ms", [2.0, 200.0])
def test_a_large_penalty_is_told(short: float, round_trip_ms: float) -> None:
    met: Counter[tuple[Verdict, Verdict]] = Counter()
    for seed in range(5):
        met += verdicts(World(round_trip_ms=round_trip_ms), 2000, short, seed)
    assert wrong(met) == 0
    assert unknown(met) <= 0.02 * met.total()
    assert met[Verdict.COLD, Verdict.COLD] > 0


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0, 5.0, 20.0])
@pytest.mark.parametrize("pareto", [False, True])
@pytest.mark.parametrize("exponential", [False, True])
@pytest.mark.parametrize("short", [0.5, 0.95])
def test_seldom_wrong_at_any_penalty(ratio: float, pareto: bool, exponential: bool, short: float) -> None:
    met: Counter[tuple[Verdict, Verdict]] = Counter()
    for seed in range(4):
        met += verdicts(World(ratio=ratio, pareto=pareto, exponential=exponential), 500, short, seed)
    assert wrong(met) <= 0.005 * met.total()


@pytest.mark.parametrize("tails", [0.0, 0.01])
@pytest.mark.parametrize("pareto", [False, True])
def test_a_target_that_is_never_cold_has_no_cold_verdict(tails: float, pareto: bool) -> None:
    for seed in range(10):
        met = verdicts(World(cold=False, tails=tails, pareto=pareto), 1000, 0.8, seed)
        assert said(met, Verdict.COLD) == 0


def test_a_target_that_is_always_cold_has_no_warm_verdict() -> None:
    for seed in range(10):
        met = verdicts(World(cold=True), 1000, 0.8, seed)
        assert said(met, Verdict.WARM) == 0


def test_slow_tails_beside_cold_starts_are_not_cold() -> None:
    met: Counter[tuple[Verdict, Verdict]] = Counter()
    for seed in range(5):
        met += verdicts(World(tails=0.01), 1000, 0.95, seed)
    assert met[Verdict.WARM, Verdict.COLD] == 0
    assert met[Verdict.COLD, Verdict.COLD] > 0


def slower_after_a_gap(
    quick: float, after: float, cold: float, rounds: int, seed: int, often: float = 0.5, tail: float = 0
) -> tuple[list[Invocation], list[Verdict]]:
    """Rounds of one call after a gap, cold so often, and four at once behind it; waits are ms, and cold ones
    longer by a Pareto tail of so many.
    """
    random = np.random.default_rng(seed)
    firsts, colds = [], [number == 0 or random.random() < often for number in range(rounds)]
    for starts in colds:
        firsts.append((cold if starts else after) * random.lognormal(0, 0.1))
        firsts[-1] += tail * random.pareto(2.5) if starts else 0
    return in_rounds(firsts, colds, quick * random.lognormal(0, 0.15, (rounds, 4)), seed)


def in_rounds(
    firsts: Sequence[float], colds: Sequence[bool], others: NDArray[np.float64], seed: int
) -> tuple[list[Invocation], list[Verdict]]:
    """Of each round the call after a gap, whether it is cold, and those at once behind it; waits, ms."""
    random = np.random.default_rng((seed, 1))
    invocations, truth, now = list[Invocation](), list[Verdict](), 0.0
    for first, starts, its in zip(firsts, colds, others, strict=True):
        now += 1500 * random.uniform(1.0, 1.3)
        for place, wait in enumerate([first, *its]):
            invocations.append(invocation(len(invocations), now, now + wait, 0.05))
            truth.append(Verdict.COLD if starts and place == 0 else Verdict.WARM)
            now += wait + 0.3
    return invocations, truth


@pytest.mark.parametrize("waits", [(0.7, 2.2, 60), (0.7, 1.5, 60), (5, 12, 300), (5, 9, 40), (20, 45, 700)])
@pytest.mark.parametrize("rounds", [10, 40])
def test_a_warm_call_that_is_slower_after_a_gap_is_not_cold(
    waits: tuple[float, float, float], rounds: int
) -> None:
    met: Counter[tuple[Verdict, Verdict]] = Counter()
    for seed in range(12):
        invocations, truth = slower_after_a_gap(*waits, rounds, seed)
        met += Counter(zip(truth, told(invocations, 0.05), strict=True))
    assert wrong(met) == 0
    colds = met[Verdict.COLD, Verdict.COLD] + met[Verdict.COLD, Verdict.UNKNOWN]
    assert met[Verdict.COLD, Verdict.COLD] >= 0.7 * colds


@pytest.mark.parametrize("waits", [(20, 60, 200), (5, 20, 60), (5, 30, 100), (20, 100, 400), (5, 12, 300)])
@pytest.mark.parametrize(
    ("rounds", "often"), [(10, 0.5), (40, 0.5), (40, 0.1), (40, 0), (100, 0.03), (100, 0.01)]
)
def test_nor_is_it_where_cold_starts_are_rare_or_not_much_slower(
    waits: tuple[float, float, float], rounds: int, often: float
) -> None:
    """All may stay unknown. One alone, beside nothing but cold starts, cannot be told from them."""
    met: Counter[tuple[Verdict, Verdict]] = Counter()
    for seed in range(6):
        invocations, truth = slower_after_a_gap(*waits, rounds, seed, often)
        met += Counter(zip(truth, told(invocations, 0.05), strict=True))
    assert wrong(met) <= (1 if rounds == 10 else 0)


@pytest.mark.parametrize(("rounds", "often"), [(40, 0.5), (100, 0.9)])
def test_cold_starts_with_a_long_tail_are_one_kind(rounds: int, often: float) -> None:
    met: Counter[tuple[Verdict, Verdict]] = Counter()
    for seed in range(6):
        invocations, truth = slower_after_a_gap(5, 5, 300, rounds, seed, often, tail=150)
        met += Counter(zip(truth, told(invocations, 0.05), strict=True))
    assert wrong(met) == 0
    assert met[Verdict.COLD, Verdict.UNKNOWN] <= 0.1 * met[Verdict.COLD, Verdict.COLD]


@pytest.mark.parametrize(("rounds", "often"), [(10, 1.0), (40, 0.5), (400, 0.9)])
@pytest.mark.parametrize(
    ("first_ms", "other_ms", "other"), [(520, 300, 0.0), (300, 600, 0.5), (300, 600, 0.01)]
)
def test_cold_starts_that_differ_are_one_kind(
    rounds: int, often: float, first_ms: float, other_ms: float, other: float
) -> None:
    """The first is slower (an image is fetched), or some are: not as much as all are than warm calls."""
    met: Counter[tuple[Verdict, Verdict]] = Counter()
    for seed in range(6):
        random = np.random.default_rng(seed)
        colds = [number == 0 or random.random() < often for number in range(rounds)]
        firsts = [
            (other_ms if random.random() < other else 300) * random.lognormal(0, 0.1)
            if starts else 5 * random.lognormal(0, 0.15)
            for starts in colds
        ]  # fmt: skip
        firsts[0] = first_ms * random.lognormal(0, 0.05)
        invocations, truth = in_rounds(firsts, colds, 5 * random.lognormal(0, 0.15, (rounds, 4)), seed)
        met += Counter(zip(truth, told(invocations, 0.05), strict=True))
    assert wrong(met) == 0
    assert unknown(met) <= 0.05 * met.total()


def test_rare_cold_starts_beside_a_slow_tail_of_warm_calls_are_told() -> None:
    met: Counter[tuple[Verdict, Verdict]] = Counter()
    for seed in range(8):
        random = np.random.default_rng(seed)
        warm = 5 * random.lognormal(0, 0.15, (200, 5)) * np.where(random.random((200, 5)) < 0.02, 20, 1)
        colds = [number == 0 or random.random() < 0.1 for number in range(200)]
        firsts = [
            600 * random.lognormal(0, 0.1) if starts else wait
            for starts, wait in zip(colds, warm[:, 0].tolist(), strict=True)
        ]
        invocations, truth = in_rounds(firsts, colds, warm[:, 1:], seed)
        met += Counter(zip(truth, told(invocations, 0.05), strict=True))
    assert wrong(met) == 0
    assert unknown(met) <= 0.2 * met.total()


def test_a_stray_answer_among_many_hides_no_cold_start() -> None:
    met: Counter[tuple[Verdict, Verdict]] = Counter()
    for seed in range(5):
        random = np.random.default_rng(seed)
        invocations, truth, now = list[Invocation](), list[Verdict](), 0.0
        for seq in range(2000):
            starts = seq == 0 or random.random() < 0.1
            now += 60_000 if starts else 200
            stray = 3000 if random.random() < 0.001 else 0
            wait = (100 if starts else 20) * random.lognormal(0, 0.1) + stray
            invocations.append(invocation(seq, now, now + wait, 0.05))
            truth.append(Verdict.COLD if starts else Verdict.WARM)
            now += wait
        met += Counter(zip(truth, told(invocations, 0.05), strict=True))
    assert wrong(met) == 0
    assert unknown(met) < 0.02 * met.total()

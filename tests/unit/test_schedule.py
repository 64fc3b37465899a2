"""The schedule: steps in order, and arrivals as pure functions of a step."""

from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from coldbench.core.profile import Burst, Idle, Profile, Ramp, Rate, Stage, Users
from coldbench.core.schedule import (
    Kind,
    Step,
    arrivals,
    invocations,
    plan,
    planned_duration_ns,
    planned_invocations,
)

S = 10**9


def step(kind: Kind, **fields: object) -> Step:
    return Step(phase=f"0:{kind}", kind=kind, round=0, targets=(0,), **fields)  # type: ignore[arg-type]


def profile(*stages: Stage, repeat: int = 1) -> Profile:
    return Profile(name="x", repeat=repeat, stages=stages)


@pytest.mark.parametrize(
    ("of", "offsets"),
    [
        (step(Kind.IDLE), []),
        (step(Kind.IDLE, duration_ns=S), []),
        (step(Kind.USERS, users=2, duration_ns=S), []),
        (step(Kind.BURST, size=3), [0, 0, 0]),
        (step(Kind.RATE, rate=4.0, rate_to=4.0, duration_ns=S), [0, S // 4, S // 2, 3 * S // 4]),
        (step(Kind.RATE, rate=3.0, rate_to=3.0, duration_ns=S), [0, 333_333_333, 666_666_667]),
        (step(Kind.RATE, rate=0.5, rate_to=0.5, duration_ns=3 * S), [0, 2 * S]),
        # the integral t^2 reaches 0, 1, 2, 3 at the roots of them
        (step(Kind.RAMP, rate=0.0, rate_to=4.0, duration_ns=2 * S), [0, S, 1_414_213_562, 1_732_050_808]),
        # the same seen from its end: 4t - t^2 reaches i at 2 - sqrt(4 - i)
        (step(Kind.RAMP, rate=4.0, rate_to=0.0, duration_ns=2 * S), [0, 267_949_192, 585_786_438, S]),
        (step(Kind.RAMP, rate=0.0, rate_to=0.0, duration_ns=S), []),
    ],
)
def test_arrivals(of: Step, offsets: list[int]) -> None:
    assert list(arrivals(of, 0)) == offsets


@pytest.mark.parametrize(
    ("rate", "seconds", "count"), [(0.07, 100, 7), (0.1, 30, 3), (20, 60, 1200), (1e5, 10, 10**6)]
)
def test_a_rate_gives_as_many_as_it_says(rate: float, seconds: int, count: int) -> None:
    assert invocations(step(Kind.RATE, rate=rate, rate_to=rate, duration_ns=seconds * S)) == count


rates = st.floats(0, 200)
moving = st.builds(
    lambda rate, rate_to, ms, poisson, seed: step(
        Kind.RAMP, rate=rate, rate_to=rate_to, duration_ns=ms * 10**6, poisson=poisson, seed=seed
    ),
    rates,
    rates,
    st.integers(1, 10_000),
    st.booleans(),
    st.integers(0, 2**63 - 1),
)


@given(moving, st.integers(0, 5))
def test_arrivals_ascend_within_the_step_and_are_as_many_as_said(of: Step, target: int) -> None:
    offsets = list(arrivals(of, target))
    assert all(earlier <= later for earlier, later in pairwise(offsets))
    assert all(0 <= offset <= of.duration_ns for offset in offsets)
    assert len(offsets) == invocations(of)


@given(st.floats(0.1, 100), st.floats(0.1, 100))
def test_a_ramp_keeps_to_the_integral_of_its_rate(rate: float, rate_to: float) -> None:
    for i, offset in enumerate(arrivals(step(Kind.RAMP, rate=rate, rate_to=rate_to, duration_ns=10 * S), 0)):
        t = offset / S
        assert rate * t + (rate_to - rate) * t * t / 20 == pytest.approx(i, abs=1e-5)


def test_arrivals_are_lazy() -> None:
    year = step(Kind.RATE, rate=1e6, rate_to=1e6, duration_ns=10**7 * S, poisson=True)
    assert next(arrivals(year, 0)) >= 0


def poisson(seed: int = 7) -> Step:
    return step(Kind.RATE, rate=1000.0, rate_to=1000.0, duration_ns=20 * S, poisson=True, seed=seed)


def test_poisson_gaps_are_exponential_and_its_arrivals_uniform() -> None:
    offsets = list(arrivals(poisson(), 0))
    gaps = [later - earlier for earlier, later in pairwise(offsets)]
    assert fmean(gaps) == pytest.approx(S / 1000, rel=0.01)
    assert kstest(gaps, "expon", args=(0, S / 1000)).pvalue > 0.01
    assert kstest(offsets, "uniform", args=(0, 20 * S)).pvalue > 0.01
    per_second = [sum(1 for offset in offsets if offset // S == second) for second in range(20)]
    assert chisquare(per_second).pvalue > 0.01


def test_poisson_gaps_do_not_depend_on_one_another() -> None:
    offsets = list(arrivals(poisson(), 0))
    gaps = [later - earlier for earlier, later in pairwise(offsets)]
    mean = fmean(gaps)
    covariance = fmean((a - mean) * (b - mean) for a, b in pairwise(gaps))
    assert abs(covariance / mean**2) < 3 / len(gaps) ** 0.5


def test_random_arrivals_are_those_of_the_seed_and_of_the_target() -> None:
    assert list(arrivals(poisson(), 0)) == list(arrivals(poisson(), 0))
    assert list(arrivals(poisson(), 0)) != list(arrivals(poisson(), 1))
    assert list(arrivals(poisson(), 0)) != list(arrivals(poisson(8), 0))


def test_a_plan_of_one_target() -> None:
    steps = plan(profile(Idle(duration_ns=S), Burst(size=5), repeat=2), 1, seed=0).steps
    assert [(s.phase, s.kind, s.round, s.targets, s.duration_ns, s.size) for s in steps] == [
        ("0:idle", Kind.IDLE, 0, (0,), S, 0),
        ("1:burst", Kind.BURST, 0, (0,), 0, 5),
        ("2:idle", Kind.IDLE, 1, (0,), S, 0),
        ("3:burst", Kind.BURST, 1, (0,), 0, 5),
    ]


def test_bursts_of_several_targets_follow_one_another_and_the_rest_is_together() -> None:
    stages = (Idle(duration_ns=S), Burst(size=5), Burst(size=5), Rate(rate=1, duration_ns=S))
    orders = set()
    made = plan(profile(*stages, repeat=30), 3, seed=1)
    rounds = [made.steps[at : at + 8] for at in range(0, len(made.steps), 8)]
    for steps in rounds:
        kinds = [s.kind for s in steps]
        assert kinds == [Kind.IDLE, *[Kind.BURST] * 6, Kind.RATE]
        assert steps[0].targets == steps[7].targets == (0, 1, 2)
        first, second = steps[1:4], steps[4:7]
        assert len({s.phase for s in first}) == len({s.phase for s in second}) == 1
        assert first[0].phase != second[0].phase
        assert sorted(s.targets for s in first) == [(0,), (1,), (2,)]
        assert [s.targets for s in first] == [s.targets for s in second]
        orders.add(tuple(s.targets[0] for s in first))
    assert len(orders) == 6  # of 30 rounds, each order that there is


def test_a_plan_is_that_of_its_seed() -> None:
    stages = (Burst(size=1), Rate(rate=1, duration_ns=S, arrivals="poisson"))
    made = plan(profile(*stages, repeat=20), 4, seed=3)
    assert made == plan(profile(*stages, repeat=20), 4, seed=3)
    assert made.steps != plan(profile(*stages, repeat=20), 4, seed=4).steps
    seeds = [s.seed for s in made.steps if s.poisson]
    assert len(set(seeds)) == 20


def test_what_is_planned() -> None:
    stages = (
        Idle(duration_ns=2 * S),
        Burst(size=5),
        Rate(rate=10, duration_ns=S),
        Ramp(rate_from=0, rate_to=10, duration_ns=2 * S),
    )
    made = plan(profile(*stages, repeat=2), 3, seed=0)
    assert planned_invocations(made) == 2 * 3 * (5 + 10 + 10)
    assert planned_duration_ns(made) == 2 * (2 + 1 + 2) * S
    assert [invocations(s) for s in made.steps[:6]] == [0, 5, 5, 5, 30, 30]


def test_users_are_not_counted_before_they_have_been() -> None:
    made = plan(profile(Burst(size=1), Users(users=2, duration_ns=S, think_ns=5)), 2, seed=0)
    assert planned_invocations(made) is None
    assert planned_duration_ns(made) == S
    assert (made.steps[-1].users, made.steps[-1].think_ns) == (2, 5)

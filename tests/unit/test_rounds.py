"""The probe's plan: pure, seeded, and with connection parity."""

from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.rounds import (
    Experiment,
    Provocation,
    planned_duration_ns,
    planned_invocations,
    rounds,
)

SECOND = 10**9

experiments = st.builds(
    Experiment,
    provocation=st.sampled_from(Provocation),
    gap_ns=st.tuples(st.integers(0, 5 * SECOND), st.integers(5 * SECOND, 9 * SECOND)),
    samples=st.integers(1, 12),
    seed=st.integers(0, 1 << 32),
    connect_ahead_ns=st.sampled_from([0, SECOND]),
)


@given(experiments, st.integers(1, 4))
def test_each_round_visits_each_target_once_with_as_many_fresh_as_kept_followers(
    experiment: Experiment, targets: int
) -> None:
    planned = list(rounds(experiment, targets))
    assert len(planned) == experiment.samples
    for number, visits in enumerate(planned):
        assert sorted(visit.target for visit in visits) == list(range(targets))
        assert all(visit.round == number for visit in visits)
        assert all(sorted(visit.fresh) == [False, False, True, True] for visit in visits)


@given(experiments, st.integers(1, 4))
def test_gaps_lie_where_they_were_asked_for_and_the_first_round_has_none(
    experiment: Experiment, targets: int
) -> None:
    low, high = experiment.gap_ns
    first, *others = rounds(experiment, targets)
    assert all(visit.gap_ns == 0 for visit in first)
    low, high = low + experiment.connect_ahead_ns, high + experiment.connect_ahead_ns
    assert all(low <= visit.gap_ns <= high for visits in others for visit in visits)
    assert low * len(others) <= planned_duration_ns(experiment, targets) <= high * len(others)


@given(experiments, st.integers(1, 4))
def test_the_same_seed_is_the_same_plan_and_its_invocations_add_up(
    experiment: Experiment, targets: int
) -> None:
    planned = list(rounds(experiment, targets))
    assert planned == list(rounds(experiment, targets))
    sent = sum(1 + len(visit.fresh) + visit.burst for visits in planned for visit in visits)
    assert sent == planned_invocations(experiment, targets)


@given(experiments, st.integers(1, 4))
def test_of_each_two_rounds_after_a_silence_one_has_a_bare_connection(
    experiment: Experiment, targets: int
) -> None:
    for target in range(targets):
        ahead = [
            v.connect_ahead_ns for visits in rounds(experiment, targets) for v in visits if v.target == target
        ]
        assert set(ahead) <= {0, experiment.connect_ahead_ns}
        if experiment.connect_ahead_ns:
            connects = [bool(its) for its in ahead]
            assert not connects[0]
            assert all(sum(connects[first : first + 2]) == 1 for first in range(1, len(connects), 2))


def test_seeds_differ_in_order_and_gaps() -> None:
    def plan(seed: int) -> list[object]:
        asked = Experiment(provocation=Provocation.GAP, gap_ns=(1, SECOND), samples=5, seed=seed)
        return list(rounds(asked, 3))

    assert plan(1) != plan(2)


def test_each_burst_is_larger_than_the_one_before() -> None:
    asked = Experiment(provocation=Provocation.BURST, samples=3, seed=1)
    assert [visits[0].burst for visits in rounds(asked, 1)] == [2, 4, 6]

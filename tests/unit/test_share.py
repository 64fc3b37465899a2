"""A plan dealt out to workers: nothing twice, nothing left out."""

from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.schedule import Kind, Step, invocations
from coldbench.core.share import Share

workers = st.integers(1, 9)


@given(st.integers(0, 1000), workers)
def test_the_parts_are_those_of_dealing_in_turn(count: int, of: int) -> None:
    assert [Share(rank=rank, of=of).part(count) for rank in range(of)] == [
        len(range(rank, count, of)) for rank in range(of)
    ]


@given(st.integers(1, 500), st.integers(1, 4), workers)
def test_planned_invocations_add_up_over_the_workers(size: int, targets: int, of: int) -> None:
    steps = [
        Step(phase="0:burst", kind=Kind.BURST, round=0, targets=(0,), size=size),
        Step(
            phase="1:rate", kind=Kind.RATE, round=0, targets=tuple(range(targets)),
            duration_ns=10**9, rate=size, rate_to=size,
        ),
    ]  # fmt: skip
    for step in steps:
        assert sum(Share(rank=rank, of=of).planned(step) for rank in range(of)) == invocations(step)


def test_users_are_paced_by_answers_and_have_no_planned_number() -> None:
    step = Step(phase="0:users", kind=Kind.USERS, round=0, targets=(0,), users=5, duration_ns=10**9)
    assert Share().planned(step) == 0

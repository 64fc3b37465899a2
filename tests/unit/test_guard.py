"""When a run stops by itself."""

from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.guard import ErrorGuard


def test_it_trips_on_the_latest_not_on_all() -> None:
    guard = ErrorGuard(50)
    assert guard.look(1000, 0) is None
    assert guard.look(1009, 9) is None  # too few to say
    assert guard.look(1010, 10) is None  # half is not more than half
    assert guard.look(1015, 25) == (
        "stopped by --abort-on-errors: of the latest 20 invocations 15 had no whole answer"
    )


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=20))
def test_at_a_hundred_per_cent_it_never_trips(steps: list[tuple[int, int]]) -> None:
    guard, completed, errors = ErrorGuard(100), 0, 0
    for more, failed in steps:
        completed, errors = completed + more, errors + failed
        assert guard.look(completed, errors) is None

"""docs/reliability.md has every promise that a test makes."""

import pytest

from tests.reliability import PAGE, promised, written


def test_every_promise_has_its_row(request: pytest.FixtureRequest) -> None:
    rows = {promise for its in written(PAGE).values() for promise in its}
    made = {promise for item in request.session.items for promise in promised(item)}
    assert made <= rows, "run: pytest -m promise --reliability=docs/reliability.md"
    if len(made) > len(rows) / 2:  # all tests were collected, not this file alone
        assert made == rows, "a row is left of a promise that nobody makes any more"

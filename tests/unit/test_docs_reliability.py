"""docs/reliability.md has every promise that a test makes."""

import pytest

from tests.reliability import PAGE, promised


def test_every_promise_has_its_row(request: pytest.FixtureRequest) -> None:
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    written = {(cells[0].removeprefix("| "), cells[1]) for cells in rows if len(cells) == 3}
    made = {promise for item in request.session.items for promise in promised(item)}
    assert made <= written, "run: pytest -m promise --reliability docs/reliability.md"
    assert written

"""What coldbench promises to live through: tests marked `promise(case, promised)` are the rows of
docs/reliability.md. A row whose test fails fails CI; `pytest -m promise --reliability=docs/reliability.md`
writes the page anew, with what each test saw.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
_HEAD = """# What it lives through

Written by the tests: each row is one that passed, with what it promised and what it saw (`pytest -m promise
--reliability=docs/reliability.md`). CI fails when a row does, or is missing here.
"""
_TITLES = {
    "test_hostile": "Hostile and broken endpoints",
}
_ELSEWHERE = "Faults of our own side, and of others"


def promised(item: pytest.Item) -> Iterator[tuple[str, str]]:
    """Case and promise of a test; none when it makes no promise."""
    for mark in item.iter_markers("promise"):
        case, promise = mark.args
        yield case, promise


Rows = dict[tuple[str, str], str]  # what was seen, by case and promise


def written(path: Path) -> dict[str, Rows]:
    """The rows of a page, by title; none where there is no page yet."""
    found: dict[str, Rows] = {}
    title = ""
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        title = line.removeprefix("## ") if line.startswith("## ") else title
        cells = line.strip("| ").split(" | ")
        if len(cells) == 3 and cells[0] != "case":
            case, promise, seen = cells
            found.setdefault(title, {})[case, promise] = seen
    return found


class Page:
    """A plugin that gathers what the tests say and writes the page at the end: rows of tests that did not run
    stay as they are."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = written(path)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Once for each test and stage of it; `seen` is what the test recorded."""
        said = dict(report.user_properties)
        if report.when == "call" and report.passed and "promise" in said:
            module = report.nodeid.partition("::")[0].rpartition("/")[2].removesuffix(".py")
            title = _TITLES.get(module, _ELSEWHERE)
            case, promise = said["promise"]
            self._rows.setdefault(title, {})[case, promise] = str(said.get("seen", "as promised"))

    def pytest_sessionfinish(self) -> None:
        """Write it."""
        parts = [_HEAD]
        for title in (*_TITLES.values(), _ELSEWHERE):
            parts.append(f"## {title}\n\n| case | promised | seen |\n|---|---|---|")
            for (case, promise), seen in sorted(self._rows.get(title, {}).items()):
                parts.append(f"| {case} | {promise} | {seen} |")
            parts.append("")
        self._path.write_text("\n".join(parts), encoding="utf-8")

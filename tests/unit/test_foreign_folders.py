"""Run folders from elsewhere: whatever bytes are in them, they are read, or refused in one line.

The same examples each time, so that CI tells of a change and not of its luck.
"""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coldbench.analysis import open_run
from coldbench.core.errors import UsageError
from coldbench.report.html.page import read_page
from coldbench.report.text import text
from coldbench.runs.folder import RECORD
from coldbench.runs.samples import SAMPLES, read_judged
from tests.unit.measured import measured

# A place in the file, as a part of it, and what stands there instead.
MUTATIONS = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4)
WORDS = st.sampled_from(
    [b"null", b"-1", b"1e999", b'""', b"[]", b"{}", b'"\\u0000"', b"NaN", b"9" * 30, b"true"]
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = measured(tmp_path_factory.mktemp("whole"), "r", {"a": 100.0, "b": 200.0}, rounds=3, calls=3)
    open_run(folder)
    return folder


def read_all(folder: Path) -> None:
    """Everything that reads a run; the front door says a refusal in one line."""
    try:
        run = open_run(folder)
        text(run, folder)
        read_page(folder, run)
        list(read_judged(folder / SAMPLES))
    except UsageError:
        pass


def spoiled(whole: Path, name: str, mutations: list[tuple[float, bytes]]) -> Path:
    folder = whole.parent / "spoiled"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder)
    content = bytearray((folder / name).read_bytes())
    for place, instead in mutations:
        start = int(place * (len(content) - len(instead)))
        content[start : start + len(instead)] = instead
    (folder / name).write_bytes(bytes(content))
    return folder


@pytest.mark.parametrize("name", [RECORD, SAMPLES])
@pytest.mark.promise(
    "run folders from elsewhere with bytes changed at random", "read, or refused in one line"
)
@given(mutations=MUTATIONS)
@settings(max_examples=20, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes(whole: Path, name: str, mutations: list[tuple[float, bytes]]) -> None:
    read_all(spoiled(whole, name, mutations))


@given(place=st.floats(0, 1), word=WORDS)
@settings(max_examples=60, derandomize=True)
def test_any_value_in_the_record(whole: Path, place: float, word: bytes) -> None:
    """One of its values is another one: what is still JSON, and perhaps no record any more."""
    content = (whole / RECORD).read_bytes()
    values = [index for index in range(len(content)) if content[index : index + 2] == b": "]
    start = values[int(place * (len(values) - 1))] + 2
    end = next(index for index in range(start, len(content)) if content[index : index + 1] in b",\n")
    folder = spoiled(whole, RECORD, [])
    (folder / RECORD).write_bytes(content[:start] + word + content[end:])
    read_all(folder)

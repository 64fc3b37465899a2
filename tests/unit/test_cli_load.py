"""The processes that a run starts, when they cannot start."""

import shutil
import sys
from pathlib import Path

import pytest

from coldbench.cli.load import Load
from coldbench.core.errors import ColdbenchError
from coldbench.core.messages import Order
from coldbench.core.schedule import Plan
from coldbench.core.target import Target
from coldbench.targets.lab import parse_lab_url, start_lab

# More than a pipe holds: whoever writes it learns that nobody reads.
_LONG = "x" * (1 << 20)


@pytest.fixture(autouse=True)
def no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))


def test_an_engine_that_ends_at_once_is_a_fault(tmp_path: Path) -> None:
    target = Target(name="f", url="http://h/", endpoint="http://h/", body=_LONG.encode())
    order = Order(run_id="r", plan=Plan(steps=(), seed=0), targets=(target,), drain_ns=0)
    with Load(order, tmp_path / "samples.db") as load:
        assert list(load.messages(0.1)) == []
        load.stop()
        load.abort()
        assert str(load.fault()) == "the engine ended with code 1"


def test_a_lab_that_ends_at_once_is_a_fault() -> None:
    with (
        pytest.raises(ColdbenchError, match="the lab ended without a word"),
        start_lab([parse_lab_url(f"lab:custom?truth=/{_LONG}")]),
    ):
        pass

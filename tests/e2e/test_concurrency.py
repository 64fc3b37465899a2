"""`coldbench concurrency` against the lab, whose concurrency is set."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import add_up, coldbench, parsed


def found(url: str, cwd: Path, *more: str) -> dict[str, Any]:
    record = parsed(coldbench("concurrency", "--url", url, "--json", "-", *more, cwd=cwd))
    add_up(record)
    assert record["results"][0]["errors"] == {}
    its: dict[str, Any] = record["concurrency"]
    return its


@pytest.mark.slow
def test_a_queue_without_ids_shows_its_room(tmp_path: Path) -> None:
    its = found("lab:python?concurrency=2&policy=queue&evidence=none", tmp_path, "--max-burst", "3")
    assert (its["per_instance"], its["method"], its["when_full"]) == (2, "waits", "queued")


@pytest.mark.slow
def test_ids_show_the_room_and_the_new_instances(tmp_path: Path) -> None:
    its = found("lab:python?concurrency=2", tmp_path, "--max-burst", "3")
    assert (its["per_instance"], its["low"], its["high"]) == (2, 2, 2)
    assert (its["method"], its["when_full"]) == ("ids", "started")


@pytest.mark.slow
def test_a_soft_limit_is_not_called_one(tmp_path: Path) -> None:
    its = found("lab:python?concurrency=2&policy=soft", tmp_path, "--max-burst", "4")
    assert (its["per_instance"], its["low"], its["when_full"]) == (None, 3, "spread")


@pytest.mark.accept
@pytest.mark.parametrize(
    "more", ["&policy=scale", "&policy=queue", "&evidence=none&policy=scale", "&evidence=none&policy=queue"]
)
@pytest.mark.parametrize("room", [1, 2, 5, 10])
def test_each_room_is_found_exactly(room: int, more: str, tmp_path: Path) -> None:
    its = found(f"lab:python?concurrency={room}{more}", tmp_path, "--max-burst", "13")
    assert its["per_instance"] == room


def test_one_target_at_a_time(tmp_path: Path) -> None:
    refused = coldbench("concurrency", "--url", "a=lab:python", "--url", "b=lab:python", cwd=tmp_path)
    assert refused.returncode == 2
    assert "one target at a time" in refused.stderr

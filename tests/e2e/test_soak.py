"""A run that goes on takes no more memory and descriptors. An hour of it: `python -m tests.bench.soak`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.soak import RATE, soak

_SECONDS = 120
_MOST_GROWTH_MB = 5


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.promise(
    "a long run (2 minutes in CI, tests/bench/soak.py for hours)", "memory and descriptors stay flat"
)
def test_nothing_grows(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    soaked = soak(_SECONDS, tmp_path)
    assert soaked.record["counts"]["completed"] == _SECONDS * RATE  # type: ignore[index]
    growths = {its.module: its.memory_mb[1] - its.memory_mb[0] for its in soaked.grown}
    assert {"coldbench.cli", "coldbench.engine", "coldbench.engine.writer"} <= growths.keys()
    assert max(growths.values()) < _MOST_GROWTH_MB, growths
    # A moment in which this machine is busy needs more connections than there were; a leak has no such bound.
    for its in soaked.grown:
        assert its.descriptors[1] <= its.descriptors[0] + soaked.most_under_way, its
    record_property("seen", f"at most {max(growths.values()):.1f} MB more at the end")

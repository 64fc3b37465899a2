"""The lab's network: what it adds is what was asked for, the same for the same seed."""

from random import Random
from statistics import median, pstdev

import pytest

from coldbench.core.function_spec import FunctionSpec
from coldbench.lab.network import answer_way_s, request_way_s

MS = 1_000_000


def ways(spec: FunctionSpec, seed: int, draws: int = 20_000) -> list[float]:
    random = Random(seed)
    return [request_way_s(spec, random) for _ in range(draws)]


def test_without_jitter_each_way_is_half_the_round_trip() -> None:
    spec = FunctionSpec(runtime="python", folder="/f", round_trip_ns=20 * MS)
    assert set(ways(spec, 1, 10)) == {0.01}
    assert answer_way_s(spec) == 0.01


def test_jitter_has_its_standard_deviation_and_a_tail() -> None:
    spec = FunctionSpec(runtime="python", folder="/f", round_trip_ns=20 * MS, jitter_ns=5 * MS)
    seen = ways(spec, 1)
    assert min(seen) > 0.01
    assert pstdev(seen) == pytest.approx(0.005, rel=0.15)
    assert max(seen) - 0.01 > 10 * (median(seen) - 0.01)
    assert seen[:100] == ways(spec, 1, 100)

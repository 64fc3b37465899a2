"""The network between a caller and the lab's gateway: a round trip, and jitter with a heavy tail."""

from math import e, sqrt
from random import Random

from coldbench.core.function_spec import FunctionSpec

# Jitter is lognormal with sigma 1, whose standard deviation is this many times its median.
_DEVIATION = sqrt(e * (e - 1))


def request_way_s(spec: FunctionSpec, random: Random) -> float:
    """How long one request is under way to the gateway, seconds: half a round trip and all the jitter.

    The answer has the other half (`answer_way_s`). What the jitter delays, it also reorders.
    """
    jitter_ns = spec.jitter_ns / _DEVIATION * random.lognormvariate(0.0, 1.0)
    return (spec.round_trip_ns / 2 + jitter_ns) / 1e9


def answer_way_s(spec: FunctionSpec) -> float:
    """How long one answer is under way back, seconds."""
    return spec.round_trip_ns / 2 / 1e9

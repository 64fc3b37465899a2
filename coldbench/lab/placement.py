"""How long the platform takes to place an instance before its process starts."""

from math import exp
from random import Random

from coldbench.core.function_spec import Delay


def draw_s(delay: Delay, random: Random) -> float:
    """One placement delay, seconds."""
    match delay.kind:
        case "uniform":
            return random.uniform(delay.a_ns, delay.b_ns) / 1e9
        case "lognormal":
            return delay.a_ns / 1e9 * exp(random.gauss(0.0, delay.sigma))
        case _:
            return delay.a_ns / 1e9

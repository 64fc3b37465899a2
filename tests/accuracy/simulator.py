"""Invocations with their truth: one function that scales to zero, one call at a time, seeded.

Waits are `round trip + execution noise (+ startup when cold)`. Penalty/jitter is `startup_ms` over the
standard deviation of the noise's lognormal part.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coldbench.core.invocation import Invocation
from coldbench.core.verdict import Verdict

MS = 1_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class World:
    """What one simulated target is like."""

    ratio: float = 20.0  # startup over jitter
    jitter_ms: float = 4.0
    execution_ms: float = 10.0
    round_trip_ms: float = 20.0
    lifetime_s: float = 60.0
    exponential: bool = False  # the idle lifetime; else it is fixed
    tails: float = 0.0  # this part of warm calls takes ten times the median
    pareto: bool = False  # one call in twenty is later by a Pareto tail
    cold: bool | None = None  # always, never, or by lifetime

    def gaps_s(self, short: float, draws: int, random: np.random.Generator) -> Floats:
        """Idle gaps: the part `short` of them is far below the lifetime, the others are above it."""
        longer = random.uniform(1.2, 2.0, draws) * self.lifetime_s
        return np.where(random.random(draws) < short, random.uniform(0.05, 0.1, draws), longer)


def warm_waits_ms(world: World, draws: int, random: np.random.Generator) -> Floats:
    """Waits of warm calls. The noise is lognormal, sigma 0.5, with a standard deviation of `jitter_ms`."""
    noise = random.lognormal(0.0, 0.5, draws) * world.jitter_ms / 0.604
    if world.pareto:
        noise += np.where(random.random(draws) < 0.05, world.jitter_ms * random.pareto(2.5, draws), 0.0)
    noise += np.where(random.random(draws) < world.tails, 9 * world.execution_ms, 0.0)
    return world.round_trip_ms + world.execution_ms + noise


def cold_waits_ms(world: World, draws: int, random: np.random.Generator) -> Floats:
    """Waits of cold calls: a startup more."""
    startup = world.ratio * world.jitter_ms * random.lognormal(0.0, 0.1, draws)
    return warm_waits_ms(replace(world, tails=0.0), draws, random) + startup


def serial(world: World, calls: int, short: float, seed: int) -> tuple[list[Invocation], list[Verdict]]:
    """`calls` in sequence."""
    random = np.random.default_rng(seed)
    gaps_s = world.gaps_s(short, calls, random)
    lives_s = random.exponential(world.lifetime_s, calls) if world.exponential else world.lifetime_s
    cold = gaps_s > lives_s if world.cold is None else np.full(calls, world.cold)
    cold[0] = world.cold is not False
    warm_ms, cold_ms = warm_waits_ms(world, calls, random), cold_waits_ms(world, calls, random)
    wait_ms = np.where(cold, cold_ms, warm_ms)
    sent_ms = np.cumsum(gaps_s * 1000 + np.append(0, wait_ms[:-1]))
    invocations = [
        invocation(seq, sent, sent + wait, world.round_trip_ms)
        for seq, (sent, wait) in enumerate(zip(sent_ms.tolist(), wait_ms.tolist(), strict=True))
    ]
    return invocations, [Verdict.COLD if one else Verdict.WARM for one in cold]


def invocation(seq: int, sent_ms: float, answered_ms: float, round_trip_ms: float) -> Invocation:
    """One that dialled, was sent and answered at these instants, without any evidence."""
    sent, answered = int(sent_ms * MS), int(answered_ms * MS)
    return Invocation(
        seq=seq,
        target="f",
        phase="0:burst",
        intended_ns=sent,
        started_ns=sent,
        sent_ns=sent,
        first_byte_ns=answered,
        end_ns=answered,
        connect_ns=int(round_trip_ms * MS),
        reused=False,
        status=200,
    )

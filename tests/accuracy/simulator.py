"""Invocations with their truth: one function that scales to zero, one call at a time, seeded.

Waits are `round trip + execution noise (+ startup when cold)`. Penalty/jitter is `startup_ms` over the
standard deviation of the noise's lognormal part.
"""

from dataclasses import dataclass

import numpy as np

from coldbench.core.invocation import Invocation
from coldbench.core.verdict import Verdict

MS = 1_000_000


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


def serial(world: World, calls: int, short: float, seed: int) -> tuple[list[Invocation], list[Verdict]]:
    """`calls` in sequence; the part `short` of the gaps is far below the lifetime, the others above it."""
    random = np.random.default_rng(seed)
    at_ms = 0.0
    invocations, truth = [], []
    for seq in range(calls):
        near = random.random() < short
        gap_s = random.uniform(0.05, 0.1) if near else random.uniform(1.2, 2.0) * world.lifetime_s
        lives_s = random.exponential(world.lifetime_s) if world.exponential else world.lifetime_s
        cold = gap_s > lives_s if world.cold is None else world.cold
        cold = cold or (seq == 0 and world.cold is None)
        noise = _noise(world, random)
        if not cold and random.random() < world.tails:
            noise += 9 * world.execution_ms
        wait_ms = world.round_trip_ms + world.execution_ms + noise
        if cold:
            wait_ms += world.ratio * world.jitter_ms * random.lognormal(0.0, 0.1)
        at_ms += gap_s * 1000
        sent, answered = int(at_ms * MS), int((at_ms + wait_ms) * MS)
        invocations.append(
            Invocation(
                seq=seq,
                target="f",
                phase="0:burst",
                intended_ns=sent,
                started_ns=sent,
                sent_ns=sent,
                first_byte_ns=answered,
                end_ns=answered,
                connect_ns=int(world.round_trip_ms * MS),
                reused=False,
                status=200,
            )
        )
        truth.append(Verdict.COLD if cold else Verdict.WARM)
        at_ms += wait_ms
    return invocations, truth


def _noise(world: World, random: np.random.Generator) -> float:
    """Above zero; a lognormal of sigma 0.5 scaled to a standard deviation of `jitter_ms`."""
    noise = float(random.lognormal(0.0, 0.5)) * world.jitter_ms / 0.604
    if world.pareto and random.random() < 0.05:
        noise += world.jitter_ms * float(random.pareto(2.5))
    return noise

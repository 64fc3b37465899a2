"""A simulated platform whose calls overlap: bursts with their truth, seeded. Times are ms.

Calls are carried by instances with `concurrency` places. One that finds no place waits for the instance
that is started for it (`bound`), or for whichever comes first, that or a place that becomes free.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import count

import numpy as np

from coldbench.core.invocation import Invocation
from coldbench.core.verdict import Verdict
from tests.accuracy.simulator import Floats, invocation

_LIFETIME_MS = 60_000.0


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What it does with calls, and what the network before it adds; handshakes show `round_trip_ms`."""

    concurrency: int = 1
    most: int = 1000  # instances
    bound: bool = False
    startup_ms: float = 200.0
    startup_sigma: float = 0.1
    execution_ms: float = 10.0
    execution_sigma: float = 0.02
    round_trip_ms: float = 20.0
    hidden_ms: float = 0.0  # more of the round trip, behind what ends the connections
    jitter_ms: float = 1.0


@dataclass(eq=False)
class _Instance:
    ready_ms: float
    started_for: int | None  # a call that waits for this one only
    uses: int = 0
    in_flight: int = 0
    used_ms: float = 0.0


def rounds(
    platform: Platform, sizes: list[int], repeat: int, seed: int
) -> tuple[list[Invocation], list[Verdict]]:
    """`repeat` times: a silence in which all instances end, then bursts of these sizes one after another."""
    random = np.random.default_rng(seed)
    to_ms = (platform.round_trip_ms + platform.hidden_ms) / 2
    up: list[_Instance] = []
    at_ms = 0.0
    invocations: list[Invocation] = []
    truth: list[Verdict] = []
    for _ in range(repeat):
        at_ms += 1.5 * _LIFETIME_MS
        for size in sizes:
            sent = at_ms + np.sort(random.uniform(0, 1, size))
            arrivals = sent + to_ms + random.lognormal(0.0, 0.5, size) * platform.jitter_ms
            up = [instance for instance in up if at_ms - instance.used_ms < _LIFETIME_MS]
            burst = _Burst(platform, up, arrivals, random)
            burst.play()
            answered = burst.answers + to_ms
            for one, end in zip(sent, answered, strict=True):
                invocations.append(invocation(len(invocations), one, end, platform.round_trip_ms))
            truth += burst.met
            at_ms = float(answered.max()) + 5
    return invocations, truth


class _Burst:
    """Its calls, played to the last answer; `answers` leave the platform then, having `met` that."""

    def __init__(
        self, platform: Platform, up: list[_Instance], arrivals: Floats, random: np.random.Generator
    ) -> None:
        self._platform = platform
        self._up = up
        self._arrivals = arrivals
        self._random = random
        self._waiting: deque[int] = deque()
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = count()
        self.answers = np.zeros(len(arrivals))
        self.met = [Verdict.UNKNOWN] * len(arrivals)

    def play(self) -> None:
        for call, at in enumerate(self._arrivals):
            self._at(float(at), partial(self._arrive, call))
        while self._events:
            now, _, happen = heappop(self._events)
            happen(now)

    def _at(self, when: float, happen: Callable[[float], None]) -> None:
        heappush(self._events, (when, next(self._order), happen))

    def _arrive(self, call: int, now: float) -> None:
        free = [one for one in self._up if one.ready_ms <= now and self._has_place(one)]
        if free:
            self._take(max(free, key=lambda one: one.used_ms), call, now)
            return
        self._waiting.append(call)
        starting = sum(one.ready_ms > now for one in self._up) * self._platform.concurrency
        if len(self._up) < self._platform.most and (self._platform.bound or len(self._waiting) > starting):
            lasts = self._platform.startup_ms * self._random.lognormal(0.0, self._platform.startup_sigma)
            instance = _Instance(now + lasts, call if self._platform.bound else None, used_ms=now + lasts)
            self._up.append(instance)
            self._at(instance.ready_ms, partial(self._has_room, instance))

    def _has_place(self, instance: _Instance) -> bool:
        return instance.in_flight < self._platform.concurrency and instance.started_for is None

    def _has_room(self, instance: _Instance, now: float) -> None:
        if instance.started_for is not None:
            call, instance.started_for = instance.started_for, None
            self._waiting.remove(call)
            self._take(instance, call, now)
        while not self._platform.bound and self._waiting and self._has_place(instance):
            self._take(instance, self._waiting.popleft(), now)

    def _take(self, instance: _Instance, call: int, now: float) -> None:
        instance.uses += 1
        instance.in_flight += 1
        before = self._arrivals[call] < instance.ready_ms
        if instance.uses == 1:
            self.met[call] = Verdict.COLD if before else Verdict.PREINITIALISED
        else:
            self.met[call] = Verdict.COLD_AFFECTED if before else Verdict.WARM
        lasts = self._platform.execution_ms * self._random.lognormal(0.0, self._platform.execution_sigma)
        self.answers[call] = now + lasts
        self._at(now + lasts, partial(self._end, instance))

    def _end(self, instance: _Instance, now: float) -> None:
        instance.in_flight -= 1
        instance.used_ms = now
        self._has_room(instance, now)

"""Which instance takes a call: the platform's policy, without any I/O of its own.

A call takes the started instance with room that was used last (so that the others idle out). Otherwise it
waits, first in first out, for whichever comes first: an instance that gets room or one that gets ready.
While it waits an instance is started for it at once, unless those already starting have room for all
who wait, or the limit is reached. An instance that gets ready when nobody waits any more stays idle: its
first use will find it pre-initialised. `Policy` has other ways.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from msgspec import Struct

from coldbench.core.function_spec import FunctionSpec, Policy
from coldbench.lab.call import StartFailed
from coldbench.lab.instance import Instance

StartOne = Callable[[], Instance]


class Use(Struct, frozen=True):
    """An instance with room for one call, whose `number`th call this is (1 is its first use)."""

    instance: Instance
    number: int


class Pool:
    """The instances of one function."""

    def __init__(self, spec: FunctionSpec, start_one: StartOne) -> None:
        self._spec = spec
        self._start_one = start_one
        self._loop = asyncio.get_running_loop()
        self._starting: list[Instance] = []
        self._ready: list[Instance] = []  # used last comes last
        self._waiting: deque[asyncio.Future[Use]] = deque()
        self._reaping: dict[Instance, asyncio.TimerHandle] = {}
        for _ in range(spec.preinit):
            self._start()

    def wake(self) -> None:
        """Somebody may call soon: have an instance, at least in its init."""
        if not (self._ready or self._starting):
            self._start()

    async def acquire(self) -> Use:
        """An instance with room, counted as used until `release`. Raises StartFailed."""
        for instance in reversed(self._ready):
            if self._has_room(instance):
                return self._use(instance)
        if self._spec.policy is Policy.SOFT and (busy := list(filter(self._lasts, self._ready))):
            use = self._use(min(busy, key=lambda instance: instance.in_flight))
            self._start_enough()
            return use
        waiter: asyncio.Future[Use] = self._loop.create_future()
        self._waiting.append(waiter)
        self._start_enough()
        return await waiter

    def release(self, instance: Instance) -> None:
        """The call that `acquire` gave this instance to has ended."""
        instance.in_flight -= 1
        if not (self._spec.policy is Policy.SCALE and self._starting):
            self._serve()
        if instance in self._ready and not instance.in_flight:
            self._rest(instance)

    def became_ready(self, instance: Instance) -> None:
        """Its init has ended and it can take calls."""
        if instance in self._starting:
            self._starting.remove(instance)
            self._ready.append(instance)
            self._serve()
            if not instance.in_flight:
                self._rest(instance)

    def ended(self, instance: Instance, words: str) -> None:
        """Its process has ended, wanted or not."""
        self._cancel_reaping(instance)
        if instance in self._ready:
            self._ready.remove(instance)
        if instance in self._starting:
            self._starting.remove(instance)
            # Those who counted on it learn that no instance came up.
            for _ in range(min(self._spec.concurrency, len(self._waiting))):
                self._waiting.popleft().set_exception(StartFailed(words))
        self._start_enough()

    def _start_enough(self) -> None:
        if self._spec.policy is Policy.QUEUE and (self._ready or self._starting):
            return
        while (
            self._unplaced() > len(self._starting) * self._spec.concurrency
            and len(self._starting) + len(self._ready) < self._spec.max_instances
        ):
            self._start()

    def _unplaced(self) -> int:
        """Calls for which no started instance has room, wherever they are meanwhile."""
        beyond = (instance.in_flight - self._spec.concurrency for instance in self._ready)
        return len(self._waiting) + sum(max(0, number) for number in beyond)

    def _start(self) -> None:
        self._starting.append(self._start_one())

    def _serve(self) -> None:
        """Hand instances with room to those who wait."""
        for instance in reversed(self._ready.copy()):
            while self._waiting and self._takes(instance):
                if self._too_old(instance):
                    break
                self._waiting.popleft().set_result(self._use(instance))

    def _has_room(self, instance: Instance) -> bool:
        return self._lasts(instance) and instance.in_flight < self._spec.concurrency

    def _takes(self, instance: Instance) -> bool:
        soft = self._spec.policy is Policy.SOFT
        return self._lasts(instance) if soft else self._has_room(instance)

    def _lasts(self, instance: Instance) -> bool:
        return self._spec.uses is None or instance.uses < self._spec.uses

    def _use(self, instance: Instance) -> Use:
        self._cancel_reaping(instance)
        self._ready.remove(instance)
        self._ready.append(instance)
        instance.in_flight += 1
        instance.uses += 1
        return Use(instance, instance.uses)

    def _rest(self, instance: Instance) -> None:
        """Nobody uses it: recycle it as soon as it is too old, reap it when it stays unused."""
        left_ns, most_ns = self._spec.idle_ns, self._spec.max_age_ns
        if most_ns is not None:
            left_ns = min(left_ns, most_ns - instance.age_ns())
        if left_ns <= 0 or instance.uses == self._spec.uses:
            self._retire(instance)
            return
        self._cancel_reaping(instance)
        self._reaping[instance] = self._loop.call_later(left_ns / 1e9, self._retire, instance)

    def _retire(self, instance: Instance) -> None:
        self._cancel_reaping(instance)
        self._ready.remove(instance)
        instance.kill()
        self._start_enough()

    def _too_old(self, instance: Instance) -> bool:
        limit = self._spec.max_age_ns
        return limit is not None and not instance.in_flight and instance.age_ns() >= limit

    def _cancel_reaping(self, instance: Instance) -> None:
        timer = self._reaping.pop(instance, None)
        if timer:
            timer.cancel()

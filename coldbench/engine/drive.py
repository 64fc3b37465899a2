"""One process's part of a run, whoever gave the order: alone, or as one of several workers."""

import gc
import time
from collections.abc import Callable

import gevent
from gevent.event import Event
from gevent.queue import Queue

from coldbench.core.messages import Finished, Order, Pulse
from coldbench.core.schedule import Kind
from coldbench.core.share import Share
from coldbench.engine.conductor import Conductor
from coldbench.engine.origin import Origin
from coldbench.engine.outbox import Outbox, Sink
from coldbench.engine.user import Invoker, Job
from coldbench.engine.watch import Watch
from coldbench.targets.signing import RENEW_S

_REACH_NS = 10_000_000_000
TICK_S = 0.02
PULSE_TICKS = 12  # about four a second
_SIGN_TICKS = round(RENEW_S / TICK_S)
INTERRUPTED_DRAIN_NS = 2_000_000_000


class Drive:
    """Reach the targets, perform, drain, finish, in this order.

    `give_up` ends it at once: what is in flight is unfinished. `stop` ends it in order.
    """

    def __init__(self, order: Order, share: Share, sink: Sink) -> None:
        self._order = order
        self._share = share
        self.outbox = Outbox(sink, worker=share.rank)
        self._origins = [
            Origin(target, index, order.run_id, self.outbox) for index, target in enumerate(order.targets)
        ]
        jobs: Queue[Job] = Queue()
        Invoker.jobs = jobs
        self.conductor = Conductor(order.plan, self._origins, self.outbox, jobs, share)
        self._watch = Watch(self.conductor.pacer)
        self._abort = Event()
        self._interrupted = False

    @property
    def users(self) -> int:
        """How many jobs go at the same time at most: Locust's users."""
        needed = 1
        for step in self._order.plan.steps:
            if step.kind is Kind.USERS:
                needed = max(needed, self._share.part(step.users) * len(step.targets))
            else:
                needed = max(needed, len(step.targets))
        return needed

    def stop(self) -> None:
        """End in order: dispatch nothing more, drain."""
        self.conductor.stop.set()

    def give_up(self) -> None:
        """End at once."""
        self._abort.set()
        self.stop()

    def reach(self) -> dict[str, str]:
        """Connect to each target without an invocation; by name, the error of those that took none."""
        gevent.joinall([gevent.spawn(origin.reach, _REACH_NS) for origin in self._origins])
        return {o.target.name: o.unreachable.value for o in self._origins if o.unreachable}

    def perform(self, zero_ns: int) -> None:
        """Carry the plan out and drain; `zero_ns` is the monotonic instant at which the run's clock began."""
        self.outbox.zero_ns = zero_ns
        self.conductor.perform()
        self._interrupted = self.conductor.stop.is_set()
        self._end_barrier(INTERRUPTED_DRAIN_NS if self._interrupted else self._order.drain_ns)
        for origin in self._origins:
            origin.abandon()

    def drain(self) -> None:
        """After `perform`: wait until whoever takes the facts has them all; the pulses say what it is that
        takes so long.
        """
        self.conductor.phase = "writing what was measured"
        self.outbox.drain()

    def _end_barrier(self, drain_ns: int) -> None:
        """Wait for what is in flight, up to a deadline: the slow ones are exactly the cold ones."""
        deadline = time.monotonic_ns() + drain_ns
        while self.outbox.in_flight and time.monotonic_ns() < deadline and not self._abort.is_set():
            gevent.sleep(TICK_S)

    def tick(self, tell: Callable[[Pulse | None], None]) -> None:
        """Greenlet: deadlines, facts on their way, four times a second a pulse, None before
        the run's clock has begun."""
        ticks = 0
        while True:
            gevent.sleep(TICK_S)
            self._watch.look()
            for origin in self._origins:
                origin.expire(time.monotonic_ns())
                if self.conductor.stop.is_set():
                    origin.give_up_opening()
            self.outbox.flush()
            if self.outbox.reader_gone:
                self.give_up()
            ticks += 1
            if ticks % _SIGN_TICKS == 0:
                for origin in self._origins:
                    if origin.target.signing is not None:
                        gevent.spawn(origin.sign)
            if ticks % PULSE_TICKS == 0:
                tell(self._pulse() if self.outbox.zero_ns else None)

    def _pulse(self) -> Pulse:
        return Pulse(
            phase=self.conductor.phase,
            now_ns=time.monotonic_ns() - self.outbox.zero_ns,
            intended=self.conductor.intended,
            dispatched=self.outbox.dispatched,
            completed=self.outbox.completed,
            errors=self.outbox.errors,
            in_flight=self.outbox.in_flight,
        )

    def finished(self) -> Finished:
        """What is left to say, after `perform`."""
        return Finished(
            intended=self.conductor.intended,
            connections_opened=self.outbox.connections_opened,
            cpu_pct_max=self._watch.cpu_pct_max,
            held_ns=self.outbox.held_ns,
            interrupted=self._interrupted,
        )


def hold_collections() -> None:
    """From here on nothing is collected but in the silences: a collection stops the hub for long."""
    gc.collect()
    gc.freeze()
    gc.disable()

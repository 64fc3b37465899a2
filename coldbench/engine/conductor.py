"""Carries out a plan: step by step, through Locust's users."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from time import monotonic_ns

import gevent
from gevent.event import Event
from gevent.queue import Queue

from coldbench.core.schedule import Kind, Plan, Step, arrivals, invocations
from coldbench.engine.origin import Origin
from coldbench.engine.outbox import Outbox
from coldbench.engine.pacing import Pacer
from coldbench.engine.user import Job

# A closed-loop user that got no response waits this long: it must not hammer a target that is down.
_AFTER_ERROR_S = 0.1
_OPEN_AHEAD_NS = 10_000_000_000
_LOOK_S = 0.002


class Conductor:
    """Runs one plan over its origins. `stop` ends it in order, at the next arrival."""

    def __init__(self, plan: Plan, origins: Sequence[Origin], outbox: Outbox, jobs: Queue[Job]) -> None:
        self._plan = plan
        self._origins = origins
        self._outbox = outbox
        self._jobs = jobs
        self.stop = Event()
        self.pacer = Pacer(self.stop)
        self.phase = ""
        self._seqs: Iterator[int] = count()
        self.intended = 0
        self._waiting: list[Callable[[], None]] = []

    def perform(self) -> None:
        """All steps in order. Returns when the last one has dispatched what it had to."""
        following = [*self._plan.steps[1:], None]
        for index, (step, after) in enumerate(zip(self._plan.steps, following, strict=True)):
            planned = invocations(step)
            first_seq = next(self._seqs)
            # The numbers of a step without a fixed number of invocations come as they are sent.
            self._seqs = count(first_seq + (planned or 0))
            self.intended += planned or 0
            if self.stop.is_set():
                continue
            self.phase = step.phase
            self._perform_step(step, index, first_seq)
            if step.kind is Kind.BURST or after is None or after.kind is Kind.IDLE:
                self._settle()

    def _perform_step(self, step: Step, index: int, first_seq: int) -> None:
        origins = [self._origins[target] for target in step.targets]
        match step.kind:
            case Kind.IDLE:
                self._idle(step, origins)
            case Kind.BURST:
                self._together([lambda: self._burst(step, index, first_seq, origins[0])])
            case Kind.RATE | Kind.RAMP | Kind.TRACE:
                # Before the clock of the stage begins: what random arrivals are drawn with is slow to import.
                schedules = [arrivals(step, target) for target in step.targets]
                began = monotonic_ns()
                share = (invocations(step) or 0) // len(origins)
                self._together(
                    [
                        self._stream(
                            step, index, began, origin, enumerate(schedule, first_seq + place * share)
                        )
                        for place, (origin, schedule) in enumerate(zip(origins, schedules, strict=True))
                    ]
                )
            case Kind.USERS:
                until = monotonic_ns() + step.duration_ns
                self._together(
                    [self._loop(step, index, origin, until) for origin in origins for _ in range(step.users)]
                )
                self.pacer.until(until)  # they may all be thinking beyond it

    def _idle(self, step: Step, origins: Sequence[Origin]) -> None:
        # An open connection can keep a scale-to-zero proxy awake.
        for origin in origins:
            origin.close_idle()
        gc.collect()
        self.pacer.until(monotonic_ns() + step.duration_ns)

    def _burst(self, step: Step, index: int, first_seq: int, origin: Origin) -> None:
        if not origin.target.fresh_connections:
            origin.open_ahead(step.size, _OPEN_AHEAD_NS)
        if self.stop.is_set():
            return
        intended = monotonic_ns()
        for seq in range(first_seq, first_seq + step.size):
            origin.invoke(seq, index, intended)

    def _stream(
        self, step: Step, index: int, began: int, origin: Origin, schedule: Iterable[tuple[int, int]]
    ) -> Job:
        def stream() -> None:
            for seq, offset in schedule:
                if not self.pacer.until(began + offset):
                    return
                origin.invoke(seq, index, began + offset)
            self.pacer.until(began + step.duration_ns)

        return stream

    def _loop(self, step: Step, index: int, origin: Origin, until: int) -> Job:
        """A closed-loop user: the next invocation follows the end of the one before."""

        def loop() -> None:
            ended = Event()
            pause_s = step.think_ns / 1e9

            def following() -> None:
                failed = origin.last_error is not None
                wait_s = max(pause_s, _AFTER_ERROR_S) if failed else pause_s
                if monotonic_ns() + wait_s * 1e9 >= until:
                    ended.set()
                elif wait_s:
                    gevent.get_hub().loop.timer(wait_s).start(invoke)
                else:
                    self._soon(invoke)

            def invoke() -> None:
                now = monotonic_ns()
                if now >= until or self.stop.is_set():
                    ended.set()
                    return
                self.intended += 1
                origin.invoke(next(self._seqs), index, now, following)

            invoke()
            # A stop does not wait for the answer: the end barrier does, up to its deadline.
            gevent.wait([ended, self.stop], count=1)

        return loop

    def _soon(self, invoke: Callable[[], None]) -> None:
        """Invoke when every answer that is at hand has been read.

        Requests that leave together wake the server once; between reads each would wake it again.
        """
        self._waiting.append(invoke)
        if len(self._waiting) == 1:
            gevent.get_hub().loop.run_callback(self._invoke_waiting)

    def _invoke_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for invoke in waiting:
            invoke()

    def _together(self, jobs: Sequence[Job]) -> None:
        """Hand the jobs to Locust's users and wait until each is done."""
        left = len(jobs)
        all_done = Event()

        def counted(job: Job) -> Job:
            def run() -> None:
                nonlocal left
                try:
                    job()
                finally:
                    left -= 1
                    if not left:
                        all_done.set()

            return run

        for job in jobs:
            self._jobs.put(counted(job))
        all_done.wait()

    def _settle(self) -> None:
        """Wait until nothing is in flight, or the run is stopped."""
        while self._outbox.in_flight and not self.stop.is_set():
            gevent.sleep(_LOOK_S)

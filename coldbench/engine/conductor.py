"""Carries out a plan, or one worker's share of it: step by step, through Locust's users."""

import gc
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, count, islice
from time import monotonic_ns

import gevent
from gevent.event import Event
from gevent.queue import Queue

from coldbench.core.schedule import Kind, Plan, Step, arrivals, invocations
from coldbench.core.share import Share
from coldbench.engine.origin import Origin
from coldbench.engine.outbox import Outbox
from coldbench.engine.pacing import Pacer
from coldbench.engine.user import Job

# A closed-loop user that got no response waits this long: it must not hammer a target that is down.
_AFTER_ERROR_S = 0.1
_OPEN_AHEAD_NS = 10_000_000_000
_LOOK_S = 0.002
_NEVER_NS = 1 << 63  # later than all that is planned
_MOST_IN_TURN = 64  # so many late arrivals leave before the hub has a turn
_OPEN_MODEL = (Kind.RATE, Kind.RAMP, Kind.TRACE)

# Number in the plan, and offset from the step's start in ns, of each arrival that is this worker's own.
Own = Iterator[tuple[int, int]]
# When the step of this index begins, monotonic ns; blocks until that is known.
Gate = Callable[[int], int]


def at_once(step: int) -> int:
    """The gate of an engine that has nobody to wait for."""
    return monotonic_ns()


class Conductor:
    """Runs its share of one plan over its origins. `stop` ends it in order, at the next arrival.

    A planned invocation's number is its place in the whole plan. Those of users come as they are sent,
    beyond all planned ones.
    """

    def __init__(
        self, plan: Plan, origins: Sequence[Origin], outbox: Outbox, jobs: Queue[Job], share: Share
    ) -> None:
        self._plan = plan
        self._origins = origins
        self._outbox = outbox
        self._jobs = jobs
        self._share = share
        self.stop = Event()
        self.pacer = Pacer(self.stop)
        self.gate: Gate = at_once
        self.before_round: Callable[[], None] | None = None  # may block
        self.phase = ""
        *self._first_seqs, planned = accumulate((invocations(step) or 0 for step in plan.steps), initial=0)
        self._user_seqs: Iterator[int] = count(planned + share.rank, share.of)
        self.intended = sum(share.planned(step) for step in plan.steps)
        self._waiting: list[Callable[[int], None]] = []  # each takes the instant; users hold on to this list
        self._holding = False

    def perform(self) -> None:
        """All steps in order. Returns when the last one has dispatched what it had to."""
        ends_ns, round_number = None, -1
        following = [*self._plan.steps[1:], None]
        for index, (step, after) in enumerate(zip(self._plan.steps, following, strict=True)):
            if step.round != round_number:
                round_number = step.round
                if self.before_round is not None:
                    self._make_ready(step, self.before_round)
                    ends_ns = None
            if self.stop.is_set():
                return
            own = self._prepare(step, index)
            # One open load goes over into the next without a seam.
            seamless = ends_ns is not None and step.kind in _OPEN_MODEL
            began = ends_ns if seamless and ends_ns is not None else self.gate(index)
            self.phase = step.phase
            self._perform_step(step, index, began, own)
            ends_ns = began + step.duration_ns if step.kind in _OPEN_MODEL else None
            if step.kind is Kind.BURST or after is None or after.kind is Kind.IDLE:
                self._settle()

    def _make_ready(self, step: Step, ready: Callable[[], None]) -> None:
        """Silence, in which the targets are made cold."""
        self._settle()
        for origin in self._origins:
            origin.close_idle()
        self.phase = f"{step.phase.partition(':')[0]}:prepare"
        ready()

    def _prepare(self, step: Step, index: int) -> list[Own]:
        """What must not cost time once the step has begun; its own arrivals at each target."""
        origin = self._origins[step.targets[0]]
        if step.kind is Kind.BURST and not origin.target.fresh_connections:
            origin.open_ahead(self._share.part(step.size), _OPEN_AHEAD_NS)
        return [self._own(step, index, place) for place in range(len(step.targets))]

    def _own(self, step: Step, index: int, place: int) -> Own:
        each = (invocations(step) or 0) // len(step.targets)
        first_seq = self._first_seqs[index] + place * each
        everybodys = enumerate(arrivals(step, step.targets[place], self._plan.recordings), first_seq)
        return islice(everybodys, self._share.rank, None, self._share.of)

    def _perform_step(self, step: Step, index: int, began: int, own: Sequence[Own]) -> None:
        origins = [self._origins[target] for target in step.targets]
        until = began + step.duration_ns
        match step.kind:
            case Kind.IDLE:
                self._idle(origins, until)
            case Kind.BURST:
                self._together([lambda: self._burst(index, began, origins[0], own[0])])
            case Kind.RATE | Kind.RAMP | Kind.TRACE:
                self._together(
                    [
                        self._stream(index, began, until, origin, its)
                        for origin, its in zip(origins, own, strict=True)
                    ]
                )
            case Kind.USERS:
                users = range(self._share.part(step.users))
                if self.pacer.until(began):
                    loops = [self._loop(step, index, origin, until) for origin in origins for _ in users]
                    self._together(loops)
                self.pacer.until(until)

    def _idle(self, origins: Sequence[Origin], until: int) -> None:
        # An open connection can keep a scale-to-zero proxy awake.
        for origin in origins:
            origin.close_idle()
        gc.collect()
        self.pacer.until(until)

    def _burst(self, index: int, began: int, origin: Origin, own: Own) -> None:
        if not self.pacer.until(began) or not self._may_go_on():
            return
        for seq, _ in own:
            origin.invoke(seq, index, began)

    def _stream(self, index: int, began: int, until: int, origin: Origin, own: Own) -> Job:
        def stream() -> None:
            for number, (seq, offset) in enumerate(own):
                if not self.pacer.until(began + offset) or not self._may_go_on():
                    return
                if not number % _MOST_IN_TURN:
                    gevent.sleep(0)  # those that are late do not wait for anything else
                origin.invoke(seq, index, began + offset)
            self.pacer.until(until)

        return stream

    def _loop(self, step: Step, index: int, origin: Origin, until: int) -> Job:
        """A closed-loop user: the next invocation follows the end of the one before."""

        def loop() -> None:
            ended, waiting = Event(), self._waiting
            think_s = step.think_ns / 1e9
            after_error_s = max(think_s, _AFTER_ERROR_S)

            def following() -> None:
                wait_s = think_s if origin.last_error is None else after_error_s
                if not wait_s:
                    if not waiting:
                        gevent.get_hub().loop.run_callback(self._invoke_waiting)
                    waiting.append(invoke)
                elif monotonic_ns() + wait_s * 1e9 < until:
                    gevent.get_hub().loop.timer(wait_s).start(rested)
                else:
                    ended.set()

            def rested() -> None:
                waiting.append(invoke)
                self._invoke_waiting()

            def invoke(now: int) -> None:
                if now >= until:
                    ended.set()
                    return
                self.intended += 1
                origin.invoke(next(self._user_seqs), index, None, following)

            rested()
            # A stop does not wait for the answer: the end barrier does, up to its deadline.
            gevent.wait([ended, self.stop], count=1)

        return loop

    def _invoke_waiting(self) -> None:
        """Every answer that was at hand has been read, and these users go on.

        Requests that leave together wake the server once; between reads each would wake it again.
        """
        if self._outbox.behind and not self.stop.is_set():
            if not self._holding:
                self._holding = True
                gevent.spawn(self._invoke_after_hold)
            return
        now = _NEVER_NS if self.stop.is_set() else monotonic_ns()
        waiting = self._waiting.copy()
        self._waiting.clear()
        for invoke in waiting:
            invoke(now)
        self._outbox.frame_many()  # the answers that were read, while the targets are at work

    def _invoke_after_hold(self) -> None:
        """For all who wait."""
        self._may_go_on()
        self._holding = False
        self._invoke_waiting()

    def _may_go_on(self) -> bool:
        """Late rather than lost: not before the writer has come near. False when the run is stopped."""
        if self._outbox.behind:
            self._outbox.hold(self.stop.is_set)
        return not self.stop.is_set()

    def _together(self, jobs: Sequence[Job]) -> None:
        """Hand the jobs to Locust's users and wait until each is done."""
        left = len(jobs)
        all_done = Event()
        if not jobs:
            return

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

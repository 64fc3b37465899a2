"""A user's own Locust file as a run's load, on Locust's local runner (docs/locustfile.md)."""

import time
from collections import Counter
from typing import Any

import gevent
import locust
from gevent.event import Event
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from coldbench.core.errors import UsageError
from coldbench.core.messages import Finished, Order, Pulse, Started, frame
from coldbench.engine.clients import watch_clients
from coldbench.engine.drive import INTERRUPTED_DRAIN_NS, PULSE_TICKS, TICK_S
from coldbench.engine.exchange import Exchanges
from coldbench.engine.inbox import Inbox
from coldbench.engine.outbox import Outbox, Pipe
from coldbench.engine.pacing import Pacer
from coldbench.engine.watch import Watch

_MOST_FAILURES = 20  # kinds of them that are told apart


class LocustFile:
    """Users of the file for the plan's one step; then what they have under way may end."""

    def __init__(self, order: Order, facts: Pipe) -> None:
        self._order = order
        self._step = order.plan.steps[0]
        self.outbox = Outbox(facts, worker=0)
        self._exchanges = Exchanges(order.targets, order.run_id, self.outbox)
        watch_clients(self._exchanges)
        assert order.locustfile is not None
        self._runner = _environment(order.locustfile, order.targets[0].endpoint).create_local_runner()
        self._failures: Counter[str] = Counter()
        self._stop = Event()
        self._ended = Event()
        self._abort = Event()
        self._watch = Watch(Pacer(self._stop))
        self._events: Any = self._runner.environment.events
        # Locust's hooks take their listeners without types.
        self._events.user_error.add_listener(self._failed)  # type: ignore[no-untyped-call]
        # A file may end the run itself: `environment.runner.quit()`.
        self._events.test_stop.add_listener(self._over)  # type: ignore[no-untyped-call]

    def stop(self) -> None:
        """End in order: users finish their tasks."""
        self._stop.set()

    def give_up(self) -> None:
        """End at once."""
        self._abort.set()
        self._stop.set()

    def perform(self, zero_ns: int) -> None:
        """Run the users for the step's duration, then let them finish what they are at."""
        self.outbox.zero_ns = zero_ns
        self._events.init.fire(environment=self._runner.environment, runner=self._runner, web_ui=None)
        self._runner.start(self._step.users, spawn_rate=self._step.users)
        gevent.wait([self._stop, self._ended], timeout=self._step.duration_ns / 1e9, count=1)
        drain_ns = INTERRUPTED_DRAIN_NS if self._stop.is_set() else self._order.drain_ns
        self._runner.environment.stop_timeout = drain_ns / 1e9
        gevent.wait([gevent.spawn(self._runner.quit), self._abort], count=1)
        self._exchanges.abandon_all()
        self._events.quitting.fire(environment=self._runner.environment, reverse=True)
        self._events.quit.fire(exit_code=0)

    def finished(self) -> Finished:
        """What is left to say, after `perform`."""
        return Finished(
            intended=self.outbox.dispatched,
            connections_opened=self.outbox.connections_opened,
            cpu_pct_max=self._watch.cpu_pct_max,
            held_ns=self.outbox.held_ns,
            interrupted=self._stop.is_set(),
            elsewhere=self._exchanges.elsewhere,
            task_failures=dict(self._failures),
        )

    def tick(self, to_cli: Pipe) -> None:
        """Greenlet: facts on their way, a pulse for the live view."""
        ticks = 0
        while True:
            gevent.sleep(TICK_S)
            self._watch.look()
            self.outbox.flush()
            if self.outbox.reader_gone:
                self.give_up()
            ticks += 1
            if ticks % PULSE_TICKS == 0 and self.outbox.zero_ns and to_cli.idle:
                to_cli.write(frame(self._pulse()))

    def _pulse(self) -> Pulse:
        return Pulse(
            phase=self._step.phase,
            now_ns=time.monotonic_ns() - self.outbox.zero_ns,
            intended=self.outbox.dispatched,
            dispatched=self.outbox.dispatched,
            completed=self.outbox.completed,
            errors=self.outbox.errors,
            in_flight=self.outbox.in_flight,
        )

    def _over(self, **_: object) -> None:
        self._ended.set()

    def _failed(self, exception: BaseException, **_: object) -> None:
        words = f"{type(exception).__name__}: {exception}"
        if words in self._failures or len(self._failures) < _MOST_FAILURES:
            self._failures[words] += 1


def run(order: Order, from_cli: Inbox, to_cli: Pipe, facts: Pipe) -> None:
    """Carry the order out to its end. Raises UsageError for a file that cannot be loaded."""
    del gevent.get_hub().handle_error  # a user's own greenlets may fail as they like
    load = LocustFile(order, facts)
    gevent.spawn(from_cli.listen, load.stop, load.give_up)
    ticking = gevent.spawn(load.tick, to_cli)
    zero_ns = time.monotonic_ns()
    to_cli.write(frame(Started(zero_monotonic_ns=zero_ns, zero_epoch_ns=time.time_ns())))
    load.perform(zero_ns)
    ticking.kill()
    load.outbox.drain()
    to_cli.write(frame(load.finished()))


def _environment(file: str, host: str) -> Environment:
    """Locust's own, of the file's users, with the events that the file's listeners listen to."""
    try:
        users, shapes = load_locustfile(file)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # it is the user's code: anything may come
        raise UsageError(f"{type(error).__name__}: {error}", place=_place(file, error)) from None
    if shapes:
        hint = "say the load with --set users=... and --set duration=..., and leave the shape out"
        raise UsageError("its LoadTestShape would not be followed", place=file, hint=hint)
    if not users:
        raise UsageError(
            "no user class in it", place=file, hint="a class of HttpUser or FastHttpUser with a @task"
        )
    return Environment(user_classes=list(users.values()), events=locust.events, host=host.rstrip("/"))


def _place(file: str, error: BaseException) -> str:
    """The file, and the line in it that was being carried out."""
    line = getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return file if line is None else f"{file}:{line}"

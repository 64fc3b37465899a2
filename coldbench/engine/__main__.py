"""`python -m coldbench.engine FACTS_FD`: one run's load, as a process of its own.

Standard input brings the order, then perhaps a stop; its end means that the CLI is gone. Standard output
takes messages for the CLI, the descriptor FACTS_FD the facts for the writer (`core.messages`).
"""

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence

import gevent
import gevent.event
import gevent.os
import msgspec
from gevent.queue import Queue
from locust.env import Environment

from coldbench.core.errors import ColdbenchError
from coldbench.core.messages import Failed, Finished, FrameReader, Order, Pulse, Started, Stop, frame
from coldbench.core.schedule import Kind, Plan
from coldbench.engine.conductor import Conductor
from coldbench.engine.origin import Origin
from coldbench.engine.outbox import Outbox, Pipe
from coldbench.engine.user import Invoker
from coldbench.engine.watch import Watch
from coldbench.runs.process import raise_descriptor_limit

_REACH_NS = 10_000_000_000
_TICK_S = 0.02
_PULSE_TICKS = 12  # about four a second
_INTERRUPTED_DRAIN_NS = 2_000_000_000


def main() -> int:
    """Run the order on standard input to its end."""
    # A terminal's Ctrl-C is for the CLI, which says what it means for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("locust").setLevel(logging.WARNING)
    to_cli = Pipe(_claim_stdout())
    facts = Pipe(int(sys.argv[1]))
    from_cli = Inbox()
    try:
        order = from_cli.order()
        if order is None:
            return 1
        _run(order, from_cli, to_cli, facts)
    except ColdbenchError as error:
        to_cli.write(frame(Failed(message=error.message, hint=error.hint)))
        return 1
    finally:
        while not to_cli.idle:
            gevent.sleep(_TICK_S)
    return 0


class Inbox:
    """What the CLI says, read as it comes."""

    def __init__(self) -> None:
        self._reader = FrameReader()
        self._waiting: list[bytes] = []

    def order(self) -> Order | None:
        """Wait for the order; None when the CLI is gone before it."""
        while not self._waiting:
            if not self._receive():
                return None
        return msgspec.msgpack.decode(self._waiting.pop(0), type=Order)

    def listen(self, conductor: Conductor, abort: gevent.event.Event) -> None:
        """Greenlet: a stop ends the run in order; the end of input ends it at once."""
        # A stop may have come with the order.
        while self._waiting or self._receive():
            for payload in self._waiting:
                msgspec.msgpack.decode(payload, type=Stop)
                conductor.stop.set()
            self._waiting.clear()
        abort.set()
        conductor.stop.set()

    def _receive(self) -> bool:
        data = gevent.os.tp_read(0, 65536)
        self._waiting.extend(self._reader.feed(data))
        return bool(data)


def _run(order: Order, from_cli: Inbox, to_cli: Pipe, facts: Pipe) -> None:
    raise_descriptor_limit()
    outbox = Outbox(facts)
    origins = [Origin(target, index, order.run_id, outbox) for index, target in enumerate(order.targets)]
    jobs: Queue[object] = Queue()
    Invoker.jobs = jobs
    environment = Environment(user_classes=[Invoker], catch_exceptions=False)
    runner = environment.create_local_runner()
    conductor = Conductor(order.plan, origins, outbox, jobs)
    watch = Watch(conductor.pacer)
    abort = gevent.event.Event()
    gevent.get_hub().handle_error = _fatal(to_cli)  # a fault in a callback must not pass for a timeout

    gevent.spawn(from_cli.listen, conductor, abort)
    ticking = gevent.spawn(_tick, conductor, origins, outbox, watch, to_cli, abort)
    gevent.joinall([gevent.spawn(origin.reach, _REACH_NS) for origin in origins])
    users = _users_needed(order.plan)
    runner.start(users, spawn_rate=users)
    # From here on nothing is collected but in the silences: a collection stops the hub for long.
    gc.collect()
    gc.freeze()
    gc.disable()

    outbox.zero_ns = time.monotonic_ns()
    to_cli.write(
        frame(
            Started(
                zero_monotonic_ns=outbox.zero_ns,
                zero_epoch_ns=time.time_ns(),
                unreachable={o.target.name: o.unreachable.value for o in origins if o.unreachable},
            )
        )
    )
    if all(origin.unreachable for origin in origins):
        conductor.stop.set()
    conductor.perform()
    interrupted = conductor.stop.is_set()
    _end_barrier(outbox, abort, _INTERRUPTED_DRAIN_NS if interrupted else order.drain_ns)
    for origin in origins:
        origin.abandon()
    ticking.kill()
    runner.quit()
    outbox.drain()
    to_cli.write(
        frame(
            Finished(
                intended=conductor.intended,
                connections_opened=outbox.connections_opened,
                cpu_pct_max=watch.cpu_pct_max,
                interrupted=interrupted,
            )
        )
    )


def _end_barrier(outbox: Outbox, abort: gevent.event.Event, drain_ns: int) -> None:
    """Wait for what is in flight, up to a deadline: the slow ones are exactly the cold ones."""
    deadline = time.monotonic_ns() + drain_ns
    while outbox.in_flight and time.monotonic_ns() < deadline and not abort.is_set():
        gevent.sleep(_TICK_S)


def _tick(
    conductor: Conductor,
    origins: Sequence[Origin],
    outbox: Outbox,
    watch: Watch,
    to_cli: Pipe,
    abort: gevent.event.Event,
) -> None:
    """Deadlines, facts on their way, a pulse for the live view."""
    ticks = 0
    while True:
        gevent.sleep(_TICK_S)
        watch.look()
        for origin in origins:
            origin.expire(time.monotonic_ns())
            if conductor.stop.is_set():
                origin.give_up_opening()
        outbox.flush()
        if outbox.reader_gone:
            abort.set()
            conductor.stop.set()
        ticks += 1
        if ticks % _PULSE_TICKS == 0 and to_cli.idle and outbox.zero_ns:
            to_cli.write(
                frame(
                    Pulse(
                        phase=conductor.phase,
                        now_ns=time.monotonic_ns() - outbox.zero_ns,
                        dispatched=outbox.dispatched,
                        completed=outbox.completed,
                        errors=outbox.errors,
                        in_flight=outbox.in_flight,
                    )
                )
            )


def _users_needed(plan: Plan) -> int:
    """How many jobs go at the same time at most."""
    needed = 1
    for step in plan.steps:
        if step.kind is Kind.USERS:
            needed = max(needed, step.users * len(step.targets))
        elif step.kind in (Kind.RATE, Kind.RAMP, Kind.TRACE):
            needed = max(needed, len(step.targets))
    return needed


def _claim_stdout() -> int:
    """Keep standard output for messages; whatever else prints goes to standard error."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return kept


def _fatal(to_cli: Pipe):  # type: ignore[no-untyped-def]
    def handle(context: object, kind: type[BaseException], value: BaseException, trace: object) -> None:
        if issubclass(kind, (gevent.GreenletExit, SystemExit)):
            return
        sys.excepthook(kind, value, trace)  # type: ignore[arg-type]
        to_cli.write(frame(Failed(message=f"the engine failed: {kind.__name__}: {value}")))
        to_cli.flush()
        os._exit(1)

    return handle


if __name__ == "__main__":
    sys.exit(main())

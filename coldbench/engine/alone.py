"""A run's whole load from one process, on Locust's local runner."""

import time

import gevent
from gevent.event import Event
from locust.env import Environment

from coldbench.core.messages import Order, Pulse, Started, Waiting, frame
from coldbench.core.share import Share
from coldbench.engine.drive import Drive, hold_collections
from coldbench.engine.inbox import Inbox
from coldbench.engine.locust_stats import LocustStats
from coldbench.engine.outbox import Pipe
from coldbench.engine.user import Invoker


def run(order: Order, from_cli: Inbox, to_cli: Pipe, facts: Pipe) -> None:
    """Carry the order out to its end."""
    drive = Drive(order, Share(), facts)
    runner = Environment(user_classes=[Invoker], catch_exceptions=False).create_local_runner()
    drive.outbox.observer = LocustStats(runner.stats, order.targets)

    def tell(pulse: Pulse | None) -> None:
        if pulse is not None and to_cli.idle:
            to_cli.write(frame(pulse))

    go = Event()

    def wait_for_go() -> None:
        go.clear()
        to_cli.write(frame(Waiting()))
        gevent.wait([go, drive.conductor.stop], count=1)

    if order.prepare:
        drive.conductor.before_round = wait_for_go
    gevent.spawn(from_cli.listen, drive.stop, drive.give_up, go.set)
    ticking = gevent.spawn(drive.tick, tell)
    unreachable = drive.reach()
    runner.start(drive.users, spawn_rate=drive.users)
    hold_collections()
    zero_ns = time.monotonic_ns()
    to_cli.write(
        frame(Started(zero_monotonic_ns=zero_ns, zero_epoch_ns=time.time_ns(), unreachable=unreachable))
    )
    if len(unreachable) == len(order.targets):
        drive.stop()
    drive.perform(zero_ns)
    drive.drain()
    ticking.kill()
    runner.quit()
    to_cli.write(frame(drive.finished()))

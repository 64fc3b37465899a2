"""A worker's part of a run that a master leads, on Locust's worker runner."""

import os
import socket
from time import monotonic_ns
from typing import Any, TypeVar

import gevent
import locust.runners
import msgspec
from gevent.event import AsyncResult, Event
from locust.env import Environment

from coldbench import __version__
from coldbench.core.crew import (
    AtGate,
    Beat,
    Begin,
    Claim,
    Dismissed,
    Done,
    Duty,
    FromWorker,
    Halt,
    Hello,
    Join,
    Offer,
    Open,
    Ping,
    Pong,
    Reached,
    Refused,
    Taken,
    decode_from_master,
    new_nonce,
    proof,
    proves,
)
from coldbench.core.errors import ColdbenchError
from coldbench.core.messages import Joined, Order, Pulse, frame
from coldbench.core.share import Share
from coldbench.engine.drive import Drive, hold_collections
from coldbench.engine.inbox import Inbox
from coldbench.engine.locust_stats import LocustStats
from coldbench.engine.outbox import Pipe
from coldbench.engine.shipment import Shipment
from coldbench.engine.user import Invoker

MESSAGE = "coldbench"  # of Locust's own messages, the type that ours travel in
_JOIN_S = 60.0
# A master that has said nothing for so long is gone; it answers every beat.
_GONE_NS = 10_000_000_000
_LAST_WORDS_S = 30.0
_AGAIN_S = 1.0

T = TypeVar("T")


def run(join: Join, from_cli: Inbox, to_cli: Pipe) -> None:
    """Join the master, do the duty it gives, ship the facts. Raises ColdbenchError when it cannot."""
    here, drive = gevent.getcurrent(), None

    def stop() -> None:
        if drive is None:
            gevent.kill(here, ColdbenchError("it was ended before it had a share"))
        else:
            drive.stop()

    def gone() -> None:
        stop()
        if drive is not None:
            drive.give_up()
            talk.unattended = True

    gevent.spawn(from_cli.listen, stop, gone)
    # Locust would try for five minutes, and then leave with an exit of its own.
    locust.runners.CONNECT_RETRY_COUNT = round(_JOIN_S / locust.runners.CONNECT_TIMEOUT)
    environment = Environment(user_classes=[Invoker], catch_exceptions=False)
    try:
        runner = environment.create_worker_runner(join.host, join.port)
    except SystemExit as error:
        raise ColdbenchError(
            f"no master answered within {_JOIN_S:.0f} s", place=f"{join.host}:{join.port}"
        ) from error
    talk = Talk(runner, join.token)
    runner.register_message(MESSAGE, talk.heard)
    duty = talk.enlist()
    order = msgspec.msgpack.decode(duty.order, type=Order)
    drive = Drive(order, Share(rank=duty.rank, of=duty.of), talk.shipment)
    drive.outbox.observer = LocustStats(runner.stats, order.targets)
    talk.serve(drive)
    to_cli.write(frame(Joined(rank=duty.rank, of=duty.of)))

    ticking = gevent.spawn(drive.tick, talk.beat)
    talk.send(Reached(unreachable=drive.reach()))
    runner.start_worker({Invoker.__name__: drive.users})
    hold_collections()
    zero_ns = talk.wait_for(talk.begun)
    if zero_ns is not None:
        drive.perform(zero_ns)
    drive.outbox.flush()
    talk.see_off(Done(batches=talk.shipment.batches, finished=drive.finished()))
    ticking.kill()
    to_cli.write(frame(drive.finished()))
    if talk.lost_master:
        raise ColdbenchError("the master is gone", place=f"{join.host}:{join.port}")


class Talk:
    """The worker's end of the conversation."""

    def __init__(self, runner: Any, token: bytes) -> None:
        self._runner = runner  # Locust's has no types
        self._token = token
        self._nonce = new_nonce()
        self._duty: AsyncResult[Duty | Refused] = AsyncResult()
        self._opened: dict[int, AsyncResult[int]] = {}
        self._master_nonce = b""
        self._heard_ns = monotonic_ns()
        self.shipment = Shipment(self.send)
        self.begun: AsyncResult[int] = AsyncResult()
        self.released = Event()
        self.lost_master = False
        self.unattended = False  # the command that started this worker is gone
        self._halted = False
        self._drive: Drive | None = None

    def send(self, message: FromWorker) -> None:
        """To the master."""
        self._runner.send_message(MESSAGE, msgspec.msgpack.encode(message))

    def enlist(self) -> Duty:
        """Say hello until there is a duty. Raises ColdbenchError when the master refuses, or is none."""
        name = f"{socket.gethostname()}:{os.getpid()}"
        self.send(Hello(nonce=self._nonce, name=name, version=__version__))
        try:
            duty: Duty | Refused = self._duty.get(timeout=_JOIN_S)
        except gevent.Timeout as error:
            raise ColdbenchError("the master gave no duty", hint="does it run `coldbench run`?") from error
        if isinstance(duty, Refused):
            raise ColdbenchError(f"the master refused: {duty.why}")
        return duty

    def heard(self, environment: Environment, msg: Any, **_: object) -> None:
        """Locust's listener: one message of the master's."""
        self._heard_ns = monotonic_ns()
        message = decode_from_master(msg.data)
        match message:
            case Offer(nonce=nonce, proof=given):
                if not proves(given, proof(self._token, "master", self._nonce, nonce)):
                    self._duty.set(Refused(why="it does not hold the same token"))
                    return
                self._master_nonce = nonce
                self.send(Claim(proof=proof(self._token, "worker", self._nonce, nonce)))
            case Duty(order=order, proof=given):
                covered = order + bytes((message.rank, message.of))
                if proves(given, proof(self._token, "order", self._nonce, self._master_nonce, covered)):
                    self._duty.set(message)
            case Refused():
                self._duty.set(message)
            case Ping(sent_ns=sent_ns):
                self.send(Pong(sent_ns=sent_ns, at_ns=monotonic_ns()))
            case Begin(zero_ns=zero_ns):
                self.begun.set(zero_ns)
            case Open(step=step, at_ns=at_ns):
                self._opening(step).set(at_ns)
            case Taken(next=number):
                self.shipment.taken(number)
            case Halt(at_once=at_once):
                self._halted = True
                if self._drive is not None:
                    self._drive.give_up() if at_once else self._drive.stop()
            case Dismissed():
                self.released.set()

    def serve(self, drive: Drive) -> None:
        """Each step of `drive` begins when the master says, on all workers together."""
        self._drive = drive
        drive.conductor.gate = self._gate
        if self._halted:
            drive.stop()

    def _gate(self, step: int) -> int:
        self.send(AtGate(step=step))
        return self.wait_for(self._opening(step)) or monotonic_ns()

    def wait_for(self, result: "AsyncResult[T]") -> T | None:
        """The result; None when the run was stopped before there was one."""
        assert self._drive is not None
        gevent.wait([result, self._drive.conductor.stop], count=1)
        return result.get() if result.ready() else None

    def beat(self, pulse: Pulse | None) -> None:
        """Called some times a second."""
        self.shipment.look()
        self.send(Beat(pulse=pulse))
        if monotonic_ns() - self._heard_ns > _GONE_NS and self._drive is not None:
            self.lost_master = self.shipment.broken = True
            self.released.set()
            self._drive.give_up()

    def see_off(self, done: Done) -> None:
        """Say that this share is done, until the master lets go: as long as it has to take what was measured
        here, and then for a while.
        """
        said = 0  # since the master has had everything
        while not self.released.is_set():
            self.send(done)
            self.released.wait(_AGAIN_S)
            if self.shipment.idle:
                said += 1
                if self.unattended or said * _AGAIN_S >= _LAST_WORDS_S:
                    return

    def _opening(self, step: int) -> "AsyncResult[int]":
        return self._opened.setdefault(step, AsyncResult())

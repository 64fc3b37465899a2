"""A run whose load comes from workers: enlists them, keeps them together, takes their facts.

It stands on Locust's master runner, for its connections and heartbeats; users are started by each worker
itself, so that a lost one is never made up for behind the run's back.
"""

import socket
import time
from time import monotonic_ns
from typing import Any

import gevent
import msgspec
from gevent.event import Event
from locust.env import Environment

from coldbench.core.crew import (
    AtGate,
    Beat,
    Begin,
    Clock,
    Dismissed,
    Done,
    Facts,
    FromMaster,
    Halt,
    Lead,
    Open,
    Ping,
    Pong,
    Reached,
    Taken,
    clock,
    decode_from_worker,
)
from coldbench.core.errors import ColdbenchError
from coldbench.core.messages import Finished, Joined, Listening, Pulse, Started, frame
from coldbench.engine.inbox import Inbox
from coldbench.engine.member import Member
from coldbench.engine.outbox import Pipe
from coldbench.engine.roll import Roll
from coldbench.engine.worker import MESSAGE

_JOIN_NS = 120_000_000_000
_PINGS = 8
_AGAIN_NS = 1_000_000_000  # a stop is said again until it is heard
# A worker beats four times a second; silent for so long it is lost.
_LOST_NS = 5_000_000_000
# An instant that all workers can be told before it comes.
_LEAD_NS = 50_000_000
_LOOK_S = 0.02
_PULSE_TICKS = 12


def run(lead: Lead, from_cli: Inbox, to_cli: Pipe, facts: Pipe) -> None:
    """Carry the order out to its end. Raises ColdbenchError when not enough workers come."""
    # The constructor would end the process over a port that is taken.
    _check_free(lead.host, lead.port)
    runner = Environment().create_master_runner(lead.host, lead.port)
    master = Master(lead, runner, facts)
    runner.register_message(MESSAGE, master.heard)
    gevent.spawn(from_cli.listen, master.stop.set, master.abort)
    to_cli.write(frame(Listening(host=lead.host, port=runner.server.port)))
    try:
        master.enlist_all()
        if not master.stop.is_set():
            to_cli.write(frame(Joined(rank=lead.expect, of=lead.expect)))
        unreachable = master.reach()
        zero_ns = master.begin()
        to_cli.write(
            frame(
                Started(
                    zero_monotonic_ns=zero_ns,
                    zero_epoch_ns=time.time_ns() + zero_ns - monotonic_ns(),
                    unreachable=unreachable,
                )
            )
        )
        if len(unreachable) == len(lead.order.targets):
            master.stop.set()
        master.conduct(to_cli)
        while not facts.idle:
            gevent.sleep(_LOOK_S)
        to_cli.write(frame(master.finished()))
    finally:
        master.dismiss()
        runner.quit()


class Master:
    """Keeps the workers of one run together. `stop` ends it in order."""

    def __init__(self, lead: Lead, runner: Any, facts: Pipe) -> None:
        self._lead = lead
        self._runner = runner  # Locust's has no types
        self._facts = facts
        self._roll = Roll(lead, self._send)
        self._opened = -1
        self._zero_ns = 0
        self._halted_ns = 0
        self._at_once = False
        self.stop = Event()

    def abort(self) -> None:
        """End at once: the CLI is gone, or asked for it."""
        self._at_once = True
        self._halted_ns = 0
        self.stop.set()

    # ------------------------------------------------------------------ what workers say

    def heard(self, environment: Environment, msg: Any, **_: object) -> None:
        """Locust's listener: one message of a worker's."""
        message = decode_from_worker(msg.data)
        member = self._roll.heard(msg.node_id, message)
        if member is not None:
            self._take(member, message)

    def _take(self, member: Member, message: object) -> None:
        match message:
            case Pong(sent_ns=sent_ns, at_ns=at_ns):
                member.clocks.append(clock(sent_ns, at_ns, monotonic_ns()))
            case Reached(unreachable=unreachable):
                member.reached = unreachable
            case AtGate(step=step):
                member.gate = max(member.gate, step)
            case Facts(number=number, frame=data):
                # What the writer cannot keep up with stays with the worker, which sends it again.
                if number == member.next_batch and not self._facts.behind:
                    self._facts.write(data)
                    member.next_batch += 1
                self._send(member.identity, Taken(next=member.next_batch))
            case Beat(pulse=pulse):
                if pulse is not None:
                    member.pulse, member.intended = pulse, pulse.intended
                self._send(member.identity, Taken(next=member.next_batch))
            case Done() if member.done is None:
                member.done, member.intended = message, message.finished.intended
                if message.finished.interrupted and not self.stop.is_set():
                    member.left_ns = monotonic_ns()

    def _send(self, identity: str, message: FromMaster) -> None:
        self._runner.send_message(MESSAGE, msgspec.msgpack.encode(message), client_id=identity)

    # ------------------------------------------------------------------ the run

    def enlist_all(self) -> None:
        """Wait until all workers that were asked for have their shares."""
        deadline = monotonic_ns() + _JOIN_NS
        while len(self._roll.enlisted) < self._lead.expect and not self.stop.is_set():
            if monotonic_ns() > deadline:
                raise ColdbenchError(
                    f"{len(self._roll.enlisted)} of {self._lead.expect} workers came within "
                    f"{_JOIN_NS / 1e9:.0f} s",
                    hint="start them with coldbench worker --master HOST:PORT",
                )
            gevent.sleep(_LOOK_S)

    def reach(self) -> dict[str, str]:
        """Wait until each has tried the targets; the errors of targets that none of them reached."""
        self._until(lambda member: member.reached is not None)
        tried = [member.reached for member in self._roll.alive if member.reached is not None]
        if not tried:
            return {}
        return {name: why for name, why in tried[0].items() if all(name in others for others in tried)}

    def begin(self) -> int:
        """Begin the run's clock on all workers; when it begins, on ours."""
        self._measure_clocks()
        for member in self._roll.alive:
            member.first_clock = member.clock
        self._zero_ns = monotonic_ns()
        for member in self._roll.alive:
            self._send(member.identity, Begin(zero_ns=self._zero_ns + member.clock.ahead_ns))
        return self._zero_ns

    def conduct(self, to_cli: Pipe) -> None:
        """Open the gates, follow the workers, until each has finished or is lost."""
        ticks = 0
        while not all(member.complete for member in self._roll.alive):
            gevent.sleep(_LOOK_S)
            self._look()
            ticks += 1
            if ticks % _PULSE_TICKS == 0 and to_cli.idle:
                to_cli.write(frame(self._pulse()))
        self._measure_clocks()

    def dismiss(self) -> None:
        """Let everybody go."""
        for member in self._roll.alive:
            self._send(member.identity, Dismissed())

    def finished(self) -> Finished:
        """What is left to say of the whole run."""
        ends = [member.done.finished for member in self._roll.enlisted if member.done is not None]
        busy = [end.cpu_pct_max for end in ends if end.cpu_pct_max is not None]
        return Finished(
            intended=sum(member.intended for member in self._roll.enlisted),
            held_ns=max((end.held_ns for end in ends), default=0),
            connections_opened=sum(end.connections_opened for end in ends),
            cpu_pct_max=max(busy, default=None),
            interrupted=self.stop.is_set(),
            workers=tuple(member.said(self._zero_ns) for member in self._roll.enlisted),
        )

    def _look(self) -> None:
        now = monotonic_ns()
        for member in self._roll.alive:
            if now - member.heard_ns > _LOST_NS and not member.complete:
                member.lost_ns = member.heard_ns
        if self.stop.is_set() and now - self._halted_ns > _AGAIN_NS:
            self._halted_ns = now
            for member in self._roll.alive:
                if member.done is None:
                    self._send(member.identity, Halt(at_once=self._at_once))
        step = min((member.gate for member in self._roll.alive if member.done is None), default=-1)
        if step > self._opened:
            self._opened = step
            at_ns = now + _LEAD_NS
            for member in self._roll.alive:
                self._send(member.identity, Open(step=step, at_ns=at_ns + member.clock.ahead_ns))

    def _until(self, holds: Any) -> None:
        while not all(holds(member) for member in self._roll.alive) and not self.stop.is_set():
            gevent.sleep(_LOOK_S)
            self._look()

    def _measure_clocks(self) -> None:
        """Ask each worker what time it is, some times; the quickest answer is the truest."""
        for member in self._roll.alive:
            member.clocks.clear()
        for _ in range(_PINGS):
            for member in self._roll.alive:
                self._send(member.identity, Ping(sent_ns=monotonic_ns()))
            gevent.sleep(_LOOK_S)
        deadline = monotonic_ns() + _LOST_NS
        while not all(member.clocks for member in self._roll.alive) and monotonic_ns() < deadline:
            gevent.sleep(_LOOK_S)
        for member in self._roll.alive:
            if not member.clocks:
                if not member.complete:  # else all that it measured is here, and it may have left
                    member.lost_ns = member.heard_ns
                member.clocks.append(member.first_clock or Clock(0, _LOST_NS))

    def _pulse(self) -> Pulse:
        pulses = [member.pulse for member in self._roll.enlisted if member.pulse is not None]
        return Pulse(
            phase=max(pulses, key=lambda pulse: pulse.now_ns).phase if pulses else "",
            now_ns=monotonic_ns() - self._zero_ns,
            intended=sum(pulse.intended for pulse in pulses),
            dispatched=sum(pulse.dispatched for pulse in pulses),
            completed=sum(pulse.completed for pulse in pulses),
            errors=sum(pulse.errors for pulse in pulses),
            in_flight=sum(pulse.in_flight for pulse in pulses),
        )


def _check_free(host: str, port: int) -> None:
    """Raises ColdbenchError where nobody could listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ColdbenchError(f"cannot listen: {error.strerror}", place=f"--bind {host}:{port}") from error

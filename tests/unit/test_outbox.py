"""The engine's way out: nothing is lost, nothing is torn."""

import os
import subprocess
import sys
import threading

import gevent
import pytest

from coldbench.core.crew import Facts
from coldbench.engine import outbox, shipment
from coldbench.engine.outbox import Pipe


def taker(reading: int) -> tuple[threading.Thread, list[bytes]]:
    """A thread that takes all there is, and where it puts that."""
    taken: list[bytes] = []

    def take() -> None:
        with os.fdopen(reading, "rb") as reader:
            taken.append(reader.read())

    taking = threading.Thread(target=take)
    taking.start()
    return taking, taken


def test_what_is_flushed_comes_behind_what_waits() -> None:
    reading, writing = os.pipe()
    pipe = Pipe(writing)
    waiting = bytes(range(256)) * (1 << 14)  # more than a pipe holds
    pipe.write(waiting)
    assert not pipe.idle
    taking, taken = taker(reading)
    pipe.write(b"last words")
    pipe.flush()
    assert pipe.idle
    os.close(writing)
    taking.join()
    assert taken == [waiting + b"last words"]


def test_a_reader_that_has_gone_ends_the_waiting() -> None:
    reading, writing = os.pipe()
    pipe = Pipe(writing)
    pipe.write(bytes(1 << 22))
    os.close(reading)
    pipe.flush()
    assert pipe.broken
    assert pipe.idle
    os.close(writing)


def test_a_reader_far_behind_is_told_of_and_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_PENDING_BYTES", 1 << 20)
    reading, writing = os.pipe()
    pipe = Pipe(writing)
    frames = [bytes([number]) * (1 << 20) for number in range(4)]
    pipe.write(frames[0])
    assert not pipe.behind
    for frame in frames[1:]:
        pipe.write(frame)
    assert pipe.behind
    taking, taken = taker(reading)
    while not pipe.idle:
        gevent.sleep(0.005)
    assert not pipe.behind
    os.close(writing)
    taking.join()
    assert taken == [b"".join(frames)]


def test_a_shipment_that_is_not_taken_is_told_of_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipment, "MOST_PENDING_BYTES", 1 << 20)
    sent: list[Facts] = []
    shipped = shipment.Shipment(sent.append)
    for number in range(3):
        shipped.write(bytes([number]) * (1 << 19))
    assert shipped.behind
    assert [facts.number for facts in sent] == [0, 1, 2]
    shipped.taken(2)
    assert not shipped.behind
    assert not shipped.idle
    shipped.taken(3)
    assert shipped.idle


REFUSE = """
from msgspec import msgpack
from coldbench.core.crew import Facts, Hello, Lead
from coldbench.core.messages import Order
from coldbench.core.schedule import Plan
from coldbench.engine.master import Master
from coldbench.engine.member import Member

class Pipe:
    behind, taken = True, b""
    def write(self, data):
        self.taken += data

class Runner:
    def send_message(self, kind, data, client_id):
        print(msgpack.decode(data)["next"])

order = Order(run_id="r", plan=Plan(steps=(), seed=1), targets=(), drain_ns=1)
pipe = Pipe()
master = Master(Lead(order=order, expect=1, host="", port=0), Runner(), pipe)
member = Member("w", Hello(nonce=b"", name="w", version=""))
for number, behind in ((0, True), (0, False), (1, True), (1, False)):
    pipe.behind = behind
    master._take(member, Facts(number=number, frame=b"%d" % number))
print(pipe.taken.decode())
"""


def test_a_master_takes_nothing_while_the_writer_is_far_behind() -> None:
    # In a process of its own: importing Locust changes the one that does it.
    done = subprocess.run([sys.executable, "-c", REFUSE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "1", "1", "2", "01"]

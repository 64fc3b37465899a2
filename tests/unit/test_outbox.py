"""The engine's way out: nothing is lost, nothing is torn."""

import os
import threading

from coldbench.engine.outbox import Pipe


def test_what_is_flushed_comes_behind_what_waits() -> None:
    reading, writing = os.pipe()
    pipe = Pipe(writing)
    waiting = bytes(range(256)) * (1 << 14)  # more than a pipe holds
    pipe.write(waiting)
    assert not pipe.idle
    taken: list[bytes] = []

    def take() -> None:
        with os.fdopen(reading, "rb") as reader:
            taken.append(reader.read())

    taking = threading.Thread(target=take)
    taking.start()
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

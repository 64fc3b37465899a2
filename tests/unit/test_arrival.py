"""The kernel's stamp of an arrival, on a real connection, and how it comes to the clock of the run."""

import socket
import struct
import sys
import time
from time import monotonic_ns, time_ns

import pytest

from coldbench.core.messages import Ancillary
from coldbench.engine.arrival import ANCILLARY_BYTES, WallClock, arrived_ns, stamp_arrivals

MS = 1_000_000


def stamp(age_ns: int) -> Ancillary:
    return [(socket.SOL_SOCKET, 35, struct.pack("@ll", *divmod(time_ns() - age_ns, 1_000_000_000)))]


@pytest.mark.skipif(sys.platform != "linux", reason="the stamps are Linux's")
def test_what_is_read_late_had_arrived_before() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
        with near, far:
            stamp_arrivals(near)
            for _ in range(50):  # the kernel begins to stamp a little after the first one has asked
                began = monotonic_ns()
                far.send(b"x")
                time.sleep(0.02)  # the reader is late
                read_at = monotonic_ns()
                _, stamps, _, _ = near.recvmsg(1, ANCILLARY_BYTES)
                if stamps:
                    break
            arrived = arrived_ns(stamps, monotonic_ns(), *WallClock().look())
            assert began - MS <= arrived <= read_at - 10 * MS


def test_without_a_stamp_it_is_the_time_of_the_read() -> None:
    assert arrived_ns([], 7, 5, 0) == 7


@pytest.mark.parametrize("age_ns", [-5_000 * MS, 3_600_000 * MS])
@pytest.mark.promise("the wall clock is stepped", "arrivals keep the run's own clock")
def test_a_stamp_from_before_the_clock_was_set_is_not_believed(age_ns: int) -> None:
    read_at = monotonic_ns()
    assert arrived_ns(stamp(age_ns), read_at, *WallClock().look()) == read_at


def test_a_stamp_is_carried_to_the_clock_of_the_run() -> None:
    before = monotonic_ns()
    at = arrived_ns(stamp(200 * MS), monotonic_ns(), *WallClock().look())
    assert before - 201 * MS <= at <= monotonic_ns() - 199 * MS


@pytest.mark.parametrize("stepped_ms", [300, -300, 1])
def test_stamps_are_not_believed_while_the_wall_clock_is_set(
    monkeypatch: pytest.MonkeyPatch, stepped_ms: int
) -> None:
    """They are of two clocks then, and by a step of less than a second they look possible."""
    wall_clock, old = WallClock(), stamp(0)
    monkeypatch.setattr("coldbench.engine.arrival.time_ns", lambda: time_ns() + stepped_ms * MS)
    read_at = monotonic_ns()
    assert arrived_ns(old, read_at, *wall_clock.look()) == read_at
    ahead_ns, since_ns = wall_clock.look()  # what has happened since
    assert read_at < since_ns < monotonic_ns()
    assert arrived_ns(old, read_at, ahead_ns, since_ns) == read_at
    new, later = stamp((200 - stepped_ms) * MS), read_at + 2_000 * MS
    later_ns = arrived_ns(new, later, ahead_ns - 2_000 * MS, since_ns)
    assert abs(later_ns - (later - 200 * MS)) < 50 * MS

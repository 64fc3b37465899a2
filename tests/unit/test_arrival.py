"""The kernel's stamp of an arrival, on a real connection."""

import socket
import struct
import sys
import time
from time import monotonic_ns, time_ns

import pytest

from coldbench.engine.arrival import ANCILLARY_BYTES, Arrivals, stamp_arrivals

MS = 1_000_000


def stamp(age_ns: int) -> list[tuple[int, int, bytes]]:
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
            assert began - MS <= Arrivals().instant(stamps) <= read_at - 10 * MS


def test_without_a_stamp_it_is_the_time_of_the_read() -> None:
    before = monotonic_ns()
    assert before <= Arrivals().instant([]) <= monotonic_ns()


@pytest.mark.parametrize("age_ns", [-5_000 * MS, 3_600_000 * MS])
@pytest.mark.promise("the wall clock is stepped", "arrivals keep the run's own clock")
def test_a_stamp_from_before_the_clock_was_set_is_not_believed(age_ns: int) -> None:
    before = monotonic_ns()
    assert before <= Arrivals().instant(stamp(age_ns)) <= monotonic_ns()


def test_a_stamp_is_carried_to_the_clock_of_the_run() -> None:
    before = monotonic_ns()
    at = Arrivals().instant(stamp(200 * MS))
    assert before - 201 * MS <= at <= monotonic_ns() - 199 * MS


def test_a_slewed_wall_clock_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    arrivals = Arrivals()
    monkeypatch.setattr("coldbench.engine.arrival.time_ns", lambda: time_ns() + 300 * MS)
    before = monotonic_ns()
    ahead = stamp(-300 * MS)  # by the clock as it is now, this arrived just now
    after = monotonic_ns()
    time.sleep(0.02)  # longer than between two comparisons
    assert before - MS <= arrivals.instant(ahead) <= after + MS

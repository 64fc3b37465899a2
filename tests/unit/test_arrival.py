"""The kernel's stamp of an arrival, on a real connection."""

import socket
import struct
import sys
import time
from time import monotonic_ns, time_ns

import pytest

from coldbench.engine.arrival import ANCILLARY_BYTES, arrived_ns, stamp_arrivals

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
            assert began - MS <= arrived_ns(stamps) <= read_at - 10 * MS


def test_without_a_stamp_it_is_the_time_of_the_read() -> None:
    before = monotonic_ns()
    assert before <= arrived_ns([]) <= monotonic_ns()


@pytest.mark.parametrize("age_ns", [-5_000 * MS, 3_600_000 * MS])
def test_a_stamp_from_before_the_clock_was_set_is_not_believed(age_ns: int) -> None:
    before = monotonic_ns()
    assert before <= arrived_ns(stamp(age_ns)) <= monotonic_ns()


def test_a_stamp_is_carried_to_the_clock_of_the_run() -> None:
    before = monotonic_ns()
    at = arrived_ns(stamp(200 * MS))
    assert before - 201 * MS <= at <= monotonic_ns() - 199 * MS

"""When bytes arrived: the kernel's own time of it, so that neither an idle core's wake-up nor a busy hub
lengthens what is measured.

Linux stamps received data on request (`SO_TIMESTAMPNS`, socket(7); for TCP the stamp is that of the last
segment that a read returns, Documentation/networking/timestamping.rst). Elsewhere it is the time of the read.
"""

import struct
from collections.abc import Sequence
from socket import SOL_SOCKET
from time import monotonic_ns, time_ns
from typing import Any

ANCILLARY_BYTES = 64  # room for one control message with a struct timespec
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python has no name for it
_timespec = struct.Struct("@ll").unpack
# A stamp older than this was taken by a wall clock that has been stepped since.
_OLDEST_NS = 1_000_000_000
# The wall clock is compared with the monotonic one this often: slewed by as much as NTP does (500 ppm) they
# part by 5 us meanwhile, and both read for each arrival would be a tenth of the client's work.
_COMPARED_EVERY_NS = 10_000_000
_COMPARISONS = 5


def stamp_arrivals(sock: Any) -> None:
    """Ask for the stamps, as far as the system gives them."""
    try:
        sock.setsockopt(SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        pass


class Arrivals:
    """Puts the kernel's stamps, which are of the wall clock, on the monotonic clock."""

    __slots__ = ("_ahead_ns", "_due_ns")

    def __init__(self) -> None:
        self._compare()

    def instant(self, ancillary: Sequence[tuple[int, int, bytes]]) -> int:
        """The monotonic instant, ns, at which what `recvmsg` just returned had arrived."""
        now = monotonic_ns()
        if not ancillary:
            return now
        if now > self._due_ns:
            self._compare()
        seconds, nanoseconds = _timespec(ancillary[0][2])
        arrived: int = seconds * 1_000_000_000 + nanoseconds - self._ahead_ns
        return arrived if now - _OLDEST_NS < arrived < now else now

    def _compare(self) -> None:
        """How far the wall clock is ahead, by the closest of a few pairs of readings: another process may
        have had the core between two of them.
        """
        closest = None
        for _ in range(_COMPARISONS):
            before, wall, after = monotonic_ns(), time_ns(), monotonic_ns()
            if closest is None or after - before < closest:
                closest = after - before
                self._ahead_ns = wall - (before + after) // 2
        self._due_ns = after + _COMPARED_EVERY_NS

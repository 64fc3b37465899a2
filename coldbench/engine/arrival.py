"""When bytes arrived: the kernel's own time of it, so that neither an idle core's wake-up nor a busy hub
lengthens what is measured.

Linux stamps received data on request (`SO_TIMESTAMPNS`, socket(7); for TCP the stamp is that of the last
segment that a read returns, Documentation/networking/timestamping.rst). Elsewhere it is the time of the read.
"""

import struct
from socket import SOL_SOCKET
from time import monotonic_ns, time_ns
from typing import Any

from coldbench.core.messages import Ancillary

ANCILLARY_BYTES = 64  # room for one control message with a struct timespec
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python has no name for it
_timespec = struct.Struct("@ll").unpack
# A stamp older than this was taken by a wall clock that has been stepped since.
_OLDEST_NS = 1_000_000_000
# NTP slews by 500 ppm at most, 10 us in a tick of the engine. What parts the clocks by more is a step.
_STEP_NS = 1_000_000
_COMPARISONS = 5


def stamp_arrivals(sock: Any) -> None:
    """Ask for the stamps, as far as the system gives them."""
    try:
        sock.setsockopt(SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        pass


class WallClock:
    """Compares the wall clock, by which the kernel stamps, with the monotonic one."""

    def __init__(self) -> None:
        self._ahead_ns = _compare()

    def ahead_ns(self) -> int | None:
        """How far it is ahead; None if it has been set since it was last asked, for then the stamps taken
        meanwhile are of two clocks.
        """
        before, self._ahead_ns = self._ahead_ns, _compare()
        return self._ahead_ns if abs(self._ahead_ns - before) < _STEP_NS else None


def arrived_ns(ancillary: Ancillary, read_ns: int, ahead_ns: int | None) -> int:
    """The monotonic instant at which what `recvmsg` returned at `read_ns` had arrived."""
    if not ancillary or ahead_ns is None:
        return read_ns
    seconds, nanoseconds = _timespec(ancillary[0][2])
    arrived: int = seconds * 1_000_000_000 + nanoseconds - ahead_ns
    return arrived if read_ns - _OLDEST_NS < arrived < read_ns else read_ns


def _compare() -> int:
    """By the closest of a few pairs of readings: another process may have had the core in between."""
    ahead_ns, closest = 0, None
    for _ in range(_COMPARISONS):
        before, wall, after = monotonic_ns(), time_ns(), monotonic_ns()
        if closest is None or after - before < closest:
            closest = after - before
            ahead_ns = wall - (before + after) // 2
    return ahead_ns

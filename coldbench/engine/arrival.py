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
_timespec = struct.Struct("@ll")
# A stamp that was taken longer before its read is of a wall clock that has been set since.
_OLDEST_NS = 1_000_000_000
# Both clocks are slewed alike (clock_gettime(2)): what parts them is the wall clock being set.
_STEP_NS = 100_000
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
        self._since_ns = 0

    def look(self) -> tuple[int, int]:
        """How far it is ahead, and the monotonic instant at which it was last found to have been set; 0 if it
        never was.
        """
        before, self._ahead_ns = self._ahead_ns, _compare()
        if abs(self._ahead_ns - before) >= _STEP_NS:
            self._since_ns = monotonic_ns()
        return self._ahead_ns, self._since_ns


def arrived_ns(ancillary: Ancillary, read_ns: int, ahead_ns: int, since_ns: int) -> int:
    """The monotonic instant at which what `recvmsg` returned at `read_ns` had arrived.

    `ahead_ns` and `since_ns` are what a `WallClock` has said since. Where the stamp may be from before the
    wall clock was set, or is none that this machine can read, it is the time of the read.
    """
    if not ancillary or read_ns < since_ns + _OLDEST_NS:
        return read_ns
    stamp = ancillary[0][2]
    if len(stamp) != _timespec.size:
        return read_ns
    seconds, nanoseconds = _timespec.unpack(stamp)
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

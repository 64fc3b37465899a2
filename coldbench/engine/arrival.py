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
# Both clocks are read within this, or again: another process may have had the core between them.
_TOGETHER_NS, _TRIES = 20_000, 5


def stamp_arrivals(sock: Any) -> None:
    """Ask for the stamps, as far as the system gives them."""
    try:
        sock.setsockopt(SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        pass


def arrived_ns(ancillary: Sequence[tuple[int, int, bytes]]) -> int:
    """The monotonic instant, ns, at which what `recvmsg` just returned had arrived."""
    now = monotonic_ns()
    if len(ancillary) != 1:
        return now
    seconds, nanoseconds = _timespec(ancillary[0][2])
    for _ in range(_TRIES):
        wall, before, now = time_ns(), now, monotonic_ns()
        if now - before < _TOGETHER_NS:
            break
    age = wall - seconds * 1_000_000_000 - nanoseconds
    return before - age if 0 < age < _OLDEST_NS else before

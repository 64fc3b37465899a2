"""Clocks of this machine beside the monotonic one, which stands still while it sleeps and is never set."""

import time

_READINGS = 3


def boot_clock_ns() -> int:
    """Since some instant in the past; where there is no such clock, the one that stands still meanwhile."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns() if boot is None else time.clock_gettime_ns(boot)


def wall_ahead_ns() -> int:
    """The wall clock less the monotonic one: it moves when the wall clock is set, and by a sleep.

    Of a few readings the one that was interrupted least: whatever comes between the two adds to the wall's.
    """
    return min(-time.monotonic_ns() + time.time_ns() for _ in range(_READINGS))

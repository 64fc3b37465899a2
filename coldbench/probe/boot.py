"""The clock that goes on while this machine sleeps."""

import time


def boot_clock_ns() -> int:
    """Since some instant in the past; where there is no such clock, the one that stands still meanwhile."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns() if boot is None else time.clock_gettime_ns(boot)

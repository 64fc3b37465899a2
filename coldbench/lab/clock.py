"""The lab's clock: epoch microseconds, written the same way wherever they go.

Instances compare what the gateway wrote with what they read off their own clock, and the truth compares
the very same numbers: so everything is whole microseconds before it is compared or written.
"""

import time


def now_us() -> int:
    """Epoch microseconds."""
    return time.time_ns() // 1000


def seconds(us: int) -> str:
    """As in `X-Request-Start: t=<seconds>` (nginx's $msec, to the microsecond)."""
    return f"{us // 1_000_000}.{us % 1_000_000:06d}"


def from_seconds(text: str) -> int:
    """The inverse of `seconds`; ValueError for anything else."""
    whole, _, part = text.partition(".")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0")[:6] or "0")

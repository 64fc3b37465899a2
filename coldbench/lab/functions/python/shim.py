"""Makes a Python function tell the truth about itself: `Server-Timing` with every answer.

All instants are epoch microseconds, so that they compare exactly with the platform's `X-Request-Start`.
"""

import asyncio
import os
import time
import uuid


def now_us() -> int:
    return time.time_ns() // 1000


def from_seconds(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0")[:6] or "0")


_imported_us = now_us()
_HOLD_AT_MOST_S = 10.0


class Shim:
    """One an instance. `init_ended` closes the init; `arrived` and `headers` go around each request."""

    def __init__(self) -> None:
        started = os.environ.get("COLDBENCH_PROCESS_STARTED")
        self._began_us = from_seconds(started) if started else _imported_us
        self._counts_from = "process" if started else "import"
        self._ended_us = 0
        self._seq = 0
        self._instance = ""
        self._spans: list[str] = []
        self._may_hold = os.environ.get("COLDBENCH_HOLD") == "1"

    def span(self, name: str, began_us: int) -> None:
        """A named part of the init that began then and ends now."""
        self._spans.append(f"init-{name};dur={(now_us() - began_us) / 1000:.3f}")

    def init_ended(self) -> None:
        """Says so to a platform that listens, once everything that runs before the first request has run."""
        self._ended_us = now_us()
        path = os.environ.pop("COLDBENCH_READY", "")
        if path:
            with open(path, "w") as listener:
                listener.write(f"READY {self._ended_us // 1_000_000}.{self._ended_us % 1_000_000:06d}\n")

    def arrived(self, request_start: str | None) -> "Visit":
        """A request has come; `request_start` is the platform's `X-Request-Start`."""
        at_us = now_us()
        if not self._instance:
            self._instance = str(uuid.uuid4())  # lazily: a forked or restored copy makes its own
        self._seq += 1
        return Visit(self, at_us, self._seq, request_start)

    async def hold(self, until_ms: str | None, for_ms: str | None) -> None:
        """Keep the instance busy as asked, where its owner allows that."""
        if not self._may_hold:
            return
        wait_s = 0.0
        if until_ms:
            wait_s = float(until_ms) / 1000 - time.time()
        elif for_ms:
            wait_s = float(for_ms) / 1000
        if wait_s > 0:
            await asyncio.sleep(min(wait_s, _HOLD_AT_MOST_S))


class Visit:
    """One request's stay in the instance."""

    def __init__(self, shim: Shim, at_us: int, seq: int, request_start: str | None) -> None:
        self._shim = shim
        self._at_us = at_us
        self._seq = seq
        self._start_us = from_seconds(request_start[2:]) if request_start else None

    def headers(self) -> list[tuple[str, str]]:
        """For the answer, right before it is sent."""
        shim = self._shim
        parts = [
            f'init;dur={(shim._ended_us - shim._began_us) / 1000:.3f};desc="{shim._counts_from}"',
            *shim._spans,
            f"age;dur={(self._at_us - shim._ended_us) / 1000:.3f}",
            f'seq;desc="{self._seq}"',
            f'inst;desc="{shim._instance}"',
            f"exec;dur={(now_us() - self._at_us) / 1000:.3f}",
        ]
        if self._start_us is not None:
            parts.append(f"queue;dur={max(0, self._at_us - self._start_us) / 1000:.3f}")
        return [("Server-Timing", ", ".join(parts)), ("Cache-Control", "no-store")]

"""What each call really met, written down for those who check the judge; the judge never reads it.

`cold`, `warm`, `preinitialised` and `cold_affected` answer two physical questions about the instance that
served the call: was it its first use, and did the request reach the platform before the instance's init
had ended? (`X-Request-Start` against the instance's own stamp of the end of its init, in the very
microseconds that both have written.)
"""

import json
import os

from msgspec import Struct

from coldbench.core.errors import UsageError
from coldbench.core.verdict import Verdict
from coldbench.lab.instance import Instance


class Served(Struct, frozen=True, kw_only=True):
    """How a call was served. Instants are epoch us."""

    instance: Instance
    number: int  # which call of the instance's this was; 1 is its first use
    arrival_us: int
    answered_us: int
    exec_ms: float  # what the function itself says, else from hand-over to answer


def verdict(served: Served) -> Verdict:
    """Of a call that reached an instance."""
    ready = served.instance.ready_us
    before = ready is not None and served.arrival_us < ready
    if served.number == 1:
        return Verdict.COLD if before else Verdict.PREINITIALISED
    return Verdict.COLD_AFFECTED if before else Verdict.WARM


class Truth:
    """Appends to the truth file, one JSON line and one write a call. UsageError where it cannot."""

    def __init__(self, path: str, function: str) -> None:
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise UsageError(f"truth: cannot be written: {error.strerror}", place=path) from error
        self._function = function

    def served(self, identity: str | None, served: Served) -> None:
        """A call that an instance answered.

        `init_ms`, for those that came before its end, is the whole init of the instance; `queue_ms` is the
        rest of the call's time in the platform that was not execution, negative where it came into an init
        already under way. So `queue_ms + init_ms` is the startup of a cold call.
        """
        met = verdict(served)
        waited_init = met in (Verdict.COLD, Verdict.COLD_AFFECTED)
        init_ms = (served.instance.init_us or 0) / 1e3 if waited_init else None
        waited_ms = (served.answered_us - served.arrival_us) / 1e3 - served.exec_ms
        self._write(
            id=identity,
            function=self._function,
            instance=served.instance.identity,
            verdict=met,
            started_ns=served.arrival_us * 1000,
            queue_ms=round(waited_ms - (init_ms or 0.0), 3),
            init_ms=init_ms,
            exec_ms=served.exec_ms,
        )

    def failed(self, identity: str | None, met: Verdict, arrival_us: int, ended_us: int) -> None:
        """A call that no instance answered."""
        self._write(
            id=identity,
            function=self._function,
            instance=None,
            verdict=met,
            started_ns=arrival_us * 1000,
            queue_ms=(ended_us - arrival_us) / 1e3,
            init_ms=None,
            exec_ms=None,
        )

    def _write(self, **fields: object) -> None:
        os.write(self._fd, json.dumps(fields).encode() + b"\n")

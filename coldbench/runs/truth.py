"""The lab's truth file, for those who check the judge; the judge never reads it."""

from pathlib import Path

import msgspec
from msgspec import Struct

from coldbench.core.accuracy import Met
from coldbench.core.verdict import Verdict


class _Line(Struct):
    id: str | None
    verdict: Verdict
    queue_ms: float | None
    init_ms: float | None


def read_truth(path: Path, run_id: str) -> dict[int, Met]:
    """By seq, what the invocations of one run met."""
    met = {}
    for text in path.read_bytes().splitlines():
        line = msgspec.json.decode(text, type=_Line)
        run, _, seq = (line.id or "").rpartition("-")
        if run == run_id:
            startup_ms = None
            if line.init_ms is not None and line.queue_ms is not None:
                startup_ms = line.queue_ms + line.init_ms
            met[int(seq)] = Met(verdict=line.verdict, startup_ms=startup_ms)
    return met

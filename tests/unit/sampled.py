"""Small `samples.db` files built by hand, for the tests of what is read from them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from coldbench.core.invocation import Evidence, Invocation
from coldbench.core.verdict import ColdKind, Judgement, Verdict
from coldbench.runs.samples import SAMPLES, SampleWriter, write_judgements

MS = 1_000_000


def call(
    seq: int, *, at_ms: int = 0, wait_ms: int = 10, instance: str | None = None, **facts: Any
) -> Invocation:
    """Intended and sent at one instant; answered after the wait."""
    at_ns, end_ns = at_ms * MS, (at_ms + wait_ms) * MS
    known: dict[str, Any] = {
        "seq": seq,
        "target": "f",
        "phase": "0:burst",
        "intended_ns": at_ns,
        "started_ns": at_ns,
        "sent_ns": at_ns,
        "first_byte_ns": end_ns,
        "end_ns": end_ns,
        "status": 200,
        "evidence": Evidence(instance=instance),
    }
    return Invocation(**(known | facts))


def judged(seq: int, verdict: Verdict, kind: ColdKind | None = None) -> Judgement:
    return Judgement(seq=seq, verdict=verdict, reason="told", confidence=1.0, cold_kind=kind)


def samples_in(
    folder: Path, invocations: Iterable[Invocation], judgements: Iterable[Judgement] | None = None
) -> Path:
    """`samples.db` in the folder; without judgements, it is that of a run under way."""
    path = folder / SAMPLES
    with SampleWriter(path) as writer:
        writer.append(invocations)
    if judgements is not None:
        write_judgements(path, judgements)
    return path

"""Which headers leave the lab: the function's shim, the platform's own, or nothing that tells."""

import re
from collections.abc import Iterable
from uuid import uuid4

from msgspec import Struct

from coldbench.core.function_spec import EvidenceMode
from coldbench.evidence.platforms import Platform
from coldbench.lab.call import Answer
from coldbench.lab.dialect import spoken
from coldbench.lab.truth import Served

# RFC 9110, 7.6.1; the gateway frames the body itself.
_HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
    )
)
_EXEC = re.compile(r"\bexec;dur=(\d+(?:\.\d+)?)")
_SEQ = re.compile(r"\bseq;desc=\"(\d+)\"")
_SHIM = ("server-timing", "cache-control")


def outgoing(
    answer: Answer,
    served: Served | None,
    mode: EvidenceMode,
    dialect: Platform | None = None,
    billing_ns: int | None = None,
) -> list[tuple[str, str]]:
    """The headers of the response to the caller."""
    headers = [(name, value) for name, value in answer.headers if name.lower() not in _HOP_BY_HOP]
    if mode is not EvidenceMode.FULL:
        headers = list(_without_shim(headers))
    if mode is EvidenceMode.NONE:
        return headers
    if answer.failure is not None:
        headers.append(("X-Coldbench-Lab-Error", answer.failure))
    if dialect is not None:
        return [*headers, *spoken(dialect, served, billing_ns)]
    headers.append(("X-Request-Id", str(uuid4())))
    if served is not None:
        first = served.number == 1
        headers.append(("X-Instance-Id", served.instance.identity))
        headers.append(("X-Cold-Start", str(first).lower()))
        if first and served.instance.init_us is not None:
            headers.append(("X-Init-Duration-Ms", f"{served.instance.init_us / 1e3:.3f}"))
    return headers


class Said(Struct, frozen=True, kw_only=True):
    """What the function itself says of a call, by its shim; None where it says nothing."""

    exec_ms: float | None = None
    seq: int | None = None


def said(answer: Answer) -> Said:
    """Read off the answer's `Server-Timing`."""
    for name, value in answer.headers:
        if name.lower() == "server-timing":
            ran, number = _EXEC.search(value), _SEQ.search(value)
            return Said(exec_ms=float(ran[1]) if ran else None, seq=int(number[1]) if number else None)
    return Said()


def incoming(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The caller's headers without those that are between it and the gateway."""
    return [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]


def _without_shim(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    for name, value in headers:
        if name.lower() not in _SHIM and not name.lower().startswith("x-coldbench-"):
            yield name, value

"""The headers that a platform of the table would send beside an answer (`dialect=NAME`).

Only what it sends by plain HTTP and somebody has verified: what tells of the instance with this call's truth,
the rest as in the table's example. Times have as many decimals as the example, rounded up as billing does.
"""

from collections.abc import Iterator
from math import ceil
from uuid import uuid4

from coldbench.evidence.platforms import Field, Platform
from coldbench.lab.truth import Served

_PER_MS = {"ms": 1.0, "s": 1e-3, "us": 1e3, "ns": 1e6}


def spoken(
    platform: Platform, served: Served | None, billing_ns: int | None = None
) -> Iterator[tuple[str, str]]:
    """Names and values; `served` is None where no instance answered. With `billing_ns` executions are told in
    whole steps of it."""
    beginnings = {}
    for sign in platform.signs:
        name, _, beginning = sign.partition(":")
        beginnings[name.strip().lower()] = beginning.strip()
    sent = set()
    for field in platform.fields:
        if field.at != "header" or field.verified == "no" or field.via is not None:
            continue
        value = field.example if field.tells is None else _told(field, served, billing_ns)
        if value is not None:
            beginning = beginnings.get(field.name.lower(), "")
            yield field.name, value if value.startswith(beginning) else beginning + value
            sent.add(field.name.lower())
    if beginnings and sent.isdisjoint(beginnings):
        name, beginning = next(iter(beginnings.items()))
        yield name, beginning or "1"


def _told(field: Field, served: Served | None, billing_ns: int | None) -> str | None:
    if field.tells == "request_id":
        return str(uuid4())
    if served is None:
        return None
    first = served.number == 1
    match field.tells:
        case "cold_flag":
            return str(first != field.negated).lower()
        case "instance":
            return served.instance.identity
        case "exec_ms":
            if billing_ns is None:
                return _time(field, served.exec_ms)
            return _time(field, ceil(served.exec_ms * 1e6 / billing_ns) * billing_ns / 1e6)
        case "init_ms" if first and served.instance.init_us is not None:
            return _time(field, served.instance.init_us / 1e3)
    return None


def _time(field: Field, duration_ms: float) -> str:
    decimals = len((field.example or "0.000").partition(".")[2])
    scale = 10**decimals
    # Figures are rounded before they are rounded up, so that 0.3 s of binary floating point is no 0.301 s.
    return f"{ceil(round(duration_ms * _PER_MS[field.unit] * scale, 6)) / scale:.{decimals}f}"

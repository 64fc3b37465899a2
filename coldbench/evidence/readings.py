"""Which header says what about the instance, and how it is read."""

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any

import msgspec
from msgspec import Struct

from coldbench.evidence.headers import Headers
from coldbench.evidence.platforms import GENERIC, Field, platforms
from coldbench.evidence.values import flag, identifier, milliseconds

_MS_OF = {"ms": 1.0, "s": 1e3, "us": 1e-3, "ns": 1e-6}


class Reading(Struct, frozen=True):
    """A header (by lower-case name) tells a field of Evidence; `read` gives None when it cannot be read."""

    header: str
    field: str
    read: Callable[[str], object]


@lru_cache
def readings(platform: str | None, own: str | None = None) -> tuple[Reading, ...]:
    """Of any platform's answers, then of this one's own; `own` is the user's table, as in `platforms`."""
    known = platforms(own)
    entries = [known[GENERIC]] if platform is None else [known[GENERIC], known[platform]]
    return tuple(
        Reading(field.name.lower(), field.tells, _reader(field))
        for entry in entries
        for field in entry.fields
        if field.at == "header" and field.tells is not None and field.verified != "no"
    )


def _reader(field: Field) -> Callable[[str], object]:
    read: Callable[[str], object]
    match field.tells:
        case "cold_flag":
            read = _negated if field.negated else flag
        case "instance" | "request_id":
            read = identifier
        case _:
            read = partial(_duration, ms=_MS_OF[field.unit])
    return read if field.key is None else partial(_member, key=field.key, read=read)


def member(key: str) -> Callable[[str], str | None]:
    """Reads a member of the JSON object that a value is, as text."""
    return partial(_member, key=key, read=identifier)


def _negated(text: str) -> bool | None:
    said = flag(text)
    return None if said is None else not said


def _duration(text: str, *, ms: float) -> float | None:
    number = milliseconds(text)
    return None if number is None else number * ms


def _member(text: str, *, key: str, read: Callable[[str], Any]) -> Any:
    """Of a JSON object that is the value."""
    try:
        said = msgspec.json.decode(text, type=dict[str, msgspec.Raw]).get(key)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None
    return None if said is None else read(bytes(said).decode().strip('"'))


@lru_cache
def declared(cold_header: str | None, instance_header: str | None) -> tuple[Reading, ...]:
    """The readings of the headers that the target's owner names."""
    named: list[Reading] = []
    if cold_header is not None:
        named.append(Reading(cold_header.lower(), "cold_flag", flag))
    if instance_header is not None:
        named.append(Reading(instance_header.lower(), "instance", identifier))
    return tuple(named)


def read_fields(headers: Headers, known: Iterable[Reading]) -> dict[str, Any]:
    """Fields of Evidence by name: those that were sent, can be read, and are not contradicted by a twin."""
    fields: dict[str, Any] = {}
    for reading in known:
        values = headers.get(reading.header)
        if values is None:
            continue
        said = reading.read(values[0])
        if said is not None and all(reading.read(value) == said for value in values[1:]):
            fields[reading.field] = said
    return fields

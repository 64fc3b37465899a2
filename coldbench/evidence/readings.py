"""Which header says what about the instance, and how it is read.

What any platform may send is here; a platform's own headers are more readings of the same form.
`X-Envoy-Upstream-Service-Time` is none of them: it includes the wait for an instance (Knative's activator),
so it is no execution time.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from msgspec import Struct

from coldbench.evidence.headers import Headers
from coldbench.evidence.values import flag, identifier, milliseconds


class Reading(Struct, frozen=True):
    """A header (by lower-case name) tells a field of Evidence; `read` gives None when it cannot be read."""

    header: str
    field: str
    read: Callable[[str], object]


GENERIC = (
    Reading("x-cold-start", "cold_flag", flag),
    Reading("x-init-duration-ms", "init_ms", milliseconds),
    Reading("x-instance-id", "instance", identifier),
    Reading("x-request-id", "request_id", identifier),
)


@lru_cache
def declared(cold_header: str | None, instance_header: str | None) -> tuple[Reading, ...]:
    """The readings of the headers that the target's owner names."""
    readings: list[Reading] = []
    if cold_header is not None:
        readings.append(Reading(cold_header.lower(), "cold_flag", flag))
    if instance_header is not None:
        readings.append(Reading(instance_header.lower(), "instance", identifier))
    return tuple(readings)


def read_fields(headers: Headers, readings: Iterable[Reading]) -> dict[str, Any]:
    """Fields of Evidence by name: those that were sent, can be read, and are not contradicted by a twin."""
    fields: dict[str, Any] = {}
    for reading in readings:
        values = headers.get(reading.header)
        if values is None:
            continue
        said = reading.read(values[0])
        if said is not None and all(reading.read(value) == said for value in values[1:]):
            fields[reading.field] = said
    return fields

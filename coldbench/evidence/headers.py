"""Header blocks as the readers take them: lower-case name to the values in the order they came.

A header from a server is hostile text: nothing here raises, and what is kept is bounded.
"""

from collections.abc import Iterable
from functools import lru_cache

Headers = dict[str, list[str]]

# As engines and servers bound a head (the engine cuts at the same size), and far above what is sent.
_MOST_BYTES = 64 * 1024
_MOST_FIELDS = 256


def parse_head(head: bytes, trailers: bytes = b"") -> Headers:
    """The fields of a raw header block (with or without its status line) and of the trailers after it.

    Tolerant as RFC 9112 asks of recipients: bare LF ends a line (2.2), a line that starts with white
    space goes on with the one before (obs-fold, 5.2). Lines that are no fields are left out.
    """
    headers: Headers = {}
    values: list[str] | None = None
    lines = head[:_MOST_BYTES].decode("latin-1").split("\n")
    if trailers:
        lines += trailers[:_MOST_BYTES].decode("latin-1").split("\n")
    for line in lines[:_MOST_FIELDS]:
        if line[:1] in (" ", "\t"):
            if values:
                values[-1] = f"{values[-1]} {line.strip(_WHITE)}".strip(_WHITE)
            continue
        field = _seen_before(line) if len(line) <= _LONGEST_KEPT else _field(line)
        if field is None:
            values = None
            continue
        name, value = field
        values = headers.setdefault(name, [])
        values.append(value)
    return headers


def _field(line: str) -> tuple[str, str] | None:
    name, colon, value = line.partition(":")
    name = name.rstrip(_WHITE).lower()
    # A status line has a colon only in its reason phrase, behind a space; no name has a space.
    return (name, value.strip(_WHITE)) if colon and name and " " not in name else None


# Most lines of a server's next answer stood in its last one.
_LONGEST_KEPT = 256
_seen_before = lru_cache(maxsize=4096)(_field)


def from_pairs(pairs: Iterable[tuple[str, str]]) -> Headers:
    """The same of names and values that a client has parsed (httpx: `response.headers.multi_items()`)."""
    headers: Headers = {}
    for name, value in list(pairs)[:_MOST_FIELDS]:
        headers.setdefault(name.lower(), []).append(value.strip(_WHITE))
    return headers


_WHITE = " \t\r"  # not str.strip's own set, which has more in it than HTTP

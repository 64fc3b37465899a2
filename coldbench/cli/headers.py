"""Header fields as `-H` has them: `NAME: VALUE`, `@FILE`, values from the environment."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from coldbench.core.errors import UsageError

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")


def read_headers(given: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Names and values in order, and the values of the environment that stand in them.

    Raises UsageError that names the place, for instance a file's line.
    """
    secrets: list[str] = []
    headers = tuple(_header(line, place, secrets) for line, place in _header_lines(given))
    return headers, tuple(dict.fromkeys(secrets))


def read_file(name: str, place: str) -> bytes:
    """Of an option that takes `@FILE`. Raises UsageError."""
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", place=place) from error


def _header_lines(given: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in given:
        if not text.startswith("@"):
            yield text, "--header"
            continue
        lines = read_file(text[1:], "--header").decode("latin-1").splitlines()
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield line, f"{text[1:]}:{number}"


def _header(line: str, place: str, secrets: list[str]) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not TOKEN.fullmatch(name.strip()):
        raise UsageError(
            "expected 'NAME: VALUE'" + ("" if colon else ", found no colon"),
            place=f"{place} {name.strip()!r}",
        )

    def told(found: re.Match[str]) -> str:
        secrets.append(_variable(found[1] or found[2], place))
        return secrets[-1]

    value = _VARIABLE.sub(told, value.strip())
    if any((ord(c) < 32 and c != "\t") or ord(c) == 127 or ord(c) > 255 for c in value):
        raise UsageError("a header value cannot carry this character", place=f"{place} {name}")
    return name.strip(), value


def _variable(name: str, place: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise UsageError(f"the environment has no ${name}", place=place)
    return value

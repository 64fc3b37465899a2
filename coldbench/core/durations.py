"""Durations as people write and read them; integer nanoseconds inside."""

import re
from fractions import Fraction

from coldbench.core.errors import UsageError

_UNITS_NS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
# Few digits are enough for any run, and keep the result far inside 64 bits.
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)(ms|s|m|h)", re.ASCII)

DURATION_EXAMPLES = "250ms, 30s, 5m or 2h"


def parse_duration(text: str, place: str | None = None) -> int:
    """Nanoseconds of `250ms`, `30s`, `1.5m`, `2h`; UsageError, naming `place`, for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(f'expected a duration such as {DURATION_EXAMPLES}, got "{text}"', place=place)
    number, unit = match.groups()
    return round(Fraction(number) * _UNITS_NS[unit])


def format_duration(duration_ns: int) -> str:
    """For people: `0s`, `1.5ms`, `250ms`, `1.5s`, `5m 30s`, `2h 5m`; whole seconds from one minute on."""
    if duration_ns == 0:
        return "0s"
    milliseconds = round(duration_ns / 1e6, 1)
    if milliseconds < 1000:
        return f"{milliseconds:g}ms"
    seconds = round(duration_ns / 1e9, 1)
    if seconds < 60:
        return f"{seconds:g}s"
    minutes, whole_seconds = divmod(round(duration_ns / 1e9), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "m"), (whole_seconds, "s")]
    return " ".join(f"{number}{unit}" for number, unit in parts if number)

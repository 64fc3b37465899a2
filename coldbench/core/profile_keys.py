"""The keys of a profile's TOML: what each expects, and how it becomes a field of a record."""

from collections.abc import Callable

from msgspec import Struct

from coldbench.core.durations import DURATION_EXAMPLES, parse_duration
from coldbench.core.errors import UsageError

# `duration = "auto"` of a silence: who knows the targets says how long that is (`profile.with_idle`).
AUTO_NS = -1

# Above what any run can do, and far below what frames and floats can carry.
_MOST = 1_000_000
# A plan holds the steps of all repeats in memory.
_MOST_REPEATS = 10_000


class Key(Struct, frozen=True):
    """`read` gives the field's value, or None for a TOML value that is not what is `expected`."""

    field: str
    expected: str
    read: Callable[[object], object]
    required: bool = True


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: object, most: int = _MOST) -> int | None:
    # TOML's true is an int to Python.
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most else None


def _repeat(value: object) -> int | None:
    return _count(value, _MOST_REPEATS)


def _rate(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST:
        return float(value)
    return None


def _positive_rate(value: object) -> float | None:
    return _rate(value) or None


def _duration(value: object) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        return parse_duration(value)
    except UsageError:
        return None


def _silence(value: object) -> int | None:
    return AUTO_NS if value == "auto" else _duration(value)


def _positive_duration(value: object) -> int | None:
    return _duration(value) or None


def _file(value: object) -> str | None:
    return _text(value) or None


def _arrivals(value: object) -> object | None:
    return value if value in ("uniform", "poisson") else None


_COUNT = f"a whole number of at least 1, at most {_MOST}"
_RATE = f"a number of arrivals per second of at least 0, at most {_MOST}"
_DURATION = f"a duration such as {DURATION_EXAMPLES}"
_LASTING = Key("duration_ns", f"{_DURATION}, above 0", _positive_duration)

PROFILE_KEYS = {
    "description": Key("description", "a text", _text, required=False),
    "repeat": Key(
        "repeat", f"a whole number of at least 1, at most {_MOST_REPEATS}", _repeat, required=False
    ),
}
STAGE_KEYS = {
    "idle": {"duration": Key("duration_ns", f"{_DURATION}, or auto", _silence)},
    "burst": {"size": Key("size", _COUNT, _count)},
    "rate": {
        "rate": Key("rate", f"a number of arrivals per second above 0, at most {_MOST}", _positive_rate),
        "duration": _LASTING,
        "arrivals": Key("arrivals", '"uniform" or "poisson"', _arrivals, required=False),
    },
    "ramp": {
        "from": Key("rate_from", _RATE, _rate),
        "to": Key("rate_to", _RATE, _rate),
        "duration": _LASTING,
    },
    "users": {
        "users": Key("users", _COUNT, _count),
        "duration": _LASTING,
        "think": Key("think_ns", _DURATION, _duration, required=False),
    },
    "trace": {"file": Key("file", "the name of a CSV file", _file)},
}

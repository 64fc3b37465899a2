"""How finely a platform tells time: the step of its figures, and its clock against ours."""

from collections.abc import Iterable, Sequence
from email.utils import parsedate_to_datetime

# Steps that are met: billing by 100 ms or 1 ms, timers of a millisecond, a microsecond or finer.
_STEPS_MS = (1000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001)
_NEAR = 1e-6
_FEWEST = 3


def step_ms(values_ms: Sequence[float]) -> float | None:
    """The coarsest step that all of the durations are multiples of; None for fewer than 3, or none.

    Zeros are multiples of everything and tell nothing.
    """
    told = [value for value in values_ms if value]
    if len(told) < _FEWEST:
        return None
    return next((step for step in _STEPS_MS if all(_is_multiple(value, step) for value in told)), None)


def _is_multiple(value: float, step: float) -> bool:
    parts = value / step
    return round(parts) >= 1 and abs(parts - round(parts)) <= _NEAR * max(1.0, parts)


def clock_offset_s(answers: Iterable[tuple[str, float, float]]) -> tuple[float, float] | None:
    """Between which bounds the server's clock is ahead of ours, s; None when no answer bounds it.

    Each answer is its `Date` field (RFC 9110, 6.6.1: whole seconds, cut off or rounded) and our wall clock
    when the request was sent and when the first byte came, in seconds of the epoch. The server read its
    clock between the two.
    """
    low, high = float("-inf"), float("inf")
    for date, sent_s, first_byte_s in answers:
        try:
            said_s = parsedate_to_datetime(date).timestamp()
        except ValueError:
            continue
        low, high = max(low, said_s - 0.5 - first_byte_s), min(high, said_s + 1 - sent_s)
    return (low, high) if float("-inf") < low <= high else None

"""How finely a platform tells time: the step of its figures, and its clock against ours."""

from collections.abc import Iterable
from email.utils import parsedate_to_datetime

# Steps that are met: billing by 100 ms or 1 ms, timers of a millisecond, a microsecond or finer.
_STEPS_MS = (1000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001)
_NEAR = 1e-6
_FEWEST = 3
# Fewer different ones may lie on a coarser grid than the platform's: in steps of 1 ms all from 9.1 to 10 ms
# are 10.
_FEWEST_DIFFERENT = 3


class StepTally:
    """The coarsest step that all of the durations are multiples of."""

    def __init__(self) -> None:
        self._number = 0
        self._different: set[float] = set()  # no more of them than are asked for
        self._finer = 0  # place in _STEPS_MS, each of which is a multiple of those after it

    def add(self, value_ms: float) -> None:
        """One more. Zero is a multiple of everything and tells nothing."""
        if value_ms:
            self._number += 1
            if len(self._different) < _FEWEST_DIFFERENT:
                self._different.add(value_ms)
            while self._finer < len(_STEPS_MS) and not _is_multiple(value_ms, _STEPS_MS[self._finer]):
                self._finer += 1

    @property
    def step_ms(self) -> float | None:
        """None for fewer than 3 different durations, or where none fits."""
        return self.coarsest_ms if len(self._different) == _FEWEST_DIFFERENT else None

    @property
    def coarsest_ms(self) -> float | None:
        """The step, or a multiple of it. None for fewer than 3 durations, or where none fits."""
        if self._number < _FEWEST or self._finer == len(_STEPS_MS):
            return None
        return _STEPS_MS[self._finer]


def step_ms(values_ms: Iterable[float]) -> float | None:
    """The same of durations at hand."""
    tally = StepTally()
    for value_ms in values_ms:
        tally.add(value_ms)
    return tally.step_ms


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

"""Active windows: `mon-fri 08:00-20:00`, `sat 22:00-02:00`, `06:30-23:00`."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from coldbench.core.errors import UsageError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES_A_DAY = 24 * 60
_WINDOW = re.compile(
    rf"(?:(?P<first>{'|'.join(_DAYS)})(?:-(?P<last>{'|'.join(_DAYS)}))?\s+)?"
    r"(?P<from>\d\d:\d\d)-(?P<to>\d\d:\d\d)",
    re.ASCII | re.IGNORECASE,
)


class Window(Struct, frozen=True, kw_only=True):
    """Opens on each of `days` (Monday is 0) at a minute of the day, for so many minutes."""

    days: frozenset[int]
    from_minute: int
    minutes: int

    def holds(self, at: datetime) -> bool:
        """Whether it is open at that local time."""
        minute = at.hour * 60 + at.minute
        since = (minute - self.from_minute) % _MINUTES_A_DAY
        opened_on = at.weekday() if minute >= self.from_minute else (at - timedelta(days=1)).weekday()
        return since < self.minutes and opened_on in self.days


def parse_window(text: str, place: str | None = None) -> Window:
    """The window that `text` describes. One that ends before it begins ends on the next day.

    Raises UsageError, naming `place`, for anything else.
    """
    found = _WINDOW.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"expected a window such as 'mon-fri 08:00-20:00', got {text!r}", place=place)
    begin, end = _minute(found["from"], place), _minute(found["to"], place)
    first = _DAYS.index(found["first"].lower()) if found["first"] else 0
    last = _DAYS.index(found["last"].lower()) if found["last"] else (first if found["first"] else 6)
    days = frozenset((first + step) % 7 for step in range((last - first) % 7 + 1))
    return Window(days=days, from_minute=begin, minutes=(end - begin) % _MINUTES_A_DAY or _MINUTES_A_DAY)


def is_open(windows: Sequence[Window], at: datetime) -> bool:
    """Whether one of them is open at that local time; always, when there are none."""
    return not windows or any(window.holds(at) for window in windows)


def _minute(text: str, place: str | None) -> int:
    hour, minute = int(text[:2]), int(text[3:])
    if hour * 60 + minute > _MINUTES_A_DAY or minute > 59:
        raise UsageError(f"no such time of day: {text}", place=place)
    return hour * 60 + minute

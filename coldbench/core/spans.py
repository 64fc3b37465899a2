"""A union of spans of time that stays small while many are added."""

from bisect import bisect_left, bisect_right

# Spans that came out of order are put in their places when there are this many of them.
_UNSORTED = 1 << 12


class Spans:
    """The union of spans [start, end), ns; two that are less than `join_ns` apart are one.

    Memory grows with the spans that remain apart, not with those added.
    """

    def __init__(self, join_ns: int = 0) -> None:
        self._join_ns = join_ns
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._unsorted: list[tuple[int, int]] = []

    def add(self, start: int, end: int) -> None:
        """Put one more into the union."""
        if self._starts and start < self._starts[-1]:
            self._unsorted.append((start, end))
            if len(self._unsorted) >= _UNSORTED + len(self._starts):
                self._settle()
        elif self._starts and start < self._ends[-1] + self._join_ns:
            self._ends[-1] = max(self._ends[-1], end)
        else:
            self._starts.append(start)
            self._ends.append(end)

    def covers(self, at: int) -> bool:
        """Whether some span holds that instant."""
        self._settle()
        before = bisect_right(self._starts, at)
        return before > 0 and self._ends[before - 1] > at

    def last_end_before(self, at: int) -> int | None:
        """The end of the last span that starts before that instant, or the instant itself inside of one."""
        self._settle()
        before = bisect_left(self._starts, at)
        return min(at, self._ends[before - 1]) if before else None

    def _settle(self) -> None:
        if not self._unsorted:
            return
        spans = sorted([*zip(self._starts, self._ends, strict=True), *self._unsorted])
        self._starts, self._ends, self._unsorted = [], [], []
        for start, end in spans:
            self.add(start, end)

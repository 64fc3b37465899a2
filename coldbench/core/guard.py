"""When a target is down: a run that goes on would measure nothing, and be no help to whoever mends it."""

# A share is of at least so many invocations that have ended since the last look.
_FEWEST = 20


class ErrorGuard:
    """Looks at the counts of a run under way, and says when too large a part of the latest ones failed."""

    def __init__(self, most_pct: float) -> None:
        """Trips when more than this per cent have no whole answer."""
        self._most_pct = most_pct
        self._ended = self._errors = 0

    def look(self, completed: int, errors: int) -> str | None:
        """Called with the counts as they stand; what tripped it, in words, or None."""
        ended = completed + errors - self._ended
        if ended < _FEWEST:
            return None
        failed = errors - self._errors
        self._ended, self._errors = completed + errors, errors
        if 100 * failed <= self._most_pct * ended:
            return None
        of = f"of the latest {ended:,} invocations {failed:,} had no whole answer"
        return f"stopped by --abort-on-errors: {of}"

"""What a value says, or None where that cannot be read: then it was not observed."""

# Above this (three years) a number is an instant or a mistake, not a duration.
_LONGEST_MS = 1e11
_LONGEST_TEXT = 256

_YES = frozenset(("true", "1", "yes", "on", "cold", "?1"))
_NO = frozenset(("false", "0", "no", "off", "warm", "?0"))


def milliseconds(text: str) -> float | None:
    """A duration: a plain decimal number, not negative, finite and credible."""
    try:
        number = float(text)
    except ValueError:
        return None
    # Python also reads 1_000; a comparison with NaN is false.
    return number if 0 <= number <= _LONGEST_MS and "_" not in text else None


def ordinal(text: str) -> int | None:
    """A whole number from 1 on."""
    if len(text) > 18 or not (text.isascii() and text.isdigit()):
        return None
    return int(text) or None


def flag(text: str) -> bool | None:
    """A yes or a no, as headers say it."""
    word = text.lower()
    if word in _YES:
        return True
    return False if word in _NO else None


def identifier(text: str) -> str | None:
    """An id: printable, since it is shown to people, and not endless."""
    return text if 0 < len(text) <= _LONGEST_TEXT and text.isprintable() else None

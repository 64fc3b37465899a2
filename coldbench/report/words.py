"""How figures and foreign strings are written, everywhere alike."""

import re

from coldbench.core.summary import Interval, Quantiles

WITHHELD = "-"

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def shown(text: str, longest: int = 200) -> str:
    """A string from a server or a user, with every character that could act on a terminal made visible."""
    safe = _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return safe if len(safe) <= longest else safe[: longest - 1] + "…"


def ms(value: float | None) -> str:
    """Milliseconds with three digits that count, `-` where there is no value."""
    if value is None:
        return WITHHELD
    if abs(value) < 9.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if abs(value) < 99.95 else f"{value:,.0f}"


def at(quantiles: Quantiles | None, name: str) -> str:
    """One quantile in ms."""
    return ms(None if quantiles is None else getattr(quantiles, name))


def interval(estimate: Interval) -> str:
    """`71.3 ms [68.0, 75.2]`: the value and its 95 % interval, or the value and that it has none."""
    if estimate.low is None or estimate.high is None:
        return f"{ms(estimate.value)} ms (too few rounds for an interval)"
    return f"{ms(estimate.value)} ms [{ms(estimate.low)}, {ms(estimate.high)}]"


def count(number: int, what: str) -> str:
    """`1 invocation`, `1,200 invocations`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")

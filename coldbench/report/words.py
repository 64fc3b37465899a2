"""How figures and foreign strings are written, everywhere alike."""

from coldbench.core.durations import format_duration
from coldbench.core.summary import Interval, Quantiles

WITHHELD = "-"


def shown(text: str, longest: int = 200) -> str:
    """A string from a server or a user, with every character that could act on a terminal made visible."""
    safe = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:longest])
    return safe if len(safe) <= longest and len(text) <= longest else safe[: longest - 3] + "..."


def ms(value: float | None) -> str:
    """Milliseconds with three digits that count, `-` where the value is withheld."""
    if value is None:
        return WITHHELD
    if abs(value) < 9.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if abs(value) < 99.95 else f"{value:,.0f}"


def at(quantiles: Quantiles | None, statistic: str) -> str:
    """One statistic in ms, or the number `n`; `-` where it is withheld, empty where nothing was observed."""
    if quantiles is None:
        return ""
    return f"{quantiles.n:,}" if statistic == "n" else ms(getattr(quantiles, statistic))


def interval(estimate: Interval) -> str:
    """The 95 % interval: `[68.0 to 75.2]`; `[-]` when it is withheld."""
    if estimate.low is None or estimate.high is None:
        return f"[{WITHHELD}]"
    return f"[{ms(estimate.low)} to {ms(estimate.high)}]"


def silence(duration_ns: int) -> str:
    """`6m of silence`."""
    return f"{format_duration(duration_ns)} of silence"


def count(number: int, what: str) -> str:
    """`1 invocation`, `1,200 invocations`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def share(part: int, whole: int) -> str:
    """`12 of 360 calls (3.3 %)`."""
    percent = 100 * part / whole
    return f"{part:,} of {whole:,} calls ({percent:.{1 if 0 < percent < 9.95 else 0}f} %)"

"""What a cold call waits for, as one bar a target."""

from collections.abc import Sequence

from msgspec import Struct

from coldbench.core.summary import Quantiles, Result

# In the order of time, as a caller lives through them.
PARTS = ("network", "platform", "unattributed", "init", "exec")
NAMES = {
    "network": "network",
    "platform": "platform overhead",
    "unattributed": "unattributed",
    "init": "init",
    "exec": "execution",
}

# A part narrower than this share of a character is not drawn.
_VISIBLE = 0.2


class Bar(Struct, frozen=True, kw_only=True):
    """Of one target: the median of each part in ms, in the order of `PARTS`; what was not seen is absent.

    `wait_ms` is the median wait of its cold calls: about the sum, since medians do not add up exactly.
    """

    target: str
    parts: dict[str, float]
    wait_ms: float | None

    @property
    def total_ms(self) -> float:
        """The length of the bar."""
        return sum(self.parts.values())


def bars(results: Sequence[Result]) -> list[Bar]:
    """One for each target of which something of a cold start is known."""
    made = []
    for result in results:
        medians = {
            "network": result.round_trip_ms,
            "platform": _median(result.platform_ms),
            "unattributed": _unattributed(result),
            "init": _median(result.init_ms),
            "exec": _median(result.exec_ms),
        }
        # A part below zero (clocks, or an init that began before the call) has no length.
        parts = {name: max(value, 0.0) for name, value in medians.items() if value is not None}
        if parts.keys() & {"platform", "unattributed", "init"}:
            made.append(Bar(target=result.target, parts=parts, wait_ms=_median(result.wait_cold_ms)))
    return made


def cells(bar: Bar, longest_ms: float, width: int) -> list[tuple[str, int]]:
    """How many characters each part takes when `longest_ms` takes `width`; a part that shows at all is >= 1.

    Edges are rounded, not lengths, so that bars of equal length are equal.
    """
    if not longest_ms:
        return [(name, 0) for name in bar.parts]
    taken: list[tuple[str, int]] = []
    upto_ms, upto = 0.0, 0
    for name, value in bar.parts.items():
        upto_ms += value
        least = upto + (value / longest_ms * width >= _VISIBLE)
        edge = max(round(upto_ms / longest_ms * width), least)
        taken.append((name, edge - upto))
        upto = edge
    return taken


def _unattributed(result: Result) -> float | None:
    """What is left over; the whole startup, or all that a cold call costs, when no part of it is known."""
    if result.unattributed_ms is not None or result.init_ms is not None:
        return _median(result.unattributed_ms)
    if result.startup_ms is not None:
        return _median(result.startup_ms)
    return None if result.cold_penalty_ms is None else result.cold_penalty_ms.value


def _median(quantiles: Quantiles | None) -> float | None:
    return None if quantiles is None else quantiles.p50

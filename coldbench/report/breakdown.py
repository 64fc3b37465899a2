"""What a cold call waits for, as one bar a target."""

from collections.abc import Sequence

from msgspec import Struct

from coldbench.core.summary import Quantiles, Result

# name, the quantiles it comes from, a character for terminals that draw, one for those that do not
PARTS = {
    "network": "▒",
    "platform": "░",
    "unattributed": "▓",
    "init": "█",
    "execution": "▪",
}
ASCII = {"network": "n", "platform": "p", "unattributed": "?", "init": "#", "execution": "x"}


class Bar(Struct, frozen=True, kw_only=True):
    """Of one target: the median of each part in ms, in the order of `PARTS`; what was not seen is absent."""

    target: str
    parts: dict[str, float]

    @property
    def total_ms(self) -> float:
        return sum(self.parts.values())


def bars(results: Sequence[Result]) -> list[Bar]:
    """One for each target whose startup is known by parts."""
    made = []
    for result in results:
        medians = {
            "network": result.round_trip_ms,
            "platform": _median(result.platform_ms),
            "unattributed": _median(result.unattributed_ms),
            "init": _median(result.init_ms),
            "execution": _median(result.exec_ms),
        }
        if medians["init"] is not None:
            parts = {name: value for name, value in medians.items() if value is not None}
            made.append(Bar(target=result.target, parts=parts))
    return made


def cells(bar: Bar, longest_ms: float, width: int) -> list[tuple[str, int]]:
    """How many characters each part takes when `longest_ms` takes `width`; a part that shows at all is >= 1.

    The whole is rounded once, so that bars of equal length are equal.
    """
    scale = width / longest_ms if longest_ms else 0.0
    taken: list[tuple[str, int]] = []
    upto_ms = upto = 0.0
    for name, value in bar.parts.items():
        upto_ms += value
        edge = max(round(upto_ms * scale), upto + (1 if value * scale >= 0.2 else 0))
        taken.append((name, int(edge - upto)))
        upto = edge
    return taken


def _median(quantiles: Quantiles | None) -> float | None:
    return None if quantiles is None else quantiles.p50

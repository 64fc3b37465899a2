"""The language of `--fail-if`: `[TARGET.]FIELD[.STAT] > +10%`, a change against the baseline."""

import re
from collections.abc import Sequence
from math import isfinite

from msgspec import Struct

from coldbench.core.check import PARTS, resolve
from coldbench.core.errors import UsageError

_EXPRESSION = re.compile(r"\s*([^\s<>=!]+)\s*([<>])\s*([+-])(\d[^\s%]*)\s*(%?)\s*")


class Change(Struct, frozen=True, kw_only=True):
    """What must not be. `target` None is each one; the bound is signed, in percent or in the field's unit."""

    text: str
    target: str | None
    field: str
    stat: str | None
    growth: bool  # `>`: to grow by more is forbidden; `<`: to fall by more
    bound: float
    percent: bool

    @property
    def part(self) -> float | None:
        """The p of a quantile, 0 to 1."""
        return PARTS.get(self.stat or "")


def parse_change(text: str, targets: Sequence[str]) -> Change:
    """The change that `text` forbids, of runs of these targets.

    Raises UsageError for what is no expression, an unknown metric or an unknown target.
    """
    place = f"--fail-if '{text}'"
    found = _EXPRESSION.fullmatch(text)
    if found is None:
        raise UsageError(
            "expected [TARGET.]FIELD[.STAT] > +NUMBER%",
            place=place,
            hint="for instance startup_ms.p50 > +10%, or > +50 for ms; --check has bounds of their own",
        )
    path, comparison, sign, number, percent = found.groups()
    try:
        bound = float(f"{sign}{number}")
    except ValueError:
        bound = float("nan")
    if not isfinite(bound):
        raise UsageError(f"not a number: {sign}{number}", place=place)
    target, field, stat = resolve(path, targets, place)
    if not field.endswith("_ms"):
        raise UsageError(f"{field} is no duration", place=place, hint="use --check for what is counted")
    return Change(
        text=text.strip(),
        target=target,
        field=field,
        stat=stat,
        growth=comparison == ">",
        bound=bound,
        percent=percent == "%",
    )

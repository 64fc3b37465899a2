"""The language of `--check`: `[TARGET.]FIELD[.STAT] < NUMBER` over `results[]` and `counts` of a run."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from math import isfinite

from msgspec import Struct
from msgspec.structs import fields

from coldbench.core.errors import UsageError
from coldbench.core.summary import Counts, Interval, Quantiles, Result
from coldbench.core.verdict import Verdict

_EXPRESSION = re.compile(r"\s*([^\s<>=!]+)\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*")
_COUNTS = "counts"
# The quantiles that are compared with their bounds; the other statistics are compared as they are.
PARTS = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


class Comparison(StrEnum):
    """What stands between a figure and its bound."""

    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    EQUAL = "=="
    NOT_EQUAL = "!="


class Check(Struct, frozen=True, kw_only=True):
    """`target` None is each one; `field` is one of Result's, or `counts`; the bound has the field's unit."""

    text: str
    target: str | None
    field: str
    stat: str | None
    comparison: Comparison
    bound: float

    @property
    def part(self) -> float | None:
        """The p of a quantile, 0 to 1."""
        return PARTS.get(self.stat or "") if self.field in _of_type(Quantiles) else None


def parse_check(text: str, targets: Sequence[str]) -> Check:
    """The check that `text` says, of a run of these targets.

    Raises UsageError for what is no expression, an unknown metric or an unknown target.
    """
    place = f"--check '{text}'"
    found = _EXPRESSION.fullmatch(text)
    if found is None:
        raise UsageError(
            "expected [TARGET.]FIELD[.STAT] < NUMBER", place=place, hint="for instance startup_ms.p95 < 800"
        )
    path, comparison, number = found.groups()
    try:
        bound = float(number)
    except ValueError:
        bound = float("nan")
    if not isfinite(bound):
        raise UsageError(f"not a number: {number}", place=place)
    target, field, stat = resolve(path, targets, place)
    check = Check(
        text=text.strip(),
        target=target,
        field=field,
        stat=stat,
        comparison=Comparison(comparison),
        bound=bound,
    )
    if check.part is not None and check.comparison in (Comparison.EQUAL, Comparison.NOT_EQUAL):
        raise UsageError("a quantile is compared with < or >", place=place)
    return check


def resolve(path: str, targets: Sequence[str], place: str) -> tuple[str | None, str, str | None]:
    """Target, field and statistic. A target's name may have dots, and look like a field: the longest one that
    leaves a metric is meant. Raises UsageError where none is.
    """
    if (metric := _metric(path)) is not None:
        return None, *metric
    for target in sorted(targets, key=len, reverse=True):
        rest = path.removeprefix(f"{target}.")
        if rest != path and (metric := _metric(rest)) is not None and metric[0] != _COUNTS:
            return target, *metric
    raise UsageError(
        f"no such metric: {path}",
        place=place,
        hint=f"there are {', '.join(sorted(_METRICS))}; targets: {', '.join(targets)}",
    )


def _metric(path: str) -> tuple[str, str | None] | None:
    field, _, stat = path.partition(".")
    allowed = _METRICS.get(field)
    if allowed is None or (stat or None) not in allowed:
        return None
    return field, stat or None


def _of_type(wanted: type[Struct]) -> frozenset[str]:
    return frozenset(field.name for field in fields(Result) if field.type == wanted | None)


def _metrics() -> dict[str, frozenset[str | None]]:
    """By field, the statistics it has; None where the field itself is a number."""
    quantiles: Iterable[str] = (field.name for field in fields(Quantiles))
    intervals: Iterable[str] = (field.name for field in fields(Interval))
    return {
        **dict.fromkeys(_of_type(Quantiles), frozenset[str | None](quantiles)),
        **dict.fromkeys(_of_type(Interval), frozenset[str | None](intervals)),
        "verdicts": frozenset(verdict.value for verdict in Verdict),
        **dict.fromkeys(("contradictions", "instances", "round_trip_ms"), frozenset([None])),
        _COUNTS: frozenset(field.name for field in fields(Counts)),
    }


_METRICS = _metrics()

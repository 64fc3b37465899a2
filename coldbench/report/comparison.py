"""A comparison as tables and in words: the same ones on every face."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence

from coldbench.core.comparison import Comparison, Difference, Figure, Group, Told
from coldbench.report.table import Column, Table
from coldbench.report.tables import checks_table
from coldbench.report.words import interval, ms, shown
from coldbench.runs.cells import inert

# How each field of `Result` that is compared is called.
FIELD_NAMES = {
    "startup_ms": "startup",
    "platform_ms": "platform overhead",
    "unattributed_ms": "unattributed",
    "init_ms": "init",
    "exec_ms": "execution",
    "wait_cold_ms": "wait cold",
    "wait_warm_ms": "wait warm",
    "service_ms": "any call",
}
# What a cold call's price is made of, in the order of time.
_PARTS = ("platform_ms", "unattributed_ms", "init_ms")
# What a person asks first: the start, then the call that needed none.
_ASKED = (("startup_ms", "wait_cold_ms"), ("wait_warm_ms", "service_ms"))
_CALLS = {
    "wait_warm_ms": ("warm calls", "answers a warm call"),
    "service_ms": ("calls, cold or warm", "answers"),
}
_TOLD = {Told.SLOWER: "slower", Told.FASTER: "faster", Told.ALIKE: "~", Told.TOO_FEW: "few rounds"}
_LONGEST_NAME = 40
_CSV = (
    *("group", "field", "side", "reference", "told", "side_n", "reference_n", "side_p50_ms"),
    *("reference_p50_ms", "difference_ms", "low_ms", "high_ms", "difference_pct", "longer_in_pct"),
)


def comparison_title(comparison: Comparison) -> str:
    """`coldbench compare node, python, custom`."""
    names = [side.name for group in comparison.comparison for side in group.sides]
    return f"coldbench compare {shown(', '.join(dict.fromkeys(names)), 200)}"


def comparison_tables(comparison: Comparison) -> Iterator[Table]:
    """Of each group its sides and its differences; then what was checked."""
    for group in comparison.comparison:
        if any(side.figures for side in group.sides):
            yield _sides(group)
        if group.differences:
            yield _differences(group)
    if comparison.checks:
        few = "the bound is inside the 95 % interval of the change, or there is none; more rounds narrow it"
        yield checks_table(comparison.checks, few)


def comparison_words(comparison: Comparison) -> Iterator[str]:
    """Who is slower at start, by how much, in which part; and what cannot be told."""
    for group in comparison.comparison:
        prefix = f"{shown(group.name, _LONGEST_NAME)}: " if group.name else ""
        ranked = " < ".join(" ~ ".join(shown(name, _LONGEST_NAME) for name in tier) for tier in group.tiers)
        if ranked:
            yield f"{prefix}by {FIELD_NAMES[group.ranked_by or '']}, shortest first: {ranked}" + (
                " (~: not distinguishable)" if "~" in ranked else ""
            )
        yield from (prefix + said for said in _beyond(group))
        if not group.differences and not group.tiers:
            yield f"{prefix}nothing was observed at two sides that can be compared"
        for pair in dict.fromkeys((each.side, each.reference) for each in group.differences):
            found = {each.field: each for each in group.differences if (each.side, each.reference) == pair}
            yield from (prefix + said for said in _pair(found))


def comparison_csv(comparison: Comparison) -> str:
    """Each difference with the two medians behind it, a line each (RFC 4180)."""
    to = io.StringIO()
    writer = csv.writer(to)
    writer.writerow(_CSV)
    for group in comparison.comparison:
        figures = {side.name: side.figures for side in group.sides}
        for each in group.differences:
            side, reference = figures[each.side][each.field], figures[each.reference][each.field]
            found = each.difference_ms
            writer.writerow(
                (
                    *map(inert, (group.name, each.field, each.side, each.reference, each.told)),
                    *(side.n, reference.n, _p50(side), _p50(reference)),
                    *(found.value, found.low, found.high, each.difference_pct, each.longer_in_pct),
                )
            )
    return to.getvalue()


def _p50(figure: Figure) -> float | None:
    return None if figure.p50 is None else figure.p50.value


def _sides(group: Group) -> Table:
    rows = []
    for field, name in FIELD_NAMES.items():
        known = [(side, figure) for side in group.sides if (figure := side.figures.get(field)) is not None]
        for place, (side, figure) in enumerate(known):
            p50 = "-" if figure.p50 is None else f"{ms(figure.p50.value)} {interval(figure.p50)}"
            cells = [
                shown(side.name, _LONGEST_NAME),
                p50,
                ms(figure.p95),
                f"{figure.n:,}",
                str(figure.rounds),
            ]
            rows.append(["" if place else name, *cells])
    kinds = {side.cold_kind for side in group.sides if side.cold_kind}
    return Table(
        title=f"Medians{_of(group)}, in ms",
        columns=[
            Column("of", words=True),
            Column("side", words=True),
            Column("p50", "[95 % interval]"),
            Column("p95"),
            Column("n"),
            Column("rounds"),
        ],
        rows=rows,
        caption=f"Cold starts: {' and '.join(sorted(kinds))}. "
        * bool(kinds)
        + "Rounds: what the intervals resample. -: too few samples, or beyond the time allowed; "
        "[-]: too few rounds, or too many timeouts.",
    )


def _differences(group: Group) -> Table:
    references = list(dict.fromkeys(each.reference for each in group.differences))
    columns: dict[Column, Callable[[Difference], str]] = {
        Column("side", words=True): lambda each: shown(each.side, _LONGEST_NAME),
        Column("against", words=True): lambda each: shown(each.reference, _LONGEST_NAME),
        Column("of", words=True): lambda each: FIELD_NAMES[each.field],
        Column("difference", "[95 % interval]"): lambda each: _with_interval(each),
        Column("in %"): lambda each: "" if each.difference_pct is None else f"{each.difference_pct:+.0f}",
        Column("longer in", "% of pairs"): lambda each: f"{each.longer_in_pct:.0f}",
        Column("", words=True): lambda each: _TOLD[each.told],
    }
    if len(references) == 1:
        del columns[Column("against", words=True)]
    return Table(
        title=f"Differences{_of(group)} to {shown(', '.join(references), _LONGEST_NAME)}, in ms",
        columns=list(columns),
        rows=[[cell(each) for cell in columns.values()] for each in group.differences],
        caption="~: not distinguishable. Longer in: of all pairs of calls, one of each side, the part in "
        "which the side's took longer.",
    )


def _of(group: Group) -> str:
    return f" of {shown(group.name, _LONGEST_NAME)}" if group.name else ""


def _with_interval(each: Difference) -> str:
    return f"{_signed(each.difference_ms.value)} {interval(each.difference_ms)}"


def _beyond(group: Group) -> Iterator[str]:
    for side in group.sides:
        for field, figure in side.figures.items():
            if figure.beyond:
                name, timed_out = shown(side.name, _LONGEST_NAME), f"{figure.cut_off:,} of {figure.n:,} calls"
                median = f"the median of {FIELD_NAMES[field]} is beyond the time allowed"
                yield f"{name}: {timed_out} timed out: {median}, and no difference to it is a number"


def _pair(found: dict[str, Difference]) -> Iterator[str]:
    for fields in _ASKED:
        field = next((field for field in fields if field in found), None)
        if field is not None:
            yield _sentence(found[field], [found[part] for part in _PARTS if part in found])


def _sentence(each: Difference, parts: Sequence[Difference]) -> str:
    side, reference = shown(each.side, _LONGEST_NAME), shown(each.reference, _LONGEST_NAME)
    found = each.difference_ms
    what, does = _CALLS.get(each.field, ("starts", "starts"))
    bounds = f"95 % interval {interval(found)[1:-1]} ms"
    match each.told:
        case Told.TOO_FEW:
            return (
                f"{side} and {reference}: too few rounds to compare their {what}; three at least, better ten"
            )
        case Told.ALIKE:
            times = each.times_as_many
            more = "" if times is None else f"; about {max(times, 2):,.0f} times as many rounds would tell"
            return (
                f"{side} and {reference}: their {what} are not distinguishable: "
                f"{_signed(found.value)} ms, {bounds}{more}{' a difference of this size' * bool(more)}"
            )
        case _:
            said = f"{side} {does} {ms(abs(found.value))} ms {each.told} than {reference}, {bounds}"
            return said if each.field in _CALLS else f"{said}{_made_of(each, parts)}"


def _made_of(whole: Difference, parts: Sequence[Difference]) -> str:
    """What is told apart from nothing, and what is not though it seems to be more; platform overhead is
    measured, so that it is not the code.
    """
    told = [part for part in parts if part.told in (Told.SLOWER, Told.FASTER)]
    most = max((abs(part.difference_ms.value) for part in told), default=0.0)
    said = []
    for part in told:
        mine = ", not your code" if part.field == "platform_ms" and part.told is whole.told else ""
        said.append(f"{_signed(part.difference_ms.value)} ms in {FIELD_NAMES[part.field]}{mine}")
    if not said:
        return ""
    untold = [
        f"; {_signed(part.difference_ms.value)} ms in {FIELD_NAMES[part.field]} may be chance"
        for part in parts
        if part not in told and abs(part.difference_ms.value) > most
    ]
    return f": {'; '.join(said)} (medians){''.join(untold)}"


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else ''}{ms(value)}"

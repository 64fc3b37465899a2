"""The tool's own errors, as the text that the terminal and docs/accuracy.md show."""

from collections.abc import Iterator, Sequence

from tabulate import tabulate

from coldbench.core.accuracy import Accuracy
from coldbench.core.verdict import Verdict
from coldbench.report.words import ms

_HEADS = [
    *("case", "evidence level", "invocations", "wrong", "unknown"),
    *("cold recall", "cold precision", "startup error (median)"),
]
_RIGHT = ["left"] + ["right"] * (len(_HEADS) - 1)


def selftest_lines(found: Sequence[Accuracy], style: str) -> Iterator[str]:
    """One table of all cases, then each case's confusion matrix. `style` is a format of tabulate's."""
    yield tabulate([_row(one) for one in found], headers=_HEADS, tablefmt=style, colalign=_RIGHT)
    for one in found:
        yield ""
        yield f"{one.case}, evidence level {one.evidence_level}: truth down, verdict across"
        yield ""
        yield _matrix(one, style)


def _row(one: Accuracy) -> list[str]:
    error = one.startup_error_ms
    return [
        one.case,
        str(one.evidence_level),
        f"{one.invocations:,}",
        _part(one.wrong, one.invocations),
        _part(one.unknown, one.invocations),
        _pct(one.cold_recall_pct),
        _pct(one.cold_precision_pct),
        "-" if error is None or error.p50 is None else f"{ms(error.p50)} ms (n = {error.n})",
    ]


def _matrix(one: Accuracy, style: str) -> str:
    """How often each verdict was given, by truth."""
    said = [verdict for verdict in Verdict if any(verdict in row for row in one.matrix.values())]
    rows = [[true, *(str(row.get(verdict, 0)) for verdict in said)] for true, row in one.matrix.items()]
    return tabulate(rows, headers=["truth", *said], tablefmt=style, disable_numparse=True)


def _part(n: int, of: int) -> str:
    return f"{n:,} ({100 * n / of:.1f} %)" if of else "0"


def _pct(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} %"

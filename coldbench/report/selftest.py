"""The tool's own errors, as the text that the terminal and docs/accuracy.md show."""

from collections.abc import Iterator

from tabulate import tabulate

from coldbench.core.accuracy import Accuracy, Recovered, Selftest
from coldbench.core.verdict import Verdict
from coldbench.report.words import ms

_HEADS = [
    *("case", "evidence level", "invocations", "wrong", "unknown"),
    *("cold recall", "cold precision", "startup error (median)"),
]
_ESTIMATES = ["quantity", "evidence level", "true", "found", "error", "interval", "holds it"]


def selftest_lines(found: Selftest, style: str) -> Iterator[str]:
    """All cases, the estimates, then each case's confusion matrix. `style` is a format of tabulate's."""
    rows = [_row(one) for one in found.verdicts]
    yield tabulate(rows, headers=_HEADS, tablefmt=style, colalign=_align(_HEADS))
    yield ""
    rows = [_estimate(one) for one in found.estimates]
    yield tabulate(rows, headers=_ESTIMATES, tablefmt=style, colalign=_align(_ESTIMATES))
    for one in found.verdicts:
        yield ""
        yield f"{one.case}, evidence level {one.evidence_level}: truth down, verdict across"
        yield ""
        yield _matrix(one, style)


def _align(heads: list[str]) -> list[str]:
    return ["left"] + ["right"] * (len(heads) - 1)


def _estimate(one: Recovered) -> list[str]:
    error, covered = one.error_pct, one.covered
    return [
        one.quantity,
        str(one.evidence_level),
        f"{one.true:g}",
        "-" if one.found is None else f"{one.found:.3g}",
        "-" if error is None else f"{error:+.1f} %",
        "-" if covered is None else f"{one.low:.3g} to {one.high:.3g}",
        {None: "-", True: "yes", False: "no"}[covered],
    ]


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

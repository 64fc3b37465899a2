"""Verdicts and times against the truth."""

from collections import Counter
from collections.abc import Iterable

from coldbench.core.accuracy import Accuracy, Met
from coldbench.core.invocation import Invocation
from coldbench.core.verdict import Judgement, Verdict
from coldbench.stats.quantiles import quantiles


def accuracy(case: str, evidence_level: int, rows: Iterable[tuple[Invocation, Judgement, Met]]) -> Accuracy:
    """Of all invocations of one case, each with its judgement and what it really met."""
    counted: Counter[tuple[Verdict, Verdict]] = Counter()
    errors_ms = []
    for invocation, judgement, met in rows:
        counted[met.verdict, judgement.verdict] += 1
        if judgement.verdict is met.verdict is Verdict.COLD:
            error_ms = _startup_error_ms(invocation, met)
            if error_ms is not None:
                errors_ms.append(error_ms)
    unknown = sum(n for (_, said), n in counted.items() if said is Verdict.UNKNOWN)
    wrong = sum(n for (true, said), n in counted.items() if said not in (true, Verdict.UNKNOWN))
    cold = {said: n for (true, said), n in counted.items() if true is Verdict.COLD}
    found = cold.get(Verdict.COLD, 0)
    called_cold = sum(n for (_, said), n in counted.items() if said is Verdict.COLD)
    matrix: dict[str, dict[str, int]] = {}
    for (true, said), n in sorted(counted.items()):
        matrix.setdefault(true, {})[said] = n
    return Accuracy(
        case=case,
        evidence_level=evidence_level,
        invocations=counted.total(),
        wrong=wrong,
        unknown=unknown,
        cold_recall_pct=_pct(found, sum(cold.values()) - cold.get(Verdict.UNKNOWN, 0)),
        cold_precision_pct=_pct(found, called_cold),
        matrix=matrix,
        startup_error_ms=quantiles(errors_ms),
    )


def _startup_error_ms(invocation: Invocation, met: Met) -> float | None:
    wait_ns, exec_ms = invocation.wait_ns, invocation.evidence.exec_ms
    if wait_ns is None or exec_ms is None or met.startup_ms is None:
        return None
    return abs(wait_ns / 1e6 - exec_ms - met.startup_ms)


def _pct(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None

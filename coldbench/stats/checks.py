"""Whether a run keeps a bound, and whether it has the samples to say so."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence

from coldbench.core.check import Check, Comparison
from coldbench.core.summary import Checked, Counts, Outcome, Result
from coldbench.stats.distribution import Distribution

# A quantile keeps its bound when the samples would be this unlikely if it did not.
_DOUBT = 0.05

_COMPARE: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.LESS: operator.lt,
    Comparison.LESS_OR_EQUAL: operator.le,
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_OR_EQUAL: operator.ge,
    Comparison.EQUAL: operator.eq,
    Comparison.NOT_EQUAL: operator.ne,
}

# By target and field: the values, and how many more were cut off above them.
Values = Mapping[str, Mapping[str, tuple[Distribution, int]]]


def checked(
    checks: Sequence[Check], counts: Counts, results: Mapping[str, Result], values: Values
) -> Iterator[Checked]:
    """Each check at each target that it is about."""
    for check in checks:
        if check.field == "counts":
            yield _compared(check, None, getattr(counts, check.stat or ""), None)
            continue
        for target in results if check.target is None else [check.target]:
            if check.part is not None:
                yield _quantile(check, target, results[target], check.part, values)
            else:
                yield _figure(check, target, results[target])


def _figure(check: Check, target: str, result: Result) -> Checked:
    found = getattr(result, check.field)
    if isinstance(found, dict):
        return _compared(check, target, found.get(check.stat, 0), None)
    n = getattr(found, "n", None)
    return _compared(check, target, found if check.stat is None else getattr(found, check.stat, None), n)


def _compared(check: Check, target: str | None, seen: float | None, n: int | None) -> Checked:
    if seen is None:
        outcome = Outcome.TOO_FEW
    else:
        outcome = Outcome.PASSED if _COMPARE[check.comparison](seen, check.bound) else Outcome.FAILED
    return Checked(check=check.text, target=target, outcome=outcome, seen=seen, n=n)


def _quantile(check: Check, target: str, result: Result, part: float, values: Values) -> Checked:
    """By the exact binomial bound (Conover, Practical Nonparametric Statistics, 1999, 3.2).

    `p95 < X` passes when so few of n would reach X with a probability of 5 % at most if a twentieth of all
    did: 0 of 59. It fails when a twentieth of those seen do; between the two there are too few samples.
    """
    distribution, censored = values[target][check.field]
    below, up_to, known = distribution.ranks(check.bound)
    n = known + censored
    match check.comparison:
        case Comparison.LESS:
            against, allowed = n - below, 1 - part
        case Comparison.LESS_OR_EQUAL:
            against, allowed = n - up_to, 1 - part
        case Comparison.GREATER:
            against, allowed = up_to, part
        case _:
            against, allowed = below, part
    quantiles = getattr(result, check.field)
    seen = getattr(quantiles, check.stat or "", None)
    return Checked(check=check.text, target=target, outcome=_proved(against, n, allowed), seen=seen, n=n)


def _proved(against: int, n: int, allowed: float) -> Outcome:
    from scipy.stats import binom

    if n and against >= n * allowed - 1e-9:
        return Outcome.FAILED
    if n and binom.cdf(against, n, allowed) <= _DOUBT:
        return Outcome.PASSED
    return Outcome.TOO_FEW

"""How right the tool was, where the truth is known: the records of `coldbench selftest`."""

from msgspec import Struct

from coldbench.core.summary import Quantiles
from coldbench.core.verdict import Verdict


class Met(Struct, frozen=True, kw_only=True):
    """What the lab says that an invocation met; its startup where it waited for an instance."""

    verdict: Verdict
    startup_ms: float | None = None


class Accuracy(Struct, frozen=True, kw_only=True):
    """Verdicts and times of one case against the truth.

    `matrix` counts verdicts by truth: `matrix["cold"]["warm"]` were cold and called warm. Recall and
    precision of `cold` are among the invocations that were decided; None where there were none.
    """

    case: str
    evidence_level: int
    invocations: int
    wrong: int
    unknown: int
    cold_recall_pct: float | None
    cold_precision_pct: float | None
    matrix: dict[str, dict[str, int]]
    # of the startup of cold calls, |measured - true|, where the answers tell their execution
    startup_error_ms: Quantiles | None = None

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


class Recovered(Struct, frozen=True, kw_only=True):
    """What the lab was set to, and what was found of it with its 95 % interval."""

    quantity: str
    evidence_level: int
    true: float
    found: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def error_pct(self) -> float | None:
        """How far what was found is from the truth."""
        return None if self.found is None else 100 * (self.found - self.true) / self.true

    @property
    def covered(self) -> bool | None:
        """Whether the interval holds the truth; None without an interval."""
        return None if self.low is None or self.high is None else self.low <= self.true <= self.high


class Selftest(Struct, frozen=True, kw_only=True):
    """The key `selftest` of the JSON."""

    verdicts: tuple[Accuracy, ...]
    estimates: tuple[Recovered, ...] = ()

"""What a comparison finds: the shape of `compare --json`, schema `coldbench.comparison/1`.

History of the schema
1: first. Keys are only ever added.
"""

from enum import StrEnum

from msgspec import Struct

from coldbench.core.summary import Checked, Interval

SCHEMA = "coldbench.comparison/1"

_FEWEST = 5  # values for a median


class Told(StrEnum):
    """What a difference says, at 95 %; of separate runs only what is more than a tenth."""

    SLOWER = "slower"
    FASTER = "faster"
    ALIKE = "not distinguishable"
    TOO_FEW = "too few rounds"


class Figure(Struct, frozen=True, kw_only=True):
    """Of one field of `Result` at one side: its median, ms, with a 95 % interval.

    `rounds` are what was resampled: the rounds of a run, or parts of its time where it has only one.
    `cut_off` of the n timed out: their values stand above all others.
    """

    n: int
    rounds: int
    p50: Interval | None = None  # None with fewer than 5, and where it is `beyond`
    p95: float | None = None
    cut_off: int = 0

    @property
    def beyond(self) -> bool:
        """So many timed out that the median depends on how long they would have taken."""
        return self.p50 is None and self.cut_off > 0 and self.n >= _FEWEST


class Side(Struct, frozen=True, kw_only=True):
    """One target of one run."""

    name: str  # as the comparison calls it
    run: str  # the name of its folder
    target: str
    runtime: str | None = None
    labels: dict[str, str] = {}
    cold_kind: str | None = None  # the kind of cold starts that its figures are of
    figures: dict[str, Figure] = {}  # by the field of `Result`


class Difference(Struct, frozen=True, kw_only=True):
    """Of one field: the median at `side` minus the median at `reference`, ms, with a 95 % interval."""

    field: str
    side: str
    reference: str
    told: Told
    difference_ms: Interval
    difference_pct: float | None = None  # of the reference's median; None where that is zero
    # of pairs of calls, one of each side, the part in which the side's took longer; ties count half
    # (the A of Vargha and Delaney 2000; Cliff's delta is 2A - 1)
    longer_in_pct: float | None = None
    # as many rounds as these two sides have, times this, would tell a difference of this size: rough, since
    # an interval narrows with the root of their number; None where it is told, or nobody can say
    times_as_many: float | None = None


class Group(Struct, frozen=True, kw_only=True):
    """Sides that are compared with one another, and how they rank.

    `tiers` orders them by the median of `ranked_by`, shortest first; those of one tier cannot be told from
    its first.
    """

    name: str
    sides: tuple[Side, ...]
    ranked_by: str | None = None
    tiers: tuple[tuple[str, ...], ...] = ()
    differences: tuple[Difference, ...] = ()


class Comparison(Struct, frozen=True, kw_only=True):
    """All of it. `warnings` say what differs between the runs beside what is compared."""

    schema: str = SCHEMA
    command: str = "compare"
    comparison: tuple[Group, ...] = ()
    baseline: str | None = None
    warnings: tuple[str, ...] = ()
    checks: tuple[Checked, ...] = ()

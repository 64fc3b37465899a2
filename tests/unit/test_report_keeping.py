"""What is said of instances that were kept warm."""

import pytest

from coldbench.core.keepwarm import Keepwarm, Kept, together
from coldbench.report.keeping import kept_words
from coldbench.report.tables import tables
from tests.unit.report_runs import SILENT, run_of


def kept(cold: int | None, slow: int = 0) -> Keepwarm:
    return together(
        [
            Kept(
                target="f", asked=2, reached=2, estimated=cold is None, rounds=12, coverage_pct=100.0,
                cold=cold, slow=slow, pings=24, hold_ms=75.0, held_by="execution", every_s=2.0,
            )
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cold", "slow", "said", "cell"),
    [
        (0, 0, "No cold start slipped through.", "0"),
        (3, 0, "3 cold starts slipped through.", "3"),
        (None, 0, "No answer says whether a cold start slipped through; no ping waited as for one.", ""),
        (None, 4, "slipped through; 4 pings waited as for one, or for room.", ""),
    ],
)
def test_what_slipped_through_is_said_as_far_as_it_is_known(
    cold: int | None, slow: int, said: str, cell: str
) -> None:
    (line,) = kept_words(kept(cold, slow))
    assert line.startswith("f: 100 % of 10 rounds found all 2 instances still there")
    assert line.endswith(said)
    table = next(tables(run_of(SILENT, command="keepwarm", keepwarm=kept(cold, slow))))
    assert table.rows[0][[column.head for column in table.columns].index("cold slipped in")] == cell

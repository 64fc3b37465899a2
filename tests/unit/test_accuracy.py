"""Verdicts against the truth: the counting, the lab's file, the table."""

import json
from pathlib import Path

import pytest

from coldbench.core.accuracy import Accuracy, Met, Recovered, Selftest
from coldbench.core.invocation import Evidence, Invocation
from coldbench.core.verdict import Judgement, Verdict
from coldbench.report.selftest import selftest_lines
from coldbench.runs.truth import read_truth
from coldbench.stats.accuracy import accuracy

MS = 1_000_000


def row(
    true: Verdict, said: Verdict, *, wait_ms: float = 100, exec_ms: float | None = 10, startup_ms: float = 88
) -> tuple[Invocation, Judgement, Met]:
    invocation = Invocation(
        seq=0,
        target="f",
        phase="0:burst",
        intended_ns=0,
        sent_ns=0,
        first_byte_ns=int(wait_ms * MS),
        evidence=Evidence(exec_ms=exec_ms),
    )
    judgement = Judgement(seq=0, verdict=said, reason="", confidence=1.0)
    return invocation, judgement, Met(verdict=true, startup_ms=startup_ms)


COLD, WARM, UNKNOWN = Verdict.COLD, Verdict.WARM, Verdict.UNKNOWN


def case(*rows: tuple[Invocation, Judgement, Met]) -> Accuracy:
    return accuracy("a case", 2, rows)


def test_what_is_unknown_is_not_wrong() -> None:
    found = case(*[row(COLD, COLD)] * 3, row(COLD, WARM), row(WARM, COLD), *[row(COLD, UNKNOWN)] * 2)
    assert (found.invocations, found.wrong, found.unknown) == (7, 2, 2)
    assert (found.cold_recall_pct, found.cold_precision_pct) == (75, 75)
    assert found.matrix == {"cold": {"cold": 3, "unknown": 2, "warm": 1}, "warm": {"cold": 1}}


def test_without_cold_calls_there_is_no_recall() -> None:
    found = case(row(WARM, WARM), row(WARM, UNKNOWN))
    assert (found.cold_recall_pct, found.cold_precision_pct, found.startup_error_ms) == (None, None, None)


def test_startup_is_compared_where_the_execution_is_told() -> None:
    late = row(COLD, COLD, wait_ms=98.5, startup_ms=88)
    untold = row(COLD, COLD, exec_ms=None)
    error = case(*[late] * 5, untold, row(WARM, WARM)).startup_error_ms
    assert error is not None
    assert (error.n, error.p50) == (5, pytest.approx(0.5))


def test_the_labs_truth_of_one_run(tmp_path: Path) -> None:
    lines = [
        {"id": "r-1", "verdict": "cold", "queue_ms": 20.0, "init_ms": 60.0},
        {"id": "r-2", "verdict": "warm", "queue_ms": 1.0, "init_ms": None},
        {"id": "other-3", "verdict": "cold", "queue_ms": 1.0, "init_ms": 1.0},
        {"id": None, "verdict": "warm", "queue_ms": 1.0, "init_ms": None},
    ]
    path = tmp_path / "truth"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_truth(path, "r") == {1: Met(verdict=COLD, startup_ms=80.0), 2: Met(verdict=WARM)}


def test_an_estimate_beside_the_truth() -> None:
    near = Recovered(quantity="q", evidence_level=2, true=2.0, found=2.1, low=1.9, high=2.05)
    assert (near.error_pct, near.covered) == (pytest.approx(5), True)
    nothing = Recovered(quantity="q", evidence_level=0, true=2.0)
    assert (nothing.error_pct, nothing.covered) == (None, None)


def test_the_tables() -> None:
    found = case(row(COLD, COLD), row(WARM, UNKNOWN))
    near = Recovered(quantity="a lifetime", evidence_level=2, true=2.0, found=2.1, low=2.05, high=2.2)
    nothing = Recovered(quantity="a lifetime", evidence_level=0, true=2.0)
    tested = Selftest(verdicts=(found,), estimates=(near, nothing))
    text = " ".join("\n".join(selftest_lines(tested, "github")).split())
    assert "| a case | 2 | 2 | 0 (0.0 %) | 1 (50.0 %) |" in text
    assert "| truth | cold | unknown |" in text
    assert "| a lifetime | 2 | 2 | 2.1 | +5.0 % | 2.05 to 2.2 | no |" in text
    assert "| a lifetime | 0 | 2 | - | - | - | - |" in text

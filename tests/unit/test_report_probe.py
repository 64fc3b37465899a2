"""What the faces show of a probe: phases, what is measured and what derived, and the plain answers."""

import io
from typing import Any

import pytest
from msgspec.structs import replace
from rich.console import Console

from coldbench.core.rounds import Experiment, Provocation
from coldbench.core.summary import Connecting, Interval, Phases, Probed, Run, TargetInfo
from coldbench.core.target import Target
from coldbench.report.experiment import experiment_lines
from coldbench.report.known import known
from coldbench.report.probed import answers
from coldbench.report.reading import reading
from coldbench.report.tables import tables
from coldbench.report.text import text
from coldbench.report.waterfall import waterfall
from tests.unit.report_runs import PYTHON, SILENT, run_of, times

COLD = Phases(verdict="cold", connection="fresh", n=10, dns_ms=10, connect_ms=10, wait_ms=70, download_ms=10)
WARM = Phases(verdict="warm", connection="fresh", n=20, dns_ms=1, connect_ms=9, wait_ms=5, download_ms=0)
KEPT = Phases(verdict="warm", connection="reused", n=20, wait_ms=5, download_ms=0)
PROBED = Probed(
    target="python",
    phases=(COLD, WARM, KEPT),
    exec_first_ms=times(9.0, n=10),
    exec_later_ms=times(2.0, n=40),
    first_execution_ms=Interval(value=7.0, low=6.0, high=8.0),
)


def probe(probed: Probed = PROBED) -> Run:
    return run_of(PYTHON, command="probe", probe=(probed,))


def drawn(run: Run, width: int = 61) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    return [line.plain for line in waterfall(run, console, width)]


def test_each_phase_begins_where_the_one_before_ends() -> None:
    head, dns, connect, wait, download = drawn(probe())
    assert "cold (10)" in head
    assert "warm (20)" in head
    starts = [line.index("█") for line in (dns, connect, wait, download)]
    lengths = [line.count("█") for line in (dns, connect, wait, download)]
    assert starts == sorted(starts)
    assert all(
        start + length == after for start, length, after in zip(starts, lengths, starts[1:], strict=False)
    )
    assert lengths[2] == max(lengths)
    assert max(map(len, (dns, connect, wait, download))) == 61


def test_a_phase_too_short_to_draw_is_still_seen() -> None:
    tiny = replace(COLD, dns_ms=1e-6, download_ms=1e-6)
    assert all("█" in line for line in drawn(probe(replace(PROBED, phases=(tiny,))))[1:])


def test_without_a_cold_start_nothing_is_drawn() -> None:
    assert drawn(probe(replace(PROBED, phases=(WARM,)))) == []


def test_the_table_has_a_row_for_each_kind_of_call() -> None:
    *_, table = tables(probe())
    assert table.title == "Phases of a call, mean ms"
    assert [row[1] for row in table.rows] == ["cold, fresh", "warm, fresh", "warm, reused"]
    assert table.rows[2][2:5] == ["", "", ""]
    assert all(table.title != other.title for other in tables(run_of(PYTHON)))


def test_what_is_measured_and_what_derived_is_said_of_a_probe_alone() -> None:
    (line,) = known(probe())
    measured, derived = line.split("; ")
    assert "init (reported by the shim in the function)" in measured
    assert "platform overhead" in derived
    assert not list(known(run_of(PYTHON)))


def test_what_nobody_reports_is_not_known() -> None:
    bare = replace(PYTHON, exec_ms=None, init_ms=None, startup_ms=None, platform_ms=None)
    info = TargetInfo(name="python", url="https://f.example/", evidence_level=0)
    (line,) = known(run_of(bare, command="probe", probe=(PROBED,), targets=(info,)))
    assert "not known: execution, init, startup" in line
    assert "reported" not in line


def test_a_first_execution_that_takes_longer_is_a_hidden_cost() -> None:
    words = " ".join(reading(probe()))
    assert (
        "A hidden cost: the first execution takes 9.00 ms, later ones 2.00 ms, 7.00 ms [6.00 to 8.00]"
        in words
    )
    assert "A fresh connection costs a call 10.0 ms more" in words
    even = replace(PROBED, first_execution_ms=Interval(value=0.1, low=-1.0, high=1.2))
    assert "No hidden cost is seen" in " ".join(reading(probe(even)))
    few = replace(PROBED, first_execution_ms=Interval(value=7.0))
    assert "hidden" not in " ".join(reading(probe(few)))


def test_the_text_has_it_all_and_a_silent_target_nothing_of_it() -> None:
    assert "How it is known" in text(probe(), None)
    silent = run_of(SILENT, command="probe", probe=(Probed(target="silent"),))
    assert "How it is known" not in text(silent, None)
    assert "Phases" not in text(silent, None)


def test_the_plan_says_how_a_sample_is_made_cold() -> None:
    target = Target(name="f", url="https://f.example/", endpoint="https://f.example/")
    gap = Experiment(provocation=Provocation.GAP, gap_ns=(5 * 10**9, 15 * 10**9), samples=4, seed=1)
    assert "5s to 15s of silence" in " ".join(experiment_lines(gap, [target]))
    assert "4 rounds, 20 invocations to f" in " ".join(experiment_lines(gap, [target]))
    until = replace(gap, precision=0.05, max_time_ns=60 * 10**9)
    said = " ".join(experiment_lines(until, [target, target]))
    assert "at most 4 rounds" in said
    assert "known to 5 % of itself" in said
    assert "no longer than 1m" in said
    for provocation, word in ((Provocation.PREPARE, "--prepare"), (Provocation.BURST, "burst")):
        other = replace(gap, provocation=provocation, gap_ns=(0, 0))
        assert word in " ".join(experiment_lines(other, [target]))


@pytest.mark.parametrize(
    ("provocation", "first", "said"),
    [
        ("gap", {"cold": 10}, "All 10 first calls were cold"),
        ("gap", {"cold": 3, "warm": 6, "unknown": 1}, "3 were cold (1 could not be told): a longer --gap"),
        ("gap", {"cold": 9, "unknown": 1}, "Of 10 first calls 9 were cold (1 could not be told)"),
        ("gap", {"unknown": 10}, "Of 10 first calls none can be told to be cold or warm; a longer --gap"),
        ("gap", {"discarded": 4}, None),
        ("prepare", {"cold": 9, "warm": 1}, "9 were cold: the command of --prepare does not always"),
        ("burst", {"warm": 10}, None),
        ("gap", {}, None),
    ],
)
def test_whether_the_first_calls_were_cold_is_said(
    provocation: str, first: dict[str, int], said: str | None
) -> None:
    (line, *_) = answers(replace(PROBED, first=first), {"provocation": provocation})
    assert said is None or said in line
    assert said is not None or "first calls" not in line


UNTOLD = (
    replace(COLD, verdict="unknown", first=True, n=9),
    replace(WARM, verdict="unknown", first=False),
    replace(KEPT, verdict="unknown", first=False),
)


def test_where_nothing_is_told_first_calls_are_priced_all_the_same() -> None:
    found = replace(PROBED, phases=UNTOLD, first_over_later_ms=Interval(value=65.0, low=60.0, high=70.0))
    said = list(answers(found, {"provocation": "gap"}))
    assert "First calls waited 65.0 ms [60.0 to 70.0] longer (median) than those right after them" in said
    assert any("fresh connection costs a call 10.0 ms more" in line for line in said)
    *_, table = tables(probe(found))
    assert [row[1] for row in table.rows] == [
        "unknown, first, fresh",
        "unknown, later, fresh",
        "unknown, later, reused",
    ]
    told = replace(found, phases=(COLD, WARM))
    for other, provocation in ((told, "gap"), (found, "burst")):
        assert not any("First calls" in line for line in answers(other, {"provocation": provocation}))


@pytest.mark.parametrize(
    ("wakes", "said"),
    [
        (True, "Connecting alone wakes it: "),
        (False, "Connecting alone does not wake it, or in 45 % of cases at most (95 %): "),
        (None, "Whether connecting alone wakes it is not known: "),
    ],
)
def test_whether_connecting_wakes_it_is_answered(wakes: bool | None, said: str) -> None:
    connecting = Connecting(
        connected={"cold": 1, "preinitialised": 4},
        silent={"cold": 4},
        wakes=wakes,
        at_most=0.451 if wakes is False else None,
    )
    answer = next(line for line in answers(replace(PROBED, connecting=connecting), {}) if "onnecting" in line)
    assert answer.startswith(said)
    assert "nothing was sent: 1 of 5, behind the same silence alone: 4 of 4" in answer


@pytest.mark.parametrize(
    ("connecting", "said"),
    [
        ({"start_ms": 600.0}, "; a start takes 600 ms, and a call that comes into one is cold, too: a longer "
         "--connect-ahead may tell"),
        ({"start_ms": 400.0}, "; more --samples may tell"),
        ({"start_ms": 400.0, "failed": 3}, "; 3 connections did not stand in time; more --samples may tell"),
        ({"start_ms": 400.0, "failed": 5, "connected": {}}, "in time; a longer --connect-ahead may tell"),
        ({"connected": {"warm": 5}, "silent": {"warm": 4}}, "; a longer --gap may tell"),
    ],
)  # fmt: skip
def test_what_would_tell_more_about_connecting_is_said(connecting: dict[str, Any], said: str) -> None:
    found = Connecting(**{"connected": {"cold": 5}, "silent": {"cold": 4}, "wakes": None, **connecting})
    asked = {"connect_ahead_ns": 500_000_000}
    answer = next(line for line in answers(replace(PROBED, connecting=found), asked) if "onnecting" in line)
    assert answer.endswith(said)

"""The tables that all faces share: every figure with its n, and a reason for each that is missing."""

from msgspec.structs import replace

from coldbench.core.summary import Interval, StageWaits, TargetInfo
from coldbench.report.table import Table
from coldbench.report.tables import tables
from tests.unit.report_runs import NODE, PYTHON, SILENT, run_of, times


def named(run_tables: list[Table], title: str) -> Table:
    return next(table for table in run_tables if table.title == title)


def row(table: Table, target: str) -> dict[str, str]:
    cells = next(cells for cells in table.rows if cells[0] == target)
    return {column.head: cell for column, cell in zip(table.columns, cells, strict=True)}


def test_every_time_stands_beside_its_n() -> None:
    for table in list(tables(run_of(PYTHON, NODE)))[1:]:
        groups = {column.group for column in table.columns} - {"target", "cold penalty"}
        with_n = {column.group for column in table.columns if column.figure == "n"}
        assert groups == with_n


def test_the_figures_of_one_target() -> None:
    waits = row(named(list(tables(run_of(PYTHON))), "Waits, in ms"), "python")
    assert waits["wait cold p50"] == "76.9"
    assert waits["wait warm n"] == "57"
    assert waits["cold penalty [95 % interval]"] == "71.3 [68.0 to 75.2]"
    startup = row(named(list(tables(run_of(PYTHON))), "Startup and execution, in ms"), "python")
    assert (startup["startup p50"], startup["startup p95"], startup["startup p99"]) == ("71.3", "90.2", "-")
    assert startup["exec n"] == "120"


def test_withheld_is_a_dash_with_its_reason_and_unobserved_is_empty() -> None:
    table = named(list(tables(run_of(PYTHON, NODE))), "Startup and execution, in ms")
    assert row(table, "node")["startup p50"] == "-"
    assert row(table, "node")["platform p50"] == ""
    assert "-: too few samples" in table.caption


def test_no_legend_where_nothing_is_withheld() -> None:
    full = replace(PYTHON, startup_ms=times(71.3, p95=90.2, p99=95.5))
    table = named(list(tables(run_of(full))), "Startup and execution, in ms")
    assert "too few" not in table.caption


def test_an_interval_that_is_withheld_says_why() -> None:
    few = replace(PYTHON, cold_penalty_ms=Interval(value=71.3))
    table = named(list(tables(run_of(few))), "Waits, in ms")
    assert row(table, "python")["cold penalty [95 % interval]"] == "71.3 [-]"
    assert "[-]: too few rounds" in table.caption


def test_what_nobody_observed_has_no_column_and_no_table() -> None:
    unseen = list(tables(run_of(SILENT)))
    assert [table.title for table in unseen] == ["What the invocations met"]
    assert "platform p50" not in row(list(tables(run_of(NODE)))[2], "node")


def test_all_calls_have_their_times_whatever_they_met() -> None:
    late = replace(SILENT, response_ms=times(450.0, p95=900.0, p99=950.0), service_ms=times(12.0))
    *_, table = tables(run_of(late))
    assert table.title == "All calls, in ms"
    cells = row(table, "silent")
    assert (cells["response p50"], cells["response p99"], cells["response n"]) == ("450", "950", "60")
    assert (cells["service p50"], cells["service p95"]) == ("12.0", "-")
    assert all(its.title != "All calls, in ms" for its in tables(run_of(late, command="probe")))


STAGES = (
    StageWaits(
        stage=1,
        kind="burst",
        silence_s=360.0,
        wait_ms=times(811.0),
        over_next_ms=Interval(value=800.0, low=790.0, high=810.0),
    ),
    StageWaits(stage=2, kind="burst", wait_ms=times(11.0)),
)


def test_where_no_cold_start_can_be_priced_the_stages_are_told_apart() -> None:
    *_, table = tables(run_of(replace(SILENT, stages=STAGES)))
    assert table.title == "Waits by stage, in ms"
    assert table.rows == [
        ["silent", "2: burst after 6m of silence", "811", "-", "60", "800 [790 to 810]"],
        ["silent", "3: burst", "11.0", "-", "60", ""],
    ]
    for told in (replace(PYTHON, stages=STAGES), replace(SILENT, stages=STAGES[:1])):
        assert all(its.title != "Waits by stage, in ms" for its in tables(run_of(told)))


def test_rare_verdicts_have_a_column_only_where_they_occur() -> None:
    met = next(tables(run_of(PYTHON)))
    assert row(met, "python")["cold affected"] == "3"
    assert "unknown" not in row(met, "python")
    assert row(next(tables(run_of(PYTHON, SILENT))), "silent")["unknown"] == "40"


def test_errors_and_statuses_that_are_no_success() -> None:
    met = next(tables(run_of(SILENT)))
    assert row(met, "silent")["errors"] == "2"
    assert row(met, "silent")["status"] == "38 x 200, 2 x 404"
    assert "status" not in row(next(tables(run_of(PYTHON))), "python")


def test_a_runtime_that_is_not_the_name_is_shown() -> None:
    run = run_of(PYTHON, targets=(TargetInfo(name="python", url="http://x/", runtime="python3.12"),))
    assert row(next(tables(run)), "python")["runtime"] == "python3.12"


def test_a_run_without_results_has_no_tables() -> None:
    assert list(tables(run_of())) == []


def test_the_name_of_a_group_stands_over_its_first_column_only() -> None:
    table = named(list(tables(run_of(PYTHON))), "Waits, in ms")
    assert table.heads[:4] == ["target", "wait cold\np50", "\np95", "\nn"]

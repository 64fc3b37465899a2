"""The tables that all faces share: every figure with its n, and a reason for each that is missing."""

from msgspec.structs import replace

from coldbench.core.summary import Interval, TargetInfo
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

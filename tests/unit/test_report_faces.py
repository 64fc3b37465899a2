"""The faces of one run: the terminal's at every width and encoding, plain text and Markdown."""

from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

from coldbench.core.concurrency import Concurrency
from coldbench.core.summary import Counts, Fidelity, Run, State
from coldbench.report.tables import tables
from coldbench.report.terminal import face, narrowest
from coldbench.report.text import markdown, text
from tests.unit.report_runs import NODE, PYTHON, SILENT, run_of

FOLDER = Path("reports/20261123T105803Z_run_demo")
RUN = run_of(PYTHON, NODE, SILENT)
HOSTILE = "\x1b]0;owned\x07[bold red]<script>|`x`"


def terminal(run: Run, *, width: int = 100, encoding: str = "utf-8", colour: bool = False) -> str:
    stream = BytesIO()
    file = TextIOWrapper(stream, encoding=encoding, errors="strict")
    console = Console(
        file=file,
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        legacy_windows=False,
        highlight=False,
        markup=False,
        _environ={},
    )
    console.print(face(run, FOLDER, console))
    file.flush()
    return stream.getvalue().decode(encoding)


def test_a_concurrency_of_which_nothing_is_known_is_shown() -> None:
    """It ended in a fault: a table without rows had no width."""
    nothing = Concurrency(method="none", held_by="execution", single_ms=5.0)
    run = run_of(SILENT, command="concurrency", concurrency=nothing)
    assert narrowest(tables(run)) == 80
    for shown in (terminal(run), text(run, None), markdown(run, None)):
        assert "nothing is known of its concurrency" in " ".join(shown.split())


def test_the_terminal_shows_every_part_of_the_run() -> None:
    shown = terminal(RUN)
    for part in (
        "coldbench run demo   complete   120 invocations, 3 targets, 1m 30s",
        str(FOLDER),
        "What the invocations met",
        "network 0.50 + platform overhead 6.60 + init 64.4 + execution 5.10",
        "71.3 [68.0 to 75.2]",
        "-: too few samples",
        "lateness p99 0.40 ms, max 1.25 ms; widest burst sent within 0.80 ms",
        'python: 200 {"hello": "world"}',
        "node: too few cold calls",
        "a cold start costs its caller 71.3 ms",
    ):
        assert part in shown


@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_cut(width: int, encoding: str) -> None:
    shown = terminal(RUN, width=width, encoding=encoding)
    assert max(cell_len(line) for line in shown.splitlines()) <= width
    for figure in ("71.3", "64.4", "6.60", "76.9", "71.3 [68.0 to 75.2]"):
        assert figure in shown
    assert "…" not in shown


def test_every_column_has_a_width_in_which_it_is_shown() -> None:
    busy = replace(
        PYTHON,
        verdicts=dict.fromkeys(("cold", "warm", "cold_affected", "preinitialised"), 1_000)
        | dict.fromkeys(("unknown", "start_failed", "throttled", "discarded"), 1_000),
        statuses={"429": 1_000},
    )
    run = run_of(busy)
    assert narrowest(tables(run_of())) == narrowest(tables(run_of(PYTHON))) == 80
    assert narrowest(tables(run)) > 80
    shown = terminal(run, width=narrowest(tables(run)))
    assert max(cell_len(line) for line in shown.splitlines()) <= narrowest(tables(run))
    assert shown.partition("What a cold call waits for")[0].count("1,000") == 9
    assert "status" in shown
    assert "…" not in shown


def test_long_names_give_way_to_figures() -> None:
    long = replace(PYTHON, target="an-unreasonably-long-name-of-a-function")
    assert "71.3 [68.0 to 75.2]" in terminal(run_of(long), width=80)


def test_ascii_draws_with_letters_and_no_colour_with_shades() -> None:
    assert "p####" in terminal(RUN, encoding="ascii")
    assert "░████" in terminal(RUN)


def test_colours_only_where_the_terminal_has_them() -> None:
    assert "\x1b[" in terminal(RUN, colour=True)
    assert "\x1b[" not in terminal(RUN)


def test_the_slowest_target_has_the_longest_bar() -> None:
    half = replace(
        PYTHON,
        target="quick",
        platform_ms=None,
        init_ms=replace(PYTHON.init_ms, p50=32.2) if PYTHON.init_ms else None,
    )
    bars = {
        line.split()[0]: line.count("█")
        for line in terminal(run_of(PYTHON, half)).splitlines()
        if "██" in line
    }
    assert bars["python"] == pytest.approx(2 * bars["quick"], abs=2)


def faces(run: Run) -> list[str]:
    return [terminal(run), text(run, FOLDER), markdown(run, FOLDER)]


def test_foreign_strings_are_text() -> None:
    hostile = replace(PYTHON, first_response=HOSTILE, notes=(HOSTILE,))
    for shown in faces(run_of(hostile, name=HOSTILE)):
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "bold red" in shown


def test_markdown_makes_foreign_markup_inert() -> None:
    shown = markdown(run_of(replace(PYTHON, notes=(HOSTILE,))), FOLDER)
    assert "\\<script>\\|\\`x\\`" in shown


def test_text_and_markdown_have_the_terminals_tables() -> None:
    assert "71.3 [68.0 to 75.2]" in text(RUN, FOLDER)
    assert "| 71.3 \\[68.0 to 75.2] |" in " ".join(markdown(RUN, FOLDER).split())
    assert "| startup p50 | startup p95 | startup p99 | startup n |" in " ".join(
        markdown(RUN, FOLDER).split()
    )


def test_every_face_says_what_did_not_complete() -> None:
    counts = Counts(intended=120, sent=110, completed=100, errors=7, unfinished=3, dropped=10)
    for shown in faces(run_of(PYTHON, counts=counts, state=State.INTERRUPTED)):
        assert "interrupted" in shown
        assert "100 completed, 7 with an error, 3 unfinished, 10 dropped" in shown


def test_every_face_says_when_the_generator_was_the_limit() -> None:
    for shown in faces(run_of(PYTHON, fidelity=Fidelity(limited_by_generator=True))):
        assert "the generator was the limit" in " ".join(shown.split())


def test_a_run_that_goes_on_shows_no_counts() -> None:
    going = run_of(results=(), judge_version=None, state=State.RUNNING, finished_at=None)
    for shown in faces(replace(going, targets=RUN.targets)):
        assert "3 targets; nothing is counted yet" in shown
        assert "0 invocations" not in shown


def test_of_a_generator_that_said_nothing_nothing_is_told() -> None:
    for shown in faces(run_of(fidelity=Fidelity(), state=State.RUNNING, judge_version=None)):
        assert "Generator" not in shown
        assert "connection" not in shown

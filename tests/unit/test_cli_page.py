"""The page at the end of a command: no reader and no disk that fails costs the run anything."""

from io import StringIO
from pathlib import Path

import pytest

from coldbench.cli.output import Output
from coldbench.cli.page import show_and_keep
from tests.unit.report_runs import PYTHON, run_of
from tests.unit.sampled import samples_in


def test_the_page_is_kept_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples_in(tmp_path, [])
    show_and_keep(run_of(PYTHON), tmp_path, Output())
    assert capsys.readouterr().out.endswith(f"page: {tmp_path / 'report.html'}\n")
    assert (tmp_path / "report.html").is_file()


def test_a_page_that_cannot_be_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_and_keep(run_of(PYTHON), tmp_path, Output())  # no samples
    shown = capsys.readouterr().out
    assert "In words" in shown
    assert "report.html could not be written: " in shown


def test_a_reader_who_has_gone_keeps_no_page_from_its_folder(tmp_path: Path) -> None:
    class Gone(StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    samples_in(tmp_path, [])
    output = Output()
    output.console.file = Gone()
    with pytest.raises(BrokenPipeError):
        show_and_keep(run_of(PYTHON), tmp_path, output)
    assert (tmp_path / "report.html").is_file()

"""`coldbench report` and `coldbench runs` on a run that is kept: which words go to which stream."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from coldbench.cli import run
from coldbench.core.errors import ExitCode
from coldbench.core.judge import JUDGE_VERSION
from coldbench.core.summary import State
from coldbench.runs.folder import create, write_record
from tests.unit.report_runs import NODE, PYTHON, run_of

RUN = run_of(PYTHON, NODE, judge_version=JUDGE_VERSION)
CAPTURE = pytest.CaptureFixture[str]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A run's folder; its root is `reports` in the temporary folder."""
    folder = create(tmp_path / "reports", "run", "demo", datetime(2026, 11, 23, 10, 58, 3, tzinfo=UTC))
    write_record(folder, RUN)
    return folder


def report(folder: Path, *arguments: str) -> int:
    return run(["report", "--out", str(folder.parent), *arguments])


@pytest.mark.parametrize("which", [[], ["latest"], ["demo"], ["20261123"], ["20261123T105803Z_run_demo"]])
def test_a_run_by_each_of_its_names(which: list[str], kept: Path, capsys: CAPTURE) -> None:
    assert report(kept, *which) == ExitCode.DONE
    assert "a cold start costs its caller 71.3 ms" in " ".join(capsys.readouterr().out.split())


def test_no_such_run(kept: Path, capsys: CAPTURE) -> None:
    assert report(kept, "other") == ExitCode.USAGE
    assert "no such run: other" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("face", "first"),
    [
        ("terminal", "coldbench run demo   complete"),
        ("text", "coldbench run demo: complete\n=="),
        ("md", "## coldbench run demo: complete"),
        ("html", "<!doctype html>"),
    ],
)
def test_the_faces_for_people(face: str, first: str, kept: Path, capsys: CAPTURE) -> None:
    assert report(kept, "--format", face) == ExitCode.DONE
    assert capsys.readouterr().out.lstrip().startswith(first)


@pytest.mark.parametrize("face", ["terminal", "text", "md", "html"])
def test_json_owns_standard_output(face: str, kept: Path, capsys: CAPTURE) -> None:
    assert report(kept, "--format", face, "--json", "-") == ExitCode.DONE
    shown = capsys.readouterr()
    assert json.loads(shown.out)["schema"] == "coldbench.run/1"
    assert "coldbench run demo" in shown.err


def test_the_face_for_programs(kept: Path, capsys: CAPTURE) -> None:
    assert report(kept, "--format", "json") == ExitCode.DONE
    shown = capsys.readouterr()
    assert json.loads(shown.out)["results"][0]["cold_penalty_ms"] == {
        "value": 71.3,
        "low": 68.0,
        "high": 75.2,
    }
    assert shown.err == ""


def test_json_into_a_file(kept: Path, tmp_path: Path, capsys: CAPTURE) -> None:
    assert report(kept, "--json", str(tmp_path / "run.json")) == ExitCode.DONE
    assert json.loads((tmp_path / "run.json").read_bytes())["name"] == "demo"
    assert "In words" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["nowhere/run.json", "."])
def test_json_into_a_file_that_cannot_be(place: str, kept: Path, tmp_path: Path, capsys: CAPTURE) -> None:
    assert report(kept, "--json", str(tmp_path / place)) == ExitCode.USAGE
    assert "--json" in capsys.readouterr().err


def test_the_list_is_newest_first_and_counts(kept: Path, capsys: CAPTURE) -> None:
    later = create(kept.parent, "run", "later", datetime(2026, 11, 24, tzinfo=UTC))
    write_record(later, replace(RUN, state=State.INTERRUPTED, judge_version=None))
    assert run(["runs", "--out", str(kept.parent)]) == ExitCode.DONE
    _, _, *rows = capsys.readouterr().out.splitlines()
    assert rows[0].split() == [later.name, "interrupted", "python,", "node", "-", "-"]
    assert rows[1].split() == [kept.name, "complete", "python,", "node", "120", "64"]


def test_the_list_for_programs(kept: Path, tmp_path: Path) -> None:
    assert run(["runs", "--out", str(kept.parent), "--json", str(tmp_path / "runs.json")]) == ExitCode.DONE
    (found,) = json.loads((tmp_path / "runs.json").read_bytes())
    assert found["folder"] == str(kept)
    assert found["run_id"] == "r"

"""A run that is judged anew where its folder cannot be written: its verdicts are today's all the same."""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from coldbench import analysis
from coldbench.analysis import judged_run, open_run
from coldbench.cli import run as coldbench
from coldbench.core.judge import JUDGE_VERSION
from coldbench.core.verdict import Judgement, Verdict
from coldbench.runs.folder import read_record
from coldbench.runs.samples import SAMPLES, read_judgements, write_judgements
from coldbench.ui.pages import run_page
from tests.unit.measured import measured

CAPTURE = pytest.CaptureFixture[str]


@pytest.fixture
def stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose judgements are an older coldbench's, and which nobody may write any more."""
    folder = measured(tmp_path / "reports", "r", {"f": 100.0}, rounds=1, calls=3)
    old = [
        Judgement(seq=seq, verdict=Verdict.THROTTLED, reason="an older rule", confidence=1) for seq in (0, 1)
    ]
    write_judgements(folder / SAMPLES, old)

    def refusing(path: Path, judgements: Iterable[Judgement]) -> None:
        if path.parent == folder:
            raise OSError(30, "Read-only file system")
        write_judgements(path, judgements)

    monkeypatch.setattr(analysis, "write_judgements", refusing)
    return folder


def test_the_judgements_are_kept_beside_the_folder_and_gone_at_the_end(stale: Path) -> None:
    with judged_run(stale) as (found, samples):
        assert found == open_run(stale)
        assert samples.parent != stale
        verdicts = [its.verdict for its in read_judgements(samples)]
        assert verdicts == [Verdict.COLD, Verdict.WARM] * 3
    assert not samples.parent.exists()
    assert [its.reason for its in read_judgements(stale / SAMPLES)] == ["an older rule"] * 2


def test_a_folder_that_can_be_written_keeps_them(tmp_path: Path) -> None:
    folder = measured(tmp_path, "r", {"f": 100.0}, rounds=1, calls=3)
    with judged_run(folder) as (found, samples):
        assert samples == folder / SAMPLES
        assert len(read_judgements(samples)) == 6
    assert read_record(folder) == found
    assert found.judge_version == JUDGE_VERSION


def test_exports_and_pages_have_todays_verdicts(stale: Path, capsys: CAPTURE) -> None:
    where = ["--out", str(stale.parent)]
    assert coldbench(["export", *where, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["verdict"] for row in rows] == ["cold", "warm"] * 3
    assert coldbench(["report", *where, "--format", "html"]) == 0
    shown = run_page(stale.parent, stale.name)
    assert shown is not None
    for page in (capsys.readouterr().out, shown.document):
        assert '"cold"' in page
        assert '"throttled"' not in page
        assert '"not judged yet"' not in page
    assert coldbench(["report", *where, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["verdicts"]["cold"] == 3

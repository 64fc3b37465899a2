"""The self-test, one small case of it: the whole takes minutes."""

from pathlib import Path

from coldbench.cli.selftest import CASES, Case, measure
from tests.e2e.cli import coldbench


def test_a_case_is_measured_against_the_labs_truth(tmp_path: Path) -> None:
    case = Case(name="one lone pair", runtimes=("custom",), sizes=(1, 1), rounds=2)
    found = measure(case, 2, tmp_path, times=1, seed=1)
    assert found.matrix == {"cold": {"cold": 2}, "warm": {"warm": 2}}
    assert found.wrong == found.unknown == 0
    assert found.startup_error_ms is not None
    assert found.startup_error_ms.n == 2


def test_without_evidence_nothing_is_decided_by_four_calls(tmp_path: Path) -> None:
    case = Case(name="too few", runtimes=("custom",), sizes=(1, 1), rounds=2)
    assert measure(case, 0, tmp_path, times=1, seed=1).unknown == 4


def test_every_case_is_a_profile_that_the_tool_takes(tmp_path: Path) -> None:
    for case in CASES:
        profile = tmp_path / "case.toml"
        profile.write_text(case.profile(2))
        done = coldbench("run", "--url", "lab:custom", "--profile", str(profile), "--dry-run", cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_it_needs_a_folder_for_its_json(tmp_path: Path) -> None:
    done = coldbench("selftest", "--json", "nowhere/self.json", cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere" in done.stderr

"""The self-test, one small case of it: the whole takes minutes."""

import json
from pathlib import Path

import pytest

from coldbench.cli.selfcases import CASES, Case, measure
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


@pytest.mark.slow
def test_without_evidence_no_verdict_is_wrong(tmp_path: Path) -> None:
    case = Case(name="serial", runtimes=("custom",), sizes=(1, 1, 1, 1), rounds=6)
    found = measure(case, 0, tmp_path, times=1, seed=1)
    assert found.invocations == 24
    assert found.wrong == 0


@pytest.mark.accept
def test_the_goals(tmp_path: Path) -> None:
    done = coldbench("selftest", "--json", "self.json", cwd=tmp_path, within_s=2400)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    tested = json.loads((tmp_path / "self.json").read_text())["selftest"]
    found = tested["verdicts"]

    def share(key: str, case: str, *levels: int) -> float:
        its = [one for one in found if one["case"].startswith(case) and one["evidence_level"] in levels]
        return sum(one[key] for one in its) / sum(one["invocations"] for one in its)

    assert share("wrong", "", 1, 2) == 0
    assert share("wrong", "serial", 0) <= 0.005
    assert share("unknown", "serial", 0) <= 0.02
    assert share("wrong", "bursts", 0) <= 0.01
    assert share("unknown", "bursts", 0) <= 0.4
    for one in tested["estimates"]:
        lifetime = one["quantity"].startswith("median idle lifetime")
        assert one["found"] == pytest.approx(one["true"], rel=0.05 if lifetime else 0)


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

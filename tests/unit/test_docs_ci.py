"""The pipelines of docs/ci/ are what their vendors read, and their commands are ours."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.cli import coldbench

CI = Path(__file__).parents[2] / "docs" / "ci"


@pytest.mark.parametrize(
    ("name", "schema"), [("github", "vendor.github-workflows"), ("gitlab", "vendor.gitlab-ci")]
)
def test_the_vendor_s_schema_takes_it(name: str, schema: str) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(CI / f"{name}.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_the_run_in_it_can_be_planned(name: str, tmp_path: Path) -> None:
    text = (CI / f"{name}.yml").read_text()
    for written in ("${{ vars.RELEASED_URL }}", "${{ vars.BRANCH_URL }}", "$RELEASED_URL", "$BRANCH_URL"):
        text = text.replace(written, "http://127.0.0.1:9/")
    _, command = text.partition("--junit")[0].split("coldbench run ")
    said = coldbench(
        *("run", *shlex.split(command), "--dry-run"), cwd=tmp_path, TOKEN="secret", FUNCTION_TOKEN="secret"
    )
    assert said.returncode == 0, said.stderr
    assert "secret" not in said.stdout + said.stderr

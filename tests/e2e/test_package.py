"""What is released: the sdist and the wheel made of it, in a folder of their own, away from this checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The console script's own words, by the files of the wheel alone.
COLDBENCH = "import sys; from coldbench.cli import main; main()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made as a release is: of the sdist, which must hold all that it takes."""
    place = tmp_path_factory.mktemp("dist")
    made = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(place), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout[-2000:]
    assert len(list(place.glob("*.tar.gz"))) == 1
    [wheel] = place.glob("*.whl")
    return wheel


@pytest.mark.slow
def test_it_writes_nothing_outside_its_own_folders(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert len(tops) == 2
    assert "coldbench" in tops
    assert [top for top in tops if top.endswith(".dist-info")]
    for needed in (
        *("coldbench/profiles/burst.toml", "coldbench/report/html/echarts.common.min.js"),
        *("coldbench/evidence/platforms.toml", "coldbench/stats/prices.toml", "coldbench/py.typed"),
    ):
        assert needed in names
    assert not [name for name in names if "test" in name.split("/")[0] or name.endswith(".pyc")]


@pytest.mark.slow
def test_it_runs_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
    ]
    subprocess.run([*install, str(wheel)], check=True)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", COLDBENCH, *arguments],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    where = subprocess.run(
        [sys.executable, "-c", "import coldbench; print(coldbench.__file__)"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(site))
    ran = run("run", "--url", "lab:python", "--profile", "burst", "--set", "size=3", "--set", "repeat=1",
              "--set", "idle.duration=0s")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert run("report", "--format", "html").stdout.startswith("<!doctype html>")
    # It wrote into its reports and nowhere else; bytecode beside the modules is Python's.
    assert {path.name for path in tmp_path.iterdir()} == {"site", "reports"}

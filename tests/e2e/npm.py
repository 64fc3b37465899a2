"""Packages of npm that tests run against, installed once into pytest's cache."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

SERVERLESS = {"serverless": "3", "serverless-offline": "13"}  # 14 needs a download that is not to be had


def installed(
    config: pytest.Config, name: str, packages: Mapping[str, str], *, compiled: str | None = None
) -> Path:
    """The folder that has them in `node_modules`; skips, and says why, where they cannot be had.

    No package's own scripts are run but those of the one that has to be `compiled`.
    """
    if shutil.which("npm") is None:
        pytest.skip(f"NOT TESTED against {name}: there is no npm")
    folder = config.cache.mkdir(name)  # type: ignore[union-attr]
    done = folder / "installed"
    if not done.exists():
        (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": packages}))
        _npm(folder, name, "install", "--no-audit", "--no-fund", "--ignore-scripts")
        if compiled is not None:
            _npm(folder, name, "rebuild", compiled, "--foreground-scripts", "--dangerously-allow-all-builds")
        done.touch()
    return folder


def _npm(folder: Path, name: str, *arguments: str) -> None:
    ran = subprocess.run(["npm", *arguments], cwd=folder, capture_output=True, text=True, timeout=600)
    if ran.returncode:
        pytest.skip(f"NOT TESTED against {name}: npm {arguments[0]} failed: {ran.stderr[-2000:]}")

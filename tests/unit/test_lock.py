"""requirements-dev.lock has every dependency of pyproject.toml, pinned, and names no registry."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_everything_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=~! ]", one)[0].lower() for one in wanted}
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", lock, re.MULTILINE))
    assert {name.replace("_", "-") for name in names} <= pinned.keys()
    assert not re.search(r"https?://|--index|--find-links", lock)

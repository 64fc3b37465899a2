"""docs/platforms.md is what the table says, and the recipes' commands are taken as they stand."""

import re
import runpy
import shlex
from pathlib import Path

import pytest

from coldbench.cli import run
from coldbench.core.errors import ExitCode

DOCS = Path(__file__).parents[2] / "docs"
RECIPES = sorted((DOCS / "platforms").glob("*.md"))
COMMANDS = [
    (recipe.stem, command)
    for recipe in RECIPES
    for command in re.findall(r"^    coldbench ((?:run|probe) .*)$", recipe.read_text(), re.MULTILINE)
]


def test_the_page_is_what_the_table_says() -> None:
    page = runpy.run_path(str(DOCS / "platforms.py"))["page"]
    assert (DOCS / "platforms.md").read_text() == page(), "python docs/platforms.py writes it anew"


def test_each_recipe_says_how_what_to_expect_and_what_to_beware_of() -> None:
    assert len(RECIPES) == 10
    for recipe in RECIPES:
        text = recipe.read_text()
        assert recipe.stem in {name for name, _ in COMMANDS}
        assert "**Expect.**" in text
        assert "**Beware.**" in text


@pytest.mark.parametrize(("recipe", "command"), COMMANDS)
def test_the_commands_of_the_recipes_are_plans(
    recipe: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*shlex.split(command), "--dry-run"]) == ExitCode.DONE
    assert " is below the " not in capsys.readouterr().out  # its silence is long enough

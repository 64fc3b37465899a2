"""docs/profiles.md says what there is."""

import re
from pathlib import Path

import pytest

from coldbench.core.profile import parse_profile
from coldbench.core.profile_keys import STAGE_KEYS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")


def test_every_profile_that_ships_is_listed() -> None:
    shipped = {path.stem for path in (ROOT / "profiles").glob("*.toml")}
    listed = re.findall(r"^\| `([\w-]+)` \|", PAGE.partition("## Stages")[0], re.MULTILINE)
    assert set(listed) == shipped


@pytest.mark.parametrize("kind", STAGE_KEYS)
def test_every_kind_of_stage_is_listed_with_its_keys(kind: str) -> None:
    row = re.search(rf"^\| `{kind}` \| ([^|]*) \|", PAGE.partition("## Stages")[2], re.MULTILINE)
    assert row is not None
    assert re.findall(r"`(\w+)`", row[1]) == list(STAGE_KEYS[kind])


def test_the_examples_are_profiles() -> None:
    examples = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        parse_profile(example, "docs/profiles.md")

"""Write docs/platforms.md from coldbench/evidence/platforms.toml (`make docs`); a second."""

from collections.abc import Iterator
from pathlib import Path

from coldbench.evidence.platforms import GENERIC, Field, Platform, platforms

PAGE = Path(__file__).parent / "platforms.md"
_HEAD = """# Platforms

Written by `docs/platforms.py` from `coldbench/evidence/platforms.toml`, the table that recognises a platform
and reads its answers. What was read in a vendor's page or source is *documented*, in somebody's recorded
answer or measurement *captured*; what is *not verified* is shown by `coldbench doctor` and never read. No
line here was measured by coldbench.
Recipes, with what to expect and what to beware of: {recipes}.

| platform | known by | level by plain HTTP | an unused instance lives |
|---|---|---|---|
"""
_FIELDS = """
## What their answers tell

Level 1 needs a header that tells more than which request it was; with [the shim](shim.md) in the function
every platform is at level 2.

| platform | where | name | tells | verified | how to get it, and what it is |
|---|---|---|---|---|---|
"""
_VERIFIED = {"documented": "documented", "captured": "captured", "no": "not verified"}


def page() -> str:
    """The whole page."""
    known = {name: its for name, its in platforms().items() if name != GENERIC}
    recipes = sorted(path.stem for path in PAGE.with_suffix("").glob("*.md"))
    head = _HEAD.format(recipes=", ".join(f"[{name}](platforms/{name}.md)" for name in recipes))
    rows = "".join(_row(name, its) for name, its in known.items())
    return head + rows + _FIELDS + "".join(line for its in platforms().values() for line in _fields(its))


def _row(name: str, its: Platform) -> str:
    signs = [*(f"host `{host}`" for host in its.hosts), *(f"`{sign}`" for sign in its.signs)]
    signs += [f"perhaps, by `{hint}`" for hint in its.hints]
    low, high = its.idle_s or (None, None)
    lives = "" if low is None else f"{low:g} s" if low == high else f"{low:g} to {high:g} s"
    lives += f" ({_VERIFIED[its.idle_verified]})" if lives else ""
    level = int(any(_is_evidence(field) for field in its.fields))
    return f"| {its.name} (`{name}`) | {', '.join(signs)} | {level} | {lives} |\n"


def _is_evidence(field: Field) -> bool:
    read = field.at == "header" and field.verified != "no" and field.via is None
    return read and field.tells not in (None, "request_id")


def _fields(its: Platform) -> Iterator[str]:
    for field in its.fields:
        said = "; ".join(part for part in (field.via, field.note) if part).replace("|", "\\|")
        tells = f"`{field.tells}`" if field.tells else ""
        verified = _VERIFIED[field.verified]
        yield f"| {its.name} | {field.at} | `{field.name}` | {tells} | {verified} | {said} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

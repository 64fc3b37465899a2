"""A table as plain cells, whichever face shows it."""

from msgspec import Struct


class Column(Struct, frozen=True):
    """A head of two lines, what is meant and which figure of it; `words` are set to the left."""

    group: str
    figure: str = ""
    words: bool = False

    @property
    def head(self) -> str:
        """In one line, where a group's columns do not stand under one another."""
        if self.group.endswith("-"):
            return self.group[:-1] + self.figure
        return f"{self.group} {self.figure}".strip()


class Table(Struct, frozen=True, kw_only=True):
    """A title, the columns, rows of text, and a line that says how to read it (may be empty)."""

    title: str
    columns: list[Column]
    rows: list[list[str]]
    caption: str = ""

    @property
    def heads(self) -> list[str]:
        """Of two lines, or of one; the name of a group stands over its first column only."""
        groups = [column.group for column in self.columns]
        named = [
            "" if group == before else group for before, group in zip(["", *groups], groups, strict=False)
        ]
        return [f"{name}\n{column.figure}".rstrip() for name, column in zip(named, self.columns, strict=True)]

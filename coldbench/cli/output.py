"""Where a command's words go: people's to the terminal, a program's to a file or standard output."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from coldbench.core.errors import UsageError
from coldbench.core.summary import Checked, Run
from coldbench.report.lines import title
from coldbench.report.tables import tables
from coldbench.report.terminal import face, narrowest
from coldbench.runs.folder import encode_record

_STDOUT = "-"


class PlainConsole(Console):
    """For people. Text is shown as it is: no markup, no guessed colours."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError: rich would exit here, and end a run with it."""
        raise BrokenPipeError


class Output:
    """`console` is for people: standard error when JSON owns standard output, nowhere when quiet.

    Raises UsageError for a file that cannot be one, before anything is measured for it.
    """

    def __init__(
        self, *, json_to: str | None = None, junit_to: str | None = None, quiet: bool = False
    ) -> None:
        self._json_to = json_to
        self._junit_to = junit_to
        for option, to in (("--json", json_to), ("--junit", junit_to)):
            if to not in (None, _STDOUT):
                if not Path(to).parent.is_dir():
                    raise UsageError("its folder does not exist", place=f"{option} {to}")
                if Path(to).is_dir():
                    raise UsageError("expected a file, found a folder", place=f"{option} {to}")
        self.console = PlainConsole(stderr=json_to == _STDOUT, quiet=quiet)

    def lines(self, lines: Iterable[str]) -> None:
        """Plain lines for people, wrapped by nobody: they may be piped on."""
        for line in lines:
            self.console.print(Text(line), soft_wrap=True)

    def document(self, text: str) -> None:
        """A whole document, as it is: it is meant for a file or a pipe."""
        self.console.file.write(text)

    def run(self, run: Run, folder: Path | None) -> None:
        """The run, for people and as JSON where that was asked for."""
        self.console.width = max(self.console.width, narrowest(tables(run)))
        try:
            self.console.print(face(run, folder, self.console))
        finally:  # a reader who has gone (`| head`) does not keep it from the file
            self.json(encode_record(run))
            self.checks(title(run), run.checks)

    def json(self, document: bytes) -> None:
        """A document for programs, where `--json` said; nothing when it was not given."""
        if self._json_to == _STDOUT:
            sys.stdout.buffer.write(document)
            sys.stdout.buffer.flush()
        elif self._json_to is not None:
            _write(Path(self._json_to), document, "--json")

    def checks(self, name: str, checks: Sequence[Checked]) -> None:
        """What came of them, where `--junit` said; nothing when it was not given."""
        if self._junit_to is not None:
            from coldbench.report.junit import junit

            _write(Path(self._junit_to), junit(name, checks), "--junit")


def _write(to: Path, document: bytes, option: str) -> None:
    try:
        to.write_bytes(document)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", place=f"{option} {to}") from error

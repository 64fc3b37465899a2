"""Where a command's words go: people's to the terminal, a program's to a file or standard output."""

import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from coldbench.core.errors import UsageError
from coldbench.core.summary import Run
from coldbench.report.terminal import said_at_once, show
from coldbench.runs.folder import encode_record

_STDOUT = "-"


class Output:
    """`console` is for people: standard error when JSON owns standard output, nowhere when quiet."""

    def __init__(self, *, json_to: str | None = None, quiet: bool = False) -> None:
        self._json_to = json_to
        if json_to not in (None, _STDOUT) and not Path(json_to).parent.is_dir():
            raise UsageError("its folder does not exist", place=f"--json {json_to}")
        self.console = Console(
            stderr=json_to == _STDOUT, quiet=quiet, highlight=False, markup=False, emoji=False
        )

    def lines(self, lines: Iterable[str]) -> None:
        """Plain lines for people."""
        said_at_once(list(lines), self.console)

    def run(self, run: Run, folder: Path | None) -> None:
        """The run, for people and as JSON where that was asked for."""
        show(run, folder, self.console)
        self.json(run)

    def json(self, run: Run) -> None:
        """The contract's JSON, where it was asked for."""
        if self._json_to == _STDOUT:
            sys.stdout.buffer.write(encode_record(run))
            sys.stdout.buffer.flush()
        elif self._json_to is not None:
            try:
                Path(self._json_to).write_bytes(encode_record(run))
            except OSError as error:
                raise UsageError(
                    f"cannot be written: {error.strerror}", place=f"--json {self._json_to}"
                ) from error

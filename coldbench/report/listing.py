"""The list of runs: the same rows in the terminal and in the browser."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from coldbench.core.errors import UsageError
from coldbench.core.summary import Run
from coldbench.core.verdict import Verdict
from coldbench.report.words import shown
from coldbench.runs.folder import folders, read_record

# The name of a run's folder is its time, command and name: what `coldbench report` takes.
HEADS = ["run (UTC time_command_name)", "state", "targets", "invocations", "cold"]


class Listed(Struct, frozen=True, kw_only=True):
    """One folder: its run, None where that cannot be read, and its cells in the order of `HEADS`."""

    folder: Path
    run: Run | None
    cells: list[str]


def listed(root: Path) -> Iterator[Listed]:
    """The runs under `root`, newest first."""
    for folder in folders(root):
        name = shown(folder.name, 60)
        try:
            run = read_record(folder)
        except UsageError as error:
            # Said, not hidden; the path is in the first column already.
            yield Listed(folder=folder, run=None, cells=[name, shown(error.message, 60), "", "", ""])
            continue
        yield Listed(folder=folder, run=run, cells=[name, *_cells(run)])


def _cells(run: Run) -> list[str]:
    counts = [f"{run.counts.completed + run.counts.errors:,}", f"{_cold(run):,}"]
    return [
        run.state.value,
        shown(", ".join(target.name for target in run.targets), 40),
        # A run that goes on, or was cut off and not looked at since, has not been counted.
        *(["-", "-"] if run.judge_version is None else counts),
    ]


def _cold(run: Run) -> int:
    return sum(result.verdicts.get(Verdict.COLD, 0) for result in run.results)

"""`coldbench runs`: the runs in a folder, newest first."""

from pathlib import Path

import msgspec
from tabulate import tabulate

from coldbench.cli import options
from coldbench.cli.output import Output
from coldbench.core.errors import UsageError
from coldbench.core.summary import Run
from coldbench.core.verdict import Verdict
from coldbench.report.words import shown
from coldbench.runs.folder import folders, read_record

# The name of a run's folder is its time, command and name: what `coldbench report` takes.
_HEADS = ["run (UTC time_command_name)", "state", "targets", "invocations", "cold"]


def command(out: options.Out = Path("reports"), json_to: options.JsonTo = None) -> None:
    """List the runs."""
    output = Output(json_to=json_to)
    rows: list[list[str]] = []
    found: list[dict[str, object]] = []
    for folder in folders(out):
        try:
            run = read_record(folder)
        except UsageError as error:
            # Said, not hidden; the path is in the first column already.
            rows.append([shown(folder.name, 60), shown(error.message, 60), "", "", ""])
            continue
        found.append({"folder": str(folder)} | msgspec.to_builtins(run))
        rows.append(_row(folder, run))
    if rows:
        table = tabulate(rows, headers=_HEADS, disable_numparse=True, colalign=["left"] * 3 + ["right"] * 2)
        output.lines(table.splitlines())
    else:
        output.lines([f"no runs in {shown(str(out))} yet; coldbench run makes one"])
    output.json(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


def _row(folder: Path, run: Run) -> list[str]:
    counts = [f"{run.counts.completed + run.counts.errors:,}", f"{_cold(run):,}"]
    return [
        shown(folder.name, 60),
        run.state.value,
        shown(", ".join(target.name for target in run.targets), 40),
        # A run that goes on, or was cut off and not looked at since, has not been counted.
        *(["-", "-"] if run.judge_version is None else counts),
    ]


def _cold(run: Run) -> int:
    return sum(result.verdicts.get(Verdict.COLD, 0) for result in run.results)

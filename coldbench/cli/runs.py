"""`coldbench runs`: the runs in a folder, newest first."""

import sys
from pathlib import Path

import msgspec
from tabulate import tabulate

from coldbench.cli import options
from coldbench.core.errors import UsageError
from coldbench.core.summary import Run
from coldbench.core.verdict import Verdict
from coldbench.report.words import shown
from coldbench.runs.folder import folders, read_record


def command(out: options.Out = Path("reports"), json_to: options.JsonTo = None) -> None:
    """List the runs."""
    if json_to not in (None, "-"):
        raise UsageError("the list goes to standard output only", place="--json", hint="write --json -")
    rows, found = [], []
    for folder in folders(out):
        try:
            run = read_record(folder)
        except UsageError as error:
            rows.append([shown(folder.name), "not readable", shown(str(error), 60)])
            continue
        found.append({"folder": str(folder)} | msgspec.to_builtins(run))
        rows.append(_row(folder, run))
    if json_to:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        return
    if not rows:
        sys.stdout.write(f"no runs in {out} yet; coldbench run makes one\n")
        return
    heads = ["run", "state", "targets", "invocations", "cold"]
    sys.stdout.write(tabulate(rows, headers=heads, tablefmt="simple", disable_numparse=True) + "\n")


def _row(folder: Path, run: Run) -> list[str]:
    return [
        shown(folder.name, 60),
        run.state.value,
        shown(", ".join(target.name for target in run.targets), 40),
        f"{run.counts.completed + run.counts.errors:,}",
        f"{sum(result.verdicts.get(Verdict.COLD, 0) for result in run.results):,}",
    ]

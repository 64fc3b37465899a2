"""`coldbench runs`: the runs in a folder, newest first."""

from pathlib import Path

import msgspec
from tabulate import tabulate

from coldbench.cli import options
from coldbench.cli.output import Output
from coldbench.report.listing import HEADS, listed
from coldbench.report.words import shown


def command(out: options.Out = Path("reports"), json_to: options.JsonTo = None) -> None:
    """List the runs."""
    output = Output(json_to=json_to)
    found = list(listed(out))
    if found:
        table = tabulate(
            [one.cells for one in found],
            headers=HEADS,
            disable_numparse=True,
            colalign=["left"] * 3 + ["right"] * 2,
        )
        output.lines(table.splitlines())
    else:
        output.lines([f"no runs in {shown(str(out))} yet; coldbench run makes one"])
    records = [{"folder": str(one.folder)} | msgspec.to_builtins(one.run) for one in found if one.run]
    output.json(msgspec.json.format(msgspec.json.encode(records), indent=2) + b"\n")

"""`coldbench report`: a run again, judged by today's rules."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from coldbench.analysis import open_run
from coldbench.cli import options
from coldbench.cli.output import Output
from coldbench.core.errors import UsageError
from coldbench.report.text import markdown, text
from coldbench.runs.folder import encode_record, find_run

_FORMATS = ("terminal", "text", "md", "json")


def command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A run folder, its name or the start of it, a run's name, or latest."
        ),
    ] = "latest",
    format_: Annotated[
        str, typer.Option("--format", metavar="terminal|text|md|json", help="How to show it.")
    ] = "terminal",
    json_to: options.JsonTo = None,
    out: options.Out = Path("reports"),
) -> None:
    """Show a run again, judged by today's rules."""
    if format_ not in _FORMATS:
        raise UsageError(f"expected one of {', '.join(_FORMATS)}, got {format_!r}", place="--format")
    folder = find_run(out, run)
    found = open_run(folder)
    output = Output(json_to=json_to)
    match format_:
        case "terminal":
            output.run(found, folder)
            return
        case "text":
            words = text(found, folder).encode()
        case "md":
            words = markdown(found, folder).encode()
        case _:
            words = encode_record(found)
    sys.stdout.buffer.write(words)
    sys.stdout.buffer.flush()
    output.json(found)

"""`coldbench report`: a run again, judged by today's rules."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from coldbench.analysis import check_run, judged_run, open_run
from coldbench.cli import options
from coldbench.cli.checks import read_checks
from coldbench.cli.output import Output
from coldbench.cli.record import exit_code
from coldbench.core.summary import Run
from coldbench.report.lines import title
from coldbench.report.text import markdown, text
from coldbench.runs.folder import encode_record, find_run


class Format(StrEnum):
    """The faces of a run; `terminal` draws bars and colours where it can."""

    TERMINAL = "terminal"
    TEXT = "text"
    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"


def command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A run folder, its name or the start of it, a run's name, or latest."
        ),
    ] = "latest",
    format_: Annotated[
        Format, typer.Option("--format", metavar="terminal|text|md|html|json", help="How to show it.")
    ] = Format.TERMINAL,
    check: options.Checks = None,
    junit: options.Junit = None,
    json_to: options.JsonTo = None,
    out: options.Out = Path("reports"),
) -> None:
    """Show a run again, judged by today's rules."""
    if format_ is Format.JSON:
        json_to = json_to or "-"
    output = Output(json_to=json_to, junit_to=junit)
    folder = find_run(out, run)
    found = open_run(folder)
    checks = read_checks(check, found.targets)
    if checks:
        found = check_run(folder, found, checks)
    _show(found, folder, format_, output)
    if checks:
        raise typer.Exit(exit_code(found, interrupted=False))


def _show(found: Run, folder: Path, format_: Format, output: Output) -> None:
    match format_:
        case Format.TERMINAL:
            output.run(found, folder)
            return
        case Format.TEXT:
            output.lines(text(found, folder).splitlines())
        case Format.MARKDOWN:
            output.lines(markdown(found, folder).splitlines())
        case Format.HTML:
            from coldbench.report.html.page import read_page

            with judged_run(folder) as (_, samples):
                output.document(read_page(folder, found, samples=samples))
        case Format.JSON:
            pass  # nothing for people
    output.json(encode_record(found))
    output.checks(title(found), found.checks)

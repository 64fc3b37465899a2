"""`coldbench compare`: which is slower, by how much, in which part, and what cannot be told."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from coldbench.analysis import Compared, compare
from coldbench.cli import options
from coldbench.cli.output import Output
from coldbench.cli.record import checks_passed
from coldbench.core.change import parse_change
from coldbench.report.comparison import comparison_csv, comparison_tables, comparison_title
from coldbench.report.terminal import comparison_face, narrowest
from coldbench.report.text import comparison_markdown, comparison_text
from coldbench.runs.folder import find_run


class Format(StrEnum):
    """The faces of a comparison."""

    TERMINAL = "terminal"
    TEXT = "text"
    MARKDOWN = "md"
    HTML = "html"
    CSV = "csv"
    JSON = "json"


def command(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN...", help="As report takes them; one of several targets, or several."),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", metavar="RUN", help="The run that the others are held against."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="LABEL", help="Compare targets that differ in this label alone."),
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            metavar="'EXPR'",
            help="Exit with 99 unless that is ruled out: 'startup_ms.p50 > +10%'. Repeatable.",
        ),
    ] = None,
    format_: Annotated[
        Format, typer.Option("--format", metavar="terminal|text|md|html|csv|json", help="How to show it.")
    ] = Format.TERMINAL,
    junit: options.Junit = None,
    json_to: options.JsonTo = None,
    out: options.Out = Path("reports"),
) -> None:
    """Hold targets or runs against one another."""
    if format_ is Format.JSON:
        json_to = json_to or "-"
    output = Output(json_to=json_to, junit_to=junit)
    base = None if baseline is None else find_run(out, baseline)
    found = [find_run(out, run) for run in runs or ["latest"]]
    folders = list(dict.fromkeys([*([base] if base else []), *found]))
    compared = compare(
        folders, base, by, lambda targets: [parse_change(text, targets) for text in fail_if or []]
    )
    _show(compared, format_, output)
    output.json(msgspec.json.format(msgspec.json.encode(compared.comparison), indent=2) + b"\n")
    output.checks(comparison_title(compared.comparison), compared.comparison.checks)
    checks_passed(compared.comparison.checks)


def _show(compared: Compared, format_: Format, output: Output) -> None:
    comparison = compared.comparison
    match format_:
        case Format.TERMINAL:
            output.console.width = max(output.console.width, narrowest(comparison_tables(comparison)))
            output.console.print(comparison_face(comparison, output.console))
        case Format.TEXT:
            output.document(comparison_text(comparison))
        case Format.MARKDOWN:
            output.document(comparison_markdown(comparison))
        case Format.CSV:
            output.document(comparison_csv(comparison))
        case Format.HTML:
            from coldbench.report.html.comparison import comparison_page

            output.document(comparison_page(comparison, compared.samples))
        case Format.JSON:
            pass  # nothing for people

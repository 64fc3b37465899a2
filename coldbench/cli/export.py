"""`coldbench export`: a run's invocations for other programs."""

import os
import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from coldbench.analysis import judged_run
from coldbench.cli import options
from coldbench.core.errors import UsageError
from coldbench.core.summary import Run
from coldbench.runs.export.hdr import write_hdr
from coldbench.runs.export.judged import Facts
from coldbench.runs.export.metrics import write_otlp, write_prometheus
from coldbench.runs.export.rows import write_csv, write_jsonl, write_parquet
from coldbench.runs.folder import find_run
from coldbench.runs.samples import read_judged


class Format(StrEnum):
    """What can be written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    PROMETHEUS = "prometheus"
    OTLP = "otlp"
    HDR = "hdr"


_WRITERS = {
    Format.CSV: write_csv,
    Format.JSONL: write_jsonl,
    Format.PROMETHEUS: write_prometheus,
    Format.OTLP: write_otlp,
    Format.HDR: write_hdr,
}
_STDOUT = "-"


def command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A run folder, its name or the start of it, a run's name, or latest."
        ),
    ] = "latest",
    format_: Annotated[
        Format,
        typer.Option("--format", metavar="csv|jsonl|parquet|prometheus|otlp|hdr", help="What to write."),
    ] = Format.CSV,
    to: Annotated[str, typer.Option("--to", metavar="FILE|-", help="Where to; - is stdout.")] = _STDOUT,
    out: options.Out = Path("reports"),
) -> None:
    """Write a run's invocations for other programs."""
    folder = find_run(out, run)
    with judged_run(folder) as (found, samples):
        _write(found, partial(read_judged, samples), format_, to)


def _write(found: Run, facts: Facts, format_: Format, to: str) -> None:
    if to == _STDOUT:
        if format_ is Format.PARQUET:
            raise UsageError("parquet is no stream", place="--to -", hint="name a file: --to run.parquet")
        _WRITERS[format_](found, facts, sys.stdout.buffer)
        return
    temporary = Path(f"{to}.{os.getpid()}.part")
    try:
        if format_ is Format.PARQUET:
            write_parquet(found, facts, temporary)
        else:
            with temporary.open("wb") as file:
                _WRITERS[format_](found, facts, file)
        temporary.replace(to)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", place=f"--to {to}") from error
    finally:
        temporary.unlink(missing_ok=True)

"""`coldbench lab`: local functions with known ground truth, until Ctrl-C."""

import signal
import threading
from typing import Annotated

import typer

from coldbench.report.words import shown
from coldbench.targets.lab import parse_lab_url, start_lab


def command(
    functions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[lab:RUNTIME...]", help="lab:python, lab:node/todolist?idle=5s, lab:./folder, ..."
        ),
    ] = None,
) -> None:
    """Serve local functions with known ground truth."""
    urls = functions or ["lab:python", "lab:custom"]
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with start_lab([parse_lab_url(url) for url in urls]) as lab:
        for url, endpoint in zip(urls, lab.endpoints, strict=True):
            typer.echo(f"{endpoint}  {shown(url)}")
        typer.echo("serving until Ctrl-C", err=True)
        while not ended.wait(1.0) and lab.process.poll() is None:
            pass

"""`coldbench ui`: the reports folder in a browser, until Ctrl-C."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from coldbench.cli import options
from coldbench.ui.server import serve


def command(
    out: options.Out = Path("reports"),
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="On 127.0.0.1; 0 takes a free one.")
    ] = 8089,
) -> None:
    """Serve the runs in a folder as pages, on this machine only."""
    asyncio.run(_until_asked(out, port))


async def _until_asked(root: Path, port: int) -> None:
    serving = asyncio.ensure_future(serve(root, port, _say))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        pass  # what was asked for


def _say(address: str) -> None:
    typer.echo(address)
    typer.echo("serving until Ctrl-C", err=True)

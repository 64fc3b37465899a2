"""`coldbench shim`: the snippet that makes a function tell the truth about its own instance."""

from difflib import get_close_matches
from typing import Annotated

import typer

from coldbench.core.errors import UsageError
from coldbench.evidence.shims import FILES, source


def command(
    runtime: Annotated[str, typer.Argument(metavar="|".join(FILES), help="what the function is written in")],
) -> None:
    """Print the shim of a runtime; its first lines say how to use it."""
    if runtime not in FILES:
        near = get_close_matches(runtime, FILES, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"there is no shim for {runtime!r}", hint=f"{meant}there are {', '.join(FILES)}")
    typer.echo(source(runtime), nl=False)

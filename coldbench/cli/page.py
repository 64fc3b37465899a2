"""What each measuring command ends with: its run is shown, and leaves a page in its folder."""

from pathlib import Path

from coldbench.cli.output import Output
from coldbench.core.errors import UsageError
from coldbench.core.summary import Run


def show_and_keep(run: Run, folder: Path, output: Output) -> None:
    """Show the run, then write `report.html`; what keeps it from being written is said and loses nothing."""
    try:
        output.run(run, folder)
    finally:  # a reader who has gone (`| head`) does not keep it from its folder
        said = _keep(run, folder)
    output.lines([said])


def _keep(run: Run, folder: Path) -> str:
    from coldbench.report.html.page import PAGE, write_page

    try:
        return f"page: {write_page(folder, run)}"
    except (OSError, UsageError) as error:
        return f"{PAGE} could not be written: {error}"

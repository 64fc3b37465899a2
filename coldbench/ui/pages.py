"""What the browser is shown: the list of runs, a run, a run under way, a comparison. No HTTP here."""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil
from pathlib import Path
from time import monotonic

from msgspec import Struct

from coldbench.analysis import compare, judged_run
from coldbench.core.summary import State
from coldbench.report.html.comparison import comparison_page
from coldbench.report.html.page import read_page, render
from coldbench.report.listing import HEADS, Listed, listed
from coldbench.runs.folder import RECORD, folders, read_record

_KEPT_PAGES = 8
# Looking must not disturb what is measured: at most this share of a processor, and no more often than that.
_SHARE, _SHORTEST_S = 0.05, 2


class Filters(Struct, frozen=True, kw_only=True):
    """Which runs are listed; an empty one lets all through."""

    text: str = ""
    command: str = ""
    state: str = ""

    def lets_through(self, one: Listed) -> bool:
        """`text` is looked for in the row, whatever its case."""
        if self.text.casefold() not in " ".join(one.cells).casefold():
            return False
        if one.run is None:
            return not self.command and not self.state
        return self.command in ("", one.run.command) and self.state in ("", one.run.state)


class Shown(Struct, frozen=True, kw_only=True):
    """A document, and after how many seconds a browser should ask for it again: only of a run under way."""

    document: str
    again_s: int | None = None


def list_page(root: Path, filters: Filters) -> str:
    """The runs under `root` that the filters let through."""
    known = list(listed(root))
    return render(
        "runs.html",
        title="coldbench runs",
        heads=HEADS,
        found=[one for one in known if filters.lets_through(one)],
        number=len(known),
        filters=filters,
        commands=sorted({one.run.command for one in known if one.run}),
        states=[state.value for state in State],
    )


def run_page(root: Path, name: str) -> Shown | None:
    """The page of the run in the folder of that name; None when there is none such under `root`."""
    folder = _folder(root, name)
    if folder is None:
        return None
    if read_record(folder).state is not State.RUNNING:
        return Shown(document=_page(folder, (folder / RECORD).stat().st_mtime_ns))
    began = monotonic()
    document = read_page(folder, read_record(folder), home="/")
    return Shown(document=document, again_s=max(_SHORTEST_S, ceil((monotonic() - began) / _SHARE)))


def compare_page(root: Path, names: Sequence[str]) -> str | None:
    """The runs in the folders of those names against one another; None when one of them is not there.

    Raises UsageError where there is nothing to compare.
    """
    found = [_folder(root, name) for name in names]
    known = [folder for folder in found if folder is not None]
    if len(known) < len(found):
        return None
    compared = compare(known, None, None, lambda targets: [])
    return comparison_page(compared.comparison, compared.samples, home="/")


def _folder(root: Path, name: str) -> Path | None:
    """Found by looking at what is there: a name is never made into a path."""
    return next((folder for folder in folders(root) if folder.name == name), None)


@lru_cache(_KEPT_PAGES)
def _page(folder: Path, written_ns: int) -> str:
    """Of a run that is over; made anew when its record is."""
    with judged_run(folder) as (run, samples):
        return read_page(folder, run, home="/", samples=samples)

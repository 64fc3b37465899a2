"""What earlier runs of a folder have found, for `coldbench keepwarm` to begin with."""

from collections.abc import Sequence
from pathlib import Path

from coldbench.core.errors import UsageError
from coldbench.core.keepwarm import Round
from coldbench.core.redact import redact_url
from coldbench.core.target import Target
from coldbench.probe.kept import Asked
from coldbench.runs.events import read_events
from coldbench.runs.folder import folders, read_record


def last_rounds(out: Path, name: str, targets: Sequence[Target], asked: Sequence[Asked]) -> dict[str, Round]:
    """By target, the last round of the newest keepwarm run of that name, where it was asked for the same:
    what it had found goes on."""
    wanted = {(its.name, redact_url(its.url)): one.instances for its, one in zip(targets, asked, strict=True)}
    for folder in folders(out):
        try:
            record = read_record(folder)
            if record.command != "keepwarm" or record.name != name:
                continue
            urls = {its.name: its.url for its in record.targets}
            rounds = {done.target: done for done in read_events(folder, Round)}
        except UsageError:
            continue
        return {
            target: done
            for target, done in rounds.items()
            if wanted.get((target, urls.get(target, ""))) == done.asked
        }
    return {}


def measured_lifetime_ns(out: Path, target: Target) -> int | None:
    """The lower end of what `coldbench lifetime` has found for this URL, by its newest run in `out`."""
    for folder in folders(out):
        try:
            record = read_record(folder)
        except UsageError:
            continue
        found = record.lifetime
        if (
            found is None
            or found.p10 is None
            or redact_url(target.url) not in {t.url for t in record.targets}
        ):
            continue
        return round(1e9 * (found.p10.value if found.p10.low is None else found.p10.low))
    return None

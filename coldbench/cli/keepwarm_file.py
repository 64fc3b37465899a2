"""`keepwarm.toml`: several targets, each with its own number of instances and period.

[[target]]
name = "orders"
url = "https://orders.example.com/"
instances = 5
every = "4m"                                # or "auto"
headers = ["Authorization: Bearer $TOKEN"]  # $NAME is read from the environment
"""

from collections import Counter
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from coldbench.cli.targets import TargetOptions, read_targets
from coldbench.core.errors import UsageError
from coldbench.core.target import Target


class Wish(Struct, frozen=True, kw_only=True):
    """What is wanted of one target, however it was said."""

    instances: int
    every: str
    concurrency: int = 1
    hold_with: str | None = None


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: str
    name: str | None = None
    instances: int = 1
    every: str = "auto"
    concurrency: int = 1
    hold_with: str | None = None
    method: str | None = None
    headers: list[str] = []
    data: str | None = None


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    target: list[_Entry]


def read_keepwarm_file(path: Path, given: TargetOptions) -> tuple[tuple[Target, ...], list[Wish]]:
    """Its targets and what is wanted of each; what `given` says of no one target holds for all of them.

    Raises UsageError that names the file.
    """
    if given.url:
        raise UsageError("targets come from one place", place=f"--url with --file {path}")
    try:
        entries = msgspec.toml.decode(path.read_bytes(), type=_File).target
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=str(path)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"not a list of targets: {error}", place=str(path)) from error
    targets, wishes = [], []
    for number, entry in enumerate(entries, 1):
        if entry.instances < 1 or entry.concurrency < 1:
            raise UsageError("expected at least 1", place=f"{path}: target {number}")
        (target,) = read_targets(
            replace(
                given,
                url=[entry.url if entry.name is None else f"{entry.name}={entry.url}"],
                method=entry.method or given.method,
                header=[*(given.header or []), *entry.headers],
                data=entry.data if entry.data is not None else given.data,
            )
        )
        targets.append(target)
        wishes.append(
            Wish(
                instances=entry.instances,
                every=entry.every,
                concurrency=entry.concurrency,
                hold_with=entry.hold_with,
            )
        )
    if not targets:
        raise UsageError("there is no target", place=str(path), hint="give it a [[target]] with a url")
    names = Counter(target.name for target in targets)
    (commonest, times), *_ = names.most_common(1)
    if times > 1:
        raise UsageError(
            f"{times} targets are called {commonest}", place=str(path), hint="give each its name"
        )
    return tuple(targets), wishes

"""From the command line to the checks of a run."""

from collections.abc import Sequence
from typing import Protocol

from coldbench.core.check import Check, parse_check


class Named(Protocol):
    """A target, or what a record says of one."""

    @property
    def name(self) -> str:
        """As checks call it."""


def read_checks(given: Sequence[str] | None, targets: Sequence[Named]) -> tuple[Check, ...]:
    """What `--check` asks for. Raises UsageError before anything is sent."""
    return tuple(parse_check(text, [target.name for target in targets]) for text in given or [])

"""What can go wrong, and the exit code of each.

    ColdbenchError            1  a fault of ours
    ├── UsageError            2  a bad option, a bad file, an unknown metric, a plan too large
    ├── NoAnswerError         3  no target ever answered
    └── CheckFailed          99  a --check or --fail-if failed, or had too few samples

Only the front door (`coldbench.cli`) prints an error and exits.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The contract's exit codes (DESIGN.md, "Exit codes")."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    NO_ANSWER = 3
    DEGRADED = 4
    CHECK_FAILED = 99
    INTERRUPTED = 130


class ColdbenchError(Exception):
    """Something a person has to know: what is wrong, where, and what to do about it.

    `place` is where it was found (`profiles/x.toml: stage 2: size`), `hint` what to do.
    """

    exit_code = ExitCode.FAULT

    def __init__(self, message: str, *, place: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint

    def __str__(self) -> str:
        """One line: `place: message (hint)`."""
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text} ({self.hint})" if self.hint else text


class UsageError(ColdbenchError):
    """The command cannot be done as it was asked."""

    exit_code = ExitCode.USAGE


class NoAnswerError(ColdbenchError):
    """No target ever answered."""

    exit_code = ExitCode.NO_ANSWER


class CheckFailed(ColdbenchError):
    """A gate did not hold, or had too few samples to hold."""

    exit_code = ExitCode.CHECK_FAILED

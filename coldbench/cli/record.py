"""What every command that measures does around its measuring: the record at the start, the end by a signal,
the exit code."""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from uuid import uuid4

from coldbench import __version__
from coldbench.cli.machine import machine
from coldbench.core.errors import CheckFailed, ExitCode, NoAnswerError
from coldbench.core.redact import redact_url
from coldbench.core.summary import Checked, Outcome, Run, State, TargetInfo
from coldbench.core.target import Target
from coldbench.runs.process import process_started


def new_run(
    command: str,
    name: str,
    targets: Sequence[Target],
    *,
    seed: int,
    planned: int | None,
    profile: Mapping[str, object] | None = None,
) -> Run:
    """The record of a run that begins now; `planned` is None where the number depends on the answers."""
    return Run(
        run_id=uuid4().hex[:12],
        command=command,
        name=name,
        version=__version__,
        started_at=now(),
        pid=os.getpid(),
        pid_started=process_started(os.getpid()),
        profile=None if profile is None else dict(profile),
        seed=seed,
        machine=machine(),
        planned=planned,
        targets=tuple(
            TargetInfo(
                name=target.name,
                url=redact_url(target.url),
                runtime=target.runtime,
                method=target.method,
                labels=target.labels,
                connections="fresh" if target.fresh_connections else "reuse",
            )
            for target in targets
        ),
    )


def now() -> str:
    """ISO 8601, UTC, as the record has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def exit_code(run: Run, *, interrupted: bool) -> ExitCode:
    """Of a closed run; raises NoAnswerError when no target ever answered, CheckFailed for checks."""
    if interrupted:
        return ExitCode.INTERRUPTED
    if not run.counts.completed:
        raise NoAnswerError("no target ever answered", hint=_why_no_answer(run))
    checks_passed(run.checks)
    return ExitCode.DEGRADED if run.state is State.DEGRADED else ExitCode.DONE


def checks_passed(checks: Sequence[Checked]) -> None:
    """Raises CheckFailed when one of them did not."""
    broken = [its for its in checks if its.outcome is not Outcome.PASSED]
    if broken:
        which = "; ".join(f"{its.check}{_at(its)}: {its.outcome}" for its in broken)
        raise CheckFailed(f"{len(broken)} of {len(checks)} checks did not pass", hint=which)


def _why_no_answer(run: Run) -> str:
    errors = {name for result in run.results for name in result.errors}
    return "; ".join(run.notes) or ", ".join(sorted(errors)) or "nothing was sent"


def _at(check: Checked) -> str:
    named = check.target is None or check.check.startswith(f"{check.target}.")
    return "" if named else f" at {check.target}"


class Asked:
    """How often the user has asked for the end, and whether by an interrupt (SIGINT)."""

    def __init__(self) -> None:
        self.count = 0
        self.interrupt = False

    def again(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        self.count += 1
        self.interrupt = self.interrupt or number == signal.SIGINT


@contextmanager
def signals() -> Iterator[Asked]:
    """SIGINT and SIGTERM only count as long as the context lasts."""
    asked = Asked()
    before = {number: signal.signal(number, asked.again) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

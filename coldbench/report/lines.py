"""What is said of a run as a whole, line by line: the same words on every face."""

from collections.abc import Iterator
from datetime import datetime

from coldbench.core.durations import format_duration
from coldbench.core.summary import Run
from coldbench.report.words import count, ms, shown

_LONGEST_NOTE = 1000


def title(run: Run) -> str:
    """`coldbench run demo`."""
    return f"coldbench {shown(run.command)} {shown(run.name)}"


def size(run: Run) -> str:
    """How much was asked for, and how long it took."""
    if run.judge_version is None:
        return f"{count(len(run.targets), 'target')}; nothing is counted yet"
    parts = [count(run.counts.intended, "invocation"), count(len(run.targets), "target")]
    if run.finished_at is not None:
        took = datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.started_at)
        parts.append(format_duration(round(took.total_seconds()) * 10**9))
    return ", ".join(parts)


def begun(run: Run) -> str:
    """When it began: `2026-11-23 10:58:03 UTC`."""
    return f"{datetime.fromisoformat(run.started_at):%Y-%m-%d %H:%M:%S} UTC"


def losses(run: Run) -> str:
    """What of the intended invocations did not complete; empty when all did."""
    counts = run.counts
    kinds = ((counts.errors, "with an error"), (counts.unfinished, "unfinished"), (counts.dropped, "dropped"))
    lost = ", ".join(f"{number:,} {what}" for number, what in kinds if number)
    return f"{counts.completed:,} completed, {lost}" if lost else ""


def generator(run: Run) -> Iterator[str]:
    """How true the generator was to the plan, and whether it was the limit."""
    fidelity, said = run.fidelity, []
    late = fidelity.lateness_ms
    if late.max is not None:
        p99 = "" if late.p99 is None else f"p99 {ms(late.p99)} ms, "
        said.append(f"lateness {p99}max {ms(late.max)} ms")
    if fidelity.burst_spread_ms is not None:
        said.append(f"widest burst sent within {ms(fidelity.burst_spread_ms)} ms")
    if fidelity.connections_opened is not None:
        said.append(f"{count(fidelity.connections_opened, 'connection')} opened")
    if fidelity.reused_pct is not None:
        said.append(f"{int(fidelity.reused_pct)} % of invocations reused one")  # 99.6 % are not all
    if fidelity.generator_cpu_pct_max is not None:
        said.append(f"CPU at most {fidelity.generator_cpu_pct_max:.0f} % of a core")
    if said:
        yield "; ".join(said)
    if fidelity.limited_by_generator:
        yield "the generator was the limit: the figures are of this machine, not of the targets; ask for less"


def first_responses(run: Run) -> Iterator[str]:
    """What each target answered first: a 200 is not always the function."""
    for result in run.results:
        if result.first_response is not None:
            yield f"{shown(result.target)}: {shown(result.first_response, 160)}"


def notes(run: Run) -> Iterator[str]:
    """What looks off, and why: of the run first, then of each target."""
    yield from (shown(note, _LONGEST_NOTE) for note in run.notes)
    if run.keepwarm is not None or run.concurrency is not None:
        return  # what there is to say of a target's times is not true of held calls
    for result in run.results:
        yield from (f"{shown(result.target)}: {shown(note, _LONGEST_NOTE)}" for note in result.notes)

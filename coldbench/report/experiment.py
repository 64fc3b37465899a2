"""The probe's plan, before anything is sent."""

from collections.abc import Iterator, Sequence

from coldbench.core.durations import format_duration
from coldbench.core.rounds import Experiment, Provocation, planned_duration_ns, planned_invocations
from coldbench.core.target import Target
from coldbench.report.words import count, shown

_CALLS = "a first call, then at once two on fresh and two on kept connections"


def experiment_lines(experiment: Experiment, targets: Sequence[Target]) -> Iterator[str]:
    """What will be sent where, and about how long it takes."""
    planned = planned_invocations(experiment, len(targets))
    names = ", ".join(shown(target.name, 40) for target in targets)
    most = "at most " if experiment.precision is not None or experiment.max_time_ns is not None else ""
    yield (
        f"plan  {most}{count(experiment.samples, 'round')}, {count(planned, 'invocation')} to {names}, "
        f"{_duration(experiment, len(targets))}"
    )
    each = "each target, in random order" if len(targets) > 1 else "each round"
    yield f"      {each}: {_round(experiment)}"
    if experiment.precision is not None:
        yield f"      until the cold penalty is known to {100 * experiment.precision:g} % of itself"
    if experiment.max_time_ns is not None:
        yield f"      for no longer than {format_duration(experiment.max_time_ns)}"
    yield f"      seed {experiment.seed}"


def _duration(experiment: Experiment, target_count: int) -> str:
    match experiment.provocation:
        case Provocation.GAP:
            gaps = format_duration(planned_duration_ns(experiment, target_count))
            return f"about {gaps} plus the answers' time"
        case Provocation.PREPARE:
            return "as long as the command and the answers take"
        case Provocation.BURST:
            return "as long as the answers take"


def _ahead(experiment: Experiment) -> str:
    if not experiment.connect_ahead_ns:
        return ""
    ahead = format_duration(experiment.connect_ahead_ns)
    return f" and {ahead} more, in one of each two rounds with a connection over which nothing is sent"


def _round(experiment: Experiment) -> str:
    match experiment.provocation:
        case Provocation.GAP:
            low, high = experiment.gap_ns
            upto = "" if low == high else f" to {format_duration(high)}"
            silence = f"{format_duration(low)}{upto} of silence (not before the first round)"
            return f"{silence}{_ahead(experiment)}, {_CALLS}"
        case Provocation.PREPARE:
            return f"the command of --prepare, {_CALLS}"
        case Provocation.BURST:
            return f"{_CALLS}, last a growing burst of overlapping calls"

"""The probe's plan, before anything is sent."""

from collections.abc import Iterator, Sequence

from coldbench.core.durations import format_duration
from coldbench.core.rounds import Experiment, Provocation, planned_duration_ns, planned_invocations
from coldbench.core.target import Target
from coldbench.report.words import count, shown


def experiment_lines(experiment: Experiment, targets: Sequence[Target]) -> Iterator[str]:
    """What will be sent where, and about how long it takes."""
    planned = planned_invocations(experiment, len(targets))
    names = ", ".join(shown(target.name, 40) for target in targets)
    duration = format_duration(planned_duration_ns(experiment, len(targets)))
    most = "at most " if experiment.precision is not None or experiment.max_time_ns is not None else ""
    yield (
        f"plan  {most}{count(experiment.samples, 'round')}, {count(planned, 'invocation')} to {names}, "
        f"about {duration} plus the answers' time"
    )
    if len(targets) > 1:
        yield "      in each round every target once, in random order:"
    yield f"      {_cold(experiment)}, a first call, then at once two on fresh and two on kept connections"
    if experiment.precision is not None:
        yield f"      until the cold penalty is known to {100 * experiment.precision:g} % of itself"
    if experiment.max_time_ns is not None:
        yield f"      for no longer than {format_duration(experiment.max_time_ns)}"
    yield f"      seed {experiment.seed}"


def _cold(experiment: Experiment) -> str:
    match experiment.provocation:
        case Provocation.GAP:
            low, high = experiment.gap_ns
            span = (
                format_duration(low) if low == high else f"{format_duration(low)} to {format_duration(high)}"
            )
            return f"{span} of silence (not before the first round)"
        case Provocation.PREPARE:
            return "the command of --prepare"
        case Provocation.BURST:
            return "a growing burst of overlapping calls last"

"""The plan, before anything is sent."""

from collections.abc import Iterator, Sequence

from coldbench.core.durations import format_duration
from coldbench.core.profile import Burst, Idle, Profile, Ramp, Rate, Stage, Trace, Users
from coldbench.core.schedule import Plan, planned_duration_ns, planned_invocations
from coldbench.core.target import Target
from coldbench.report.words import count, shown, silence


def plan_lines(profile: Profile, plan: Plan, targets: Sequence[Target]) -> Iterator[str]:
    """What will be sent where, and about how long it takes."""
    planned = planned_invocations(plan)
    number = "as many invocations as the answers allow" if planned is None else count(planned, "invocation")
    names = ", ".join(shown(target.name, 40) for target in targets)
    each = "" if planned is None or len(targets) == 1 else f" ({planned // len(targets):,} each)"
    duration = format_duration(planned_duration_ns(plan))
    yield f"plan  {shown(profile.name)}: {number} to {names}{each}, about {duration} plus the answers' time"
    rounds = f"{profile.repeat} rounds of: " if profile.repeat > 1 else ""
    each_target = ", to each target" if len(targets) > 1 else ""
    yield f"      {rounds}{', then '.join(_stage(stage) for stage in profile.stages)}{each_target}"
    yield f"      seed {plan.seed}"


def locustfile_lines(profile: Profile, plan: Plan, targets: Sequence[Target]) -> Iterator[str]:
    """The same of a user's own Locust file, which alone knows what its users send."""
    names = ", ".join(shown(target.name, 40) for target in targets)
    load = ", ".join(_stage(stage) for stage in profile.stages)
    yield f"plan  {shown(profile.name)}.py, a Locust file: its {load} against {names}, and the answers' time"
    yield f"      seed {plan.seed}"


def prepare_lines(command: str) -> Iterator[str]:
    """What is run before each round."""
    yield f"      before each round, for each target: {shown(command)}"


def _stage(stage: Stage) -> str:
    match stage:
        case Idle(duration_ns=duration):
            return silence(duration)
        case Burst(size=size):
            return f"a burst of {size:,}"
        case Rate(rate=rate, duration_ns=duration, arrivals=arrivals):
            how = "at random (Poisson)" if arrivals == "poisson" else "evenly"
            return f"{rate:g}/s {how} for {format_duration(duration)}"
        case Ramp(rate_from=low, rate_to=high, duration_ns=duration):
            return f"{low:g}/s to {high:g}/s over {format_duration(duration)}"
        case Users(users=users, duration_ns=duration):
            return f"{count(users, 'user')} for {format_duration(duration)}"
        case Trace(file=file):
            return f"the arrivals of {shown(file)}"

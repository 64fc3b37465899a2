"""A profile becomes a plan: which steps follow one another, and when each invocation is intended.

Every function here is pure: the same profile and seed give the same instants, whatever the clock does
(as vegeta's pacers are functions of elapsed time and hits).
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from math import ceil, sqrt
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from coldbench.core.profile import Burst, Idle, Profile, Ramp, Rate, Stage, Trace, Users, kind_of
from coldbench.core.trace import Recording

if TYPE_CHECKING:
    from numpy.random import Generator


class Kind(StrEnum):
    """Of a stage."""

    IDLE = "idle"
    BURST = "burst"
    RATE = "rate"
    RAMP = "ramp"
    USERS = "users"
    TRACE = "trace"


class Step(Struct, frozen=True, kw_only=True):
    """One stage at its place in the run, for one target or for several at the same time.

    `targets` are indices into the run's targets. `phase` (`3:burst`) counts the steps' stages through
    the run; the bursts of several targets in one stage share it.
    """

    phase: str
    kind: Kind
    round: int
    targets: tuple[int, ...]
    duration_ns: int = 0
    size: int = 0  # of a burst; of a trace, its arrivals at each target
    rate: float = 0.0  # arrivals per second and target at the start of a rate or ramp
    rate_to: float = 0.0  # at its end; equal to `rate` where that is constant
    poisson: bool = False
    users: int = 0  # per target
    think_ns: int = 0
    seed: int = 0  # of this step's own random arrivals
    file: str | None = None  # of a trace: which of the plan's recordings


class Plan(Struct, frozen=True, kw_only=True):
    """The whole run, step by step."""

    steps: tuple[Step, ...]
    seed: int
    recordings: dict[str, Recording] = {}  # by file: once, however often it is replayed


def plan(
    profile: Profile, target_count: int, seed: int, recordings: Mapping[str, Recording] | None = None
) -> Plan:
    """All steps of a run against `target_count` targets; `seed` is not negative.

    `recordings` has what each file that a trace stage names records.

    In each round the bursts of several targets follow one another in a random order, the same for each
    burst stage of the round, so that the time between two of them is alike for all targets.
    """
    random = _generator(seed)
    everybody = tuple(range(target_count))
    steps: list[Step] = []
    number = 0
    for round_number in range(profile.repeat):
        order = random.permutation(target_count).tolist()
        for stage in profile.stages:
            step = _step(stage, f"{number}:{kind_of(stage)}", round_number, everybody)
            if isinstance(stage, Trace):
                recording = (recordings or {})[stage.file]
                step = structs.replace(step, size=recording.count, duration_ns=recording.duration_ns)
            if step.kind is Kind.BURST:
                steps += [structs.replace(step, targets=(target,)) for target in order]
            elif step.poisson or step.kind is Kind.TRACE:
                steps.append(structs.replace(step, seed=int(random.integers(1 << 63))))
            else:
                steps.append(step)
            number += 1
    return Plan(steps=tuple(steps), seed=seed, recordings=dict(recordings or {}))


def _step(stage: Stage, phase: str, round_number: int, targets: tuple[int, ...]) -> Step:
    step = Step(phase=phase, kind=Kind(kind_of(stage)), round=round_number, targets=targets)
    match stage:
        case Idle(duration_ns=duration_ns):
            return structs.replace(step, duration_ns=duration_ns)
        case Burst(size=size):
            return structs.replace(step, size=size)
        case Rate(rate=rate, duration_ns=duration_ns, arrivals=arrivals):
            poisson = arrivals == "poisson"
            return structs.replace(step, duration_ns=duration_ns, rate=rate, rate_to=rate, poisson=poisson)
        case Ramp(rate_from=rate, rate_to=rate_to, duration_ns=duration_ns):
            return structs.replace(step, duration_ns=duration_ns, rate=rate, rate_to=rate_to)
        case Users(users=users, duration_ns=duration_ns, think_ns=think_ns):
            return structs.replace(step, duration_ns=duration_ns, users=users, think_ns=think_ns)
        case Trace(file=file):
            return structs.replace(step, file=file)


def invocations(step: Step) -> int | None:
    """How many invocations the whole step makes, of all its targets; None for users, whom answers pace."""
    match step.kind:
        case Kind.USERS:
            return None
        case Kind.BURST | Kind.TRACE:
            each = step.size
        case _:
            each = _arrival_count(step)
    return each * len(step.targets)


def arrivals(step: Step, target: int, recordings: Mapping[str, Recording] | None = None) -> Iterator[int]:
    """The intended starts for one of the step's targets, ns from the step's start, ascending.

    As many as `invocations` says for one target; none for idle and users. `target` is its index in the
    run: each has its own random arrivals. `recordings` are the plan's.
    """
    if step.kind is Kind.BURST:
        return iter([0] * step.size)
    if step.file is not None:
        return _recorded_arrivals((recordings or {})[step.file], _generator(step.seed, target))
    if step.poisson:
        return _poisson_arrivals(step, _generator(step.seed, target))
    return _linear_arrivals(step)


def planned_invocations(plan: Plan) -> int | None:
    """Of the whole run; None when a step's number is not known before."""
    counts = [invocations(step) for step in plan.steps]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def planned_duration_ns(plan: Plan) -> int:
    """Of the whole run; a burst counts as 0, since only its answers tell how long it takes."""
    return sum(step.duration_ns for step in plan.steps)


def _expected_arrivals(step: Step) -> float:
    """The integral of the rate over the step, for one target."""
    return (step.rate + step.rate_to) / 2 * step.duration_ns / 1e9


def _arrival_count(step: Step) -> int:
    """Arrivals at one target: those of 0, 1, 2 ... whose instant is before the end of the step."""
    # Rounded, since 0.07 a second for 100 s are 7 arrivals, not the 7.000000000000001 of floating point.
    return ceil(round(_expected_arrivals(step), 6))


def _linear_arrivals(step: Step) -> Iterator[int]:
    """Arrival i comes when the integral of the rate, a t + (b - a) t^2 / 2d, reaches i.

    As vegeta's LinearPacer. The quadratic's discriminant goes linearly from a^2 at the step's start to
    b^2 at its end; its root is taken in the form that does not cancel (Numerical Recipes, 5.6), which is
    i / a for a constant rate.
    """
    expected = _expected_arrivals(step)
    for i in range(_arrival_count(step)):
        discriminant = step.rate**2 + (step.rate_to**2 - step.rate**2) * i / expected
        at_ns = round(2e9 * i / (step.rate + sqrt(max(0.0, discriminant)))) if i else 0
        yield min(at_ns, step.duration_ns)


def _poisson_arrivals(step: Step, random: "Generator") -> Iterator[int]:
    """A Poisson process that is known to have `_arrival_count` arrivals.

    Given their number, the arrivals of a Poisson process are independent and uniform over the time
    (Kingman, Poisson Processes, 2.4). Fixing the number at the rate asked for lets the plan say before
    the start what is sent and costs, and gives every target the same load; what is given up is only the
    chance that a whole step is busier or quieter than asked.
    """
    return _spread(_arrival_count(step), step.duration_ns, random)


def _recorded_arrivals(recording: Recording, random: "Generator") -> Iterator[int]:
    """As recorded; where only the number in a minute is, spread over it independently and uniformly."""
    yield from recording.exact()
    for start_ns, length_ns, count in recording.minutes():
        for offset in _spread(count, length_ns, random):
            yield start_ns + offset


def _spread(count: int, length_ns: int, random: "Generator") -> Iterator[int]:
    """`count` independent uniform instants within `length_ns`, ascending.

    Drawn in that order one by one, so that a long step needs no memory (Bentley and Saxe 1980, Generating
    Sorted Lists of Random Numbers).
    """
    left = 1.0  # of the time, as a part
    for remaining in range(count, 0, -1):
        left *= random.random() ** (1 / remaining)
        yield round((1 - left) * length_ns)


def _generator(*key: int) -> "Generator":
    from numpy.random import default_rng  # late: numpy costs 0.1 s, and the engine seldom needs it

    return default_rng(key)

"""A run and its summary: the shape of `run.json` and of `--json`, schema `coldbench.run/1`.

History of the schema
1: first. Keys are only ever added.
"""

from enum import StrEnum

from msgspec import Struct

from coldbench.core.concurrency import Concurrency
from coldbench.core.keepwarm import Keepwarm
from coldbench.core.price import Cost, Rates

SCHEMA = "coldbench.run/1"


class State(StrEnum):
    """Of a run. A `running` run whose process is gone is read as `interrupted`."""

    RUNNING = "running"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    DEGRADED = "degraded"


class Quantiles(Struct, frozen=True, kw_only=True):
    """Of n durations in ms. A quantile p is None unless n(1-p) >= 5, or p = 0.5 with n >= 5."""

    n: int
    min: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None
    mean: float | None = None


class Interval(Struct, frozen=True, kw_only=True):
    """An estimate with its 95 % interval; the bounds are None when n is too small for one."""

    value: float
    low: float | None = None
    high: float | None = None


class TargetInfo(Struct, frozen=True, kw_only=True):
    """A target as it is written into `run.json`: without secrets."""

    name: str
    url: str
    runtime: str | None = None
    platform: str | None = None
    evidence_level: int | None = None
    method: str = "GET"
    connections: str = "reuse"
    labels: dict[str, str] = {}
    deployment: dict[str, str] = {}  # as its answers tell it: code, version, memory_mb, region


class Counts(Struct, frozen=True, kw_only=True):
    """intended = completed + errors + unfinished + dropped; the verdicts add up to completed + errors."""

    intended: int = 0
    sent: int = 0
    completed: int = 0
    errors: int = 0
    unfinished: int = 0
    dropped: int = 0
    discarded: int = 0


class Lateness(Struct, frozen=True, kw_only=True):
    """From intended to started, ms: the generator's fault only."""

    p50: float | None = None
    p99: float | None = None
    max: float | None = None


class Fidelity(Struct, frozen=True, kw_only=True):
    """How true the generator was to the plan."""

    lateness_ms: Lateness = Lateness()
    burst_spread_ms: float | None = None  # the widest burst of the run
    connections_opened: int | None = None  # only a generator that came to its end says how many
    reused_pct: float | None = None
    generator_cpu_pct_max: float | None = None
    held_ms: float | None = None  # how long the load waited for what was measured to be written
    limited_by_generator: bool = False


class Worker(Struct, frozen=True, kw_only=True):
    """One of several engines that shared a run; the column `worker` of samples.db has its rank."""

    rank: int
    name: str  # host and process
    # of instants: its clock's difference to the master's is corrected, and known to so much
    clock_error_ms: float | None = None
    cpu_pct_max: float | None = None
    lost_after_s: float | None = None  # None for one that stayed to the end


class InitSpan(Struct, frozen=True, kw_only=True):
    """A part of init that the function names itself, over its instances; the most that the bursts of one
    round met for the first time."""

    ms: Quantiles
    most_in_bursts: int | None = None


class StageWaits(Struct, frozen=True, kw_only=True):
    """What calls waited in one stage of the profile, over all rounds, whatever they met there."""

    stage: int  # its place in the profile, from 0
    kind: str  # `burst`, `rate` ...
    silence_s: float | None = None  # of the idle stage right before it
    wait_ms: Quantiles | None = None
    # median wait over that of the next stage, where that one is the same but for the silence
    over_next_ms: Interval | None = None


class Result(Struct, frozen=True, kw_only=True):
    """What was found for one target. Each `*_ms` is None where nothing of it was observed."""

    target: str
    verdicts: dict[str, int] = {}
    contradictions: int = 0
    instances: int | None = None
    startup_ms: Quantiles | None = None
    init_ms: Quantiles | None = None
    init_spans: dict[str, InitSpan] = {}  # by the names that the function gives
    platform_ms: Quantiles | None = None
    unattributed_ms: Quantiles | None = None
    exec_ms: Quantiles | None = None
    wait_cold_ms: Quantiles | None = None
    wait_warm_ms: Quantiles | None = None
    service_ms: Quantiles | None = None
    response_ms: Quantiles | None = None
    dns_ms: Quantiles | None = None
    connect_ms: Quantiles | None = None
    tls_ms: Quantiles | None = None
    cold_penalty_ms: Interval | None = None
    round_trip_ms: float | None = None
    stages: tuple[StageWaits, ...] = ()  # where the profile has stages
    cold_kinds: dict[str, int] = {}
    errors: dict[str, int] = {}
    statuses: dict[str, int] = {}
    first_response: str | None = None
    cost: Cost | None = None  # where the run has rates
    notes: tuple[str, ...] = ()


class Phases(Struct, frozen=True, kw_only=True):
    """Mean durations in ms over `n` calls of one verdict on one kind of connection.

    Means, since they add up along a call; a phase that these calls did not have is None.
    """

    verdict: str
    connection: str  # fresh: dialled within the call; reused: kept from the one before
    first: bool | None = None  # of a round, where the verdict does not tell such calls apart
    n: int
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    wait_ms: float | None = None
    download_ms: float | None = None


class Connecting(Struct, frozen=True, kw_only=True):
    """Whether connecting alone wakes a target: verdicts of first calls behind a bare connection, and of those
    behind the same silence without one. `wakes` is None where these do not decide.
    """

    connected: dict[str, int]
    silent: dict[str, int]
    wakes: bool | None
    at_most: float | None = None  # where it does not: the share of cases in which it may all the same (95 %)
    failed: int = 0  # connections that did not stand in time: the calls behind these are in neither
    start_ms: float | None = None  # median wait of cold calls behind silence alone


class Probed(Struct, frozen=True, kw_only=True):
    """What a probe finds of one target beside its `Result`. Execution is what the answers report of it."""

    target: str
    first: dict[str, int] = {}  # verdicts of the rounds' first calls
    phases: tuple[Phases, ...] = ()
    exec_first_ms: Quantiles | None = None  # in the call that was cold
    exec_later_ms: Quantiles | None = None  # in warm calls
    # the difference of their medians: a cost of the cold start that no init shows
    first_execution_ms: Interval | None = None
    # median wait of rounds' first calls over that of those right after them, on fresh connections, whatever
    # they met
    first_over_later_ms: Interval | None = None
    connecting: Connecting | None = None  # where it was asked


class CurvePoint(Struct, frozen=True, kw_only=True):
    """One trial of the lifetime, and P(cold | gap) there: Turnbull's estimate."""

    gap_s: float
    cold: bool
    probability: float


class Lifetime(Struct, frozen=True, kw_only=True):
    """How long an unused instance lives: the times, seconds, that 10, 50 and 90 % of them do not reach.

    trials = cold + warm + voided + unknown + recycled, over all targets, which are taken to be alike.
    """

    p10: Interval | None = None
    p50: Interval | None = None
    p90: Interval | None = None
    trials: int = 0
    cold: int = 0
    warm: int = 0
    voided: int = 0  # disturbed: they tell nothing
    void_reasons: dict[str, int] = {}
    unknown: int = 0  # the evidence did not decide
    unknown_gaps_s: tuple[float, ...] = ()  # theirs
    recycled: int = 0  # replaced for their age, not for being unused
    recycled_after_s: float | None = None
    waited_s: float = 0.0
    curve: tuple[CurvePoint, ...] = ()  # of the cold and warm trials, by gap


class Outcome(StrEnum):
    """Of a check. Too few samples to say is no pass."""

    PASSED = "passed"
    FAILED = "failed"
    TOO_FEW = "too few samples"


class Checked(Struct, frozen=True, kw_only=True):
    """A check of one target, or of the counts (target None): what was seen, of n samples, and its outcome."""

    check: str
    target: str | None
    outcome: Outcome
    seen: float | None = None
    n: int | None = None


class Run(Struct, frozen=True, kw_only=True):
    """One execution of a command: what was asked, and what was found."""

    schema: str = SCHEMA
    run_id: str
    command: str
    name: str
    version: str
    started_at: str  # ISO 8601, UTC
    finished_at: str | None = None
    # the wall clock when the run's own clock, that of samples.db, began
    zero_epoch_ns: int | None = None
    state: State = State.RUNNING
    pid: int | None = None
    # tells a living process from another one that got the same pid
    pid_started: str | None = None
    profile: dict[str, object] | None = None
    seed: int = 0
    machine: dict[str, object] = {}
    judge_version: int | None = None
    planned: int | None = None  # invocations in the plan; None when the profile does not say (users)
    rates: Rates | None = None
    targets: tuple[TargetInfo, ...] = ()
    counts: Counts = Counts()
    fidelity: Fidelity = Fidelity()
    workers: tuple[Worker, ...] = ()
    results: tuple[Result, ...] = ()
    probe: tuple[Probed, ...] = ()
    keepwarm: Keepwarm | None = None
    lifetime: Lifetime | None = None
    concurrency: Concurrency | None = None
    checks: tuple[Checked, ...] = ()
    notes: tuple[str, ...] = ()

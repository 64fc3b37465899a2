"""The probe's plan: in each round every target is made cold, invoked once, and invoked again at once.

Pure: the same experiment gives the same visits. Cold and warm calls are compared on the same kind of
connection, within minutes of one another and in random order, so that neither a handshake nor the time of
day is sold as a cold start.
"""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

# What the phase of a round's first invocation is called: after a silence, after a silence that ended with a
# connection over which nothing was sent, or with one that failed, and after the user's command.
FIRST, CONNECTED, UNCONNECTED, PREPARED = "first", "connected", "unconnected", "prepared"
# Those of the invocations that follow at once: on a connection of its own, on the one before.
FRESH, REUSED = "fresh", "reused"

# Followers of each first invocation, on fresh and on kept connections: as many of each.
_FOLLOWERS = (True, True, False, False)
# In the burst of round r, so many times r calls overlap: more than there can be instances from before.
_BURST_STEP = 2


class Provocation(StrEnum):
    """What makes a target cold before a round's first invocation of it."""

    GAP = "gap"  # nobody calls it for a while
    PREPARE = "prepare"  # the user's own command
    BURST = "burst"  # more overlapping calls than there are instances, after the first one


class Experiment(Struct, frozen=True, kw_only=True):
    """What was asked of a probe. Gaps are drawn evenly between the two of `gap_ns`."""

    provocation: Provocation
    gap_ns: tuple[int, int] = (0, 0)
    samples: int
    seed: int
    precision: float | None = None  # relative half-width of the cold penalty's interval that is enough
    max_time_ns: int | None = None
    connect_ahead_ns: int = 0  # in half of the rounds a bare connection comes so long before the first call


class Visit(Struct, frozen=True, kw_only=True):
    """One target in one round. `fresh` says of each follower whether it dials, in the order they are sent.

    The first invocation comes at least `gap_ns` after the target's last answer, on a fresh connection.
    """

    round: int
    target: int  # an index into the run's targets
    gap_ns: int
    fresh: tuple[bool, ...]
    burst: int = 0  # overlapping calls after the followers
    connect_ahead_ns: int = 0  # of the gap's end, in which a connection is open over which nothing is sent

    @property
    def invocations(self) -> int:
        """How many it sends when all is answered."""
        return 1 + len(self.fresh) + self.burst


def rounds(experiment: Experiment, target_count: int) -> Iterator[list[Visit]]:
    """The visits of each round, in random order; the first round comes without a gap.

    Whether a follower's place among the others matters is not known: their order is drawn too. Of each two
    rounds after a silence one has the bare connection, and so has the last of an odd number. Both kinds have
    the same silence.
    """
    from numpy.random import default_rng  # late: numpy costs 0.1 s

    random = default_rng(experiment.seed)
    shortest, longest = (gap_ns + experiment.connect_ahead_ns for gap_ns in experiment.gap_ns)
    for number in range(experiment.samples):
        yield [
            Visit(
                round=number,
                target=target,
                gap_ns=int(random.integers(shortest, longest, endpoint=True)) if number else 0,
                fresh=tuple(_FOLLOWERS[place] for place in random.permutation(len(_FOLLOWERS))),
                burst=_BURST_STEP * (number + 1) if experiment.provocation is Provocation.BURST else 0,
                connect_ahead_ns=experiment.connect_ahead_ns if _connects(experiment, number, target) else 0,
            )
            for target in random.permutation(target_count).tolist()
        ]


def _connects(experiment: Experiment, number: int, target: int) -> bool:
    """Whether a target's round `number` has the bare connection: one of rounds 1 and 2, one of 3 and 4 ..."""
    from numpy.random import default_rng

    if not experiment.connect_ahead_ns or not number:
        return False
    pair, second = divmod(number - 1, 2)
    if number == experiment.samples - 1 and not second:
        return True
    return bool(default_rng((experiment.seed, pair, target)).integers(2)) is bool(second)


def behind_connection(phase: str) -> bool:
    """Whether an invocation of that phase came behind a connection alone, or the attempt at one: the target
    may have begun to start before it."""
    return phase.partition(":")[2] in (CONNECTED, UNCONNECTED)


def planned_invocations(experiment: Experiment, target_count: int) -> int:
    """The most that are sent: of all rounds."""
    return sum(visit.invocations for visits in rounds(experiment, target_count) for visit in visits)


def planned_duration_ns(experiment: Experiment, target_count: int) -> int:
    """Of all rounds' gaps; how long answers and a command take is not known before.

    Targets wait for their gaps at the same time, so that a round takes about as long as its longest one.
    """
    return sum(
        max((visit.gap_ns for visit in visits), default=0) for visits in rounds(experiment, target_count)
    )

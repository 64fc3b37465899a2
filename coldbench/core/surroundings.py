"""What the other invocations of the same target say about one: all that the judge may look at beside it.

Made in one pass over the facts. What is kept grows with the time of the run, its instances and its cold
starts, not with its invocations.
"""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median, quantiles

from msgspec import Struct

from coldbench.core.invocation import Evidence, Invocation
from coldbench.core.sample import SystematicSample
from coldbench.core.spans import Spans

# After so long without a call, and twice its init, nothing that a call had started is still starting.
QUIET_NS = 2_000_000_000
# Below this many known warm calls their median wait is not used; it is taken of at most so many.
_ENOUGH_WARM = 5
_MOST_WARM = 1 << 16


class WarmWaits(Struct, frozen=True):
    """Less the round trip, ms: the 5 % quantile, the median, and the 95 % quantile."""

    low: float
    median: float
    high: float


class Surroundings:
    """Of one target in one run; instants are ns of the run's clock. `add` each invocation, then ask."""

    def __init__(self) -> None:
        self.round_trip_ns: int | None = None
        self.calls = 0
        self.silent = 0  # calls whose answer tells nothing of first uses
        self._sent = Spans(join_ns=QUIET_NS)
        self._waiting = Spans()
        # By the kind of connection: when it was sent, how long it waited.
        self._later_uses: dict[bool, SystematicSample[tuple[int, int]]] = {
            dialled: SystematicSample(_MOST_WARM) for dialled in (True, False)
        }
        self._first_answer: dict[str, int] = {}
        self._last_answer: dict[str, int] = {}
        self._first_sent: dict[str, int] = {}
        self._up: Spans | None = None
        self._warm_waits: dict[bool, WarmWaits | None] | None = None

    def add(self, invocation: Invocation) -> None:
        """Look at one more invocation, before the first question is asked."""
        self.calls += 1
        self.silent += invocation.completed and not invocation.evidence.tells_of_use
        connect, sent = invocation.connect_ns, invocation.sent_ns
        if connect is not None and (self.round_trip_ns is None or connect < self.round_trip_ns):
            # The network's round trip is the fastest handshake: everything else only adds to it.
            self.round_trip_ns = connect
        if sent is None:
            return
        self._sent.add(sent, sent)
        answered = invocation.first_byte_ns
        if answered is None:
            return
        instance = invocation.evidence.instance
        first_use = _flagged_first_use(invocation.evidence)
        if instance is not None:
            if sent < self._first_sent.get(instance, sent + 1):
                self._first_sent[instance] = sent
            first = self._first_answer.get(instance)
            if first is None or answered < first:
                self._first_answer[instance] = answered
            last = self._last_answer.get(instance)
            if last is None or answered > last:
                self._last_answer[instance] = answered
            if first_use is None and first is not None and first < sent:
                first_use = False
        if first_use:
            self._waiting.add(sent, answered)
        elif first_use is False:
            self._later_uses[invocation.dialled].add((sent, answered - sent))

    def first_answer_ns(self, instance: str) -> int | None:
        """When the instance was first seen to answer in this run."""
        return self._first_answer.get(instance)

    def first_sent_ns(self, instance: str) -> int | None:
        """When the first call that the instance answered was sent."""
        return self._first_sent.get(instance)

    def instance_was_up(self, at_ns: int) -> bool:
        """Whether some instance had answered before that instant and answered again after it."""
        if self._up is None:
            self._up = Spans()
            for instance, first in self._first_answer.items():
                self._up.add(first, self._last_answer[instance])
        return self._up.covers(at_ns)

    def cold_in_flight(self, at_ns: int) -> bool:
        """Whether some caller that is known to be an instance's first was waiting at that instant."""
        return self._waiting.covers(at_ns)

    def quiet_before(self, at_ns: int, for_ns: int) -> bool:
        """Whether no call of the target was sent in that time (at least `QUIET_NS`) before that instant."""
        last = self._sent.last_end_before(at_ns)
        return last is None or last < at_ns - for_ns

    def warm_waits(self, *, dialled: bool) -> WarmWaits | None:
        """Of calls known to be later uses, by kind of connection; None when there are too few."""
        if self._warm_waits is None:
            self._warm_waits = {kind: self._summed_up(kind) for kind in (True, False)}
        return self._warm_waits[dialled]

    def _summed_up(self, dialled: bool) -> WarmWaits | None:
        # A later use sent while somebody waited for an instance may have waited with them.
        waits = [wait for sent, wait in self._later_uses[dialled] if not self.cold_in_flight(sent)]
        if len(waits) < _ENOUGH_WARM:
            return None
        low, *_, high = quantiles(waits, n=20, method="inclusive")
        return WarmWaits(
            *((wait - (self.round_trip_ns or 0)) / 1e6 for wait in (low, median(waits), high)),
        )


def survey(invocations: Iterable[Invocation]) -> defaultdict[str, Surroundings]:
    """By target name; of a target without invocations they are empty."""
    by_target: defaultdict[str, Surroundings] = defaultdict(Surroundings)
    for invocation in invocations:
        by_target[invocation.target].add(invocation)
    return by_target


def round_trip_ns(invocations: Iterable[Invocation]) -> int | None:
    """The network's round trip: the fastest handshake, since everything else only adds to it."""
    return min((i.connect_ns for i in invocations if i.connect_ns is not None), default=None)


def _flagged_first_use(evidence: Evidence) -> bool | None:
    if evidence.cold_flag is not None:
        return evidence.cold_flag
    if evidence.init_ms is not None and not evidence.init_is_per_instance:
        return True
    return None if evidence.instance_seq is None else evidence.instance_seq == 1

"""What the other invocations of the same target say about one: all that the judge may look at beside it."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median

from coldbench.core.invocation import Evidence, Invocation

# Below this many known warm calls their median wait is not used.
_ENOUGH_WARM = 5


class Surroundings:
    """Of one target in one run; instants are ns of the run's clock."""

    def __init__(self, invocations: Sequence[Invocation]) -> None:
        self.round_trip_ns = round_trip_ns(invocations) or 0
        self._sent = sorted(i.sent_ns for i in invocations if i.sent_ns is not None)
        self._first_answer: dict[str, int] = {}
        last_answer: dict[str, int] = {}
        waiting: list[tuple[int, int]] = []
        later_uses: list[tuple[int, int, bool]] = []
        for invocation in invocations:
            answered, sent = invocation.first_byte_ns, invocation.sent_ns
            if answered is None or sent is None:
                continue
            evidence = invocation.evidence
            instance = evidence.instance
            if instance is not None:
                self._first_answer[instance] = min(answered, self._first_answer.get(instance, answered))
                last_answer[instance] = max(answered, last_answer.get(instance, answered))
            first_use = _flagged_first_use(evidence)
            if first_use:
                waiting.append((sent, answered))
            elif first_use is False:
                later_uses.append((sent, answered - sent, invocation.dialled))
        # Instances by their first answer, with the latest last answer among those up to each.
        spans = sorted((first, last_answer[instance]) for instance, first in self._first_answer.items())
        self._span_starts = [first for first, _ in spans]
        self._latest_end = _running_max([last for _, last in spans])
        waiting.sort()
        self._wait_starts = [sent for sent, _ in waiting]
        self._latest_wait_end = _running_max([answered for _, answered in waiting])
        # A later use sent while somebody waited for an instance may have waited with them.
        warm: dict[bool, list[int]] = {True: [], False: []}
        for sent, wait, dialled in later_uses:
            if not self.cold_in_flight(sent):
                warm[dialled].append(wait)
        self._warm_wait_ms = {
            dialled: (median(waits) - self.round_trip_ns) / 1e6 if len(waits) >= _ENOUGH_WARM else None
            for dialled, waits in warm.items()
        }

    def first_answer_ns(self, instance: str) -> int | None:
        """When the instance was first seen to answer in this run."""
        return self._first_answer.get(instance)

    def instance_was_up(self, at_ns: int) -> bool:
        """Whether some instance had answered before that instant and answered again after it."""
        before = bisect_left(self._span_starts, at_ns)
        return before > 0 and self._latest_end[before - 1] > at_ns

    def cold_in_flight(self, at_ns: int) -> bool:
        """Whether some caller that is known to be an instance's first was waiting at that instant."""
        before = bisect_right(self._wait_starts, at_ns)
        return before > 0 and self._latest_wait_end[before - 1] > at_ns

    def quiet_before(self, at_ns: int, for_ns: int) -> bool:
        """Whether no call of the target was sent in that time before that instant."""
        before = bisect_left(self._sent, at_ns)
        return before == 0 or self._sent[before - 1] < at_ns - for_ns

    def warm_wait_ms(self, *, dialled: bool) -> float | None:
        """The median wait, less the round trip, of calls known to be later uses; by kind of connection."""
        return self._warm_wait_ms[dialled]


def round_trip_ns(invocations: Sequence[Invocation]) -> int | None:
    """The network's round trip: the fastest handshake, since everything else only adds to it."""
    return min((i.connect_ns for i in invocations if i.connect_ns is not None), default=None)


def surroundings(invocations: Sequence[Invocation]) -> Mapping[str, Surroundings]:
    """By target name."""
    by_target: dict[str, list[Invocation]] = defaultdict(list)
    for invocation in invocations:
        by_target[invocation.target].append(invocation)
    return {target: Surroundings(its) for target, its in by_target.items()}


def _flagged_first_use(evidence: Evidence) -> bool | None:
    if evidence.cold_flag is not None:
        return evidence.cold_flag
    if evidence.init_ms is not None and not evidence.init_is_per_instance:
        return True
    return None if evidence.instance_seq is None else evidence.instance_seq == 1


def _running_max(values: list[int]) -> list[int]:
    highest: list[int] = []
    for value in values:
        highest.append(max(value, highest[-1]) if highest else value)
    return highest

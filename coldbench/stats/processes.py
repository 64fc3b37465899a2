"""How an instance's processes serve: several in one instance, or one for each call?"""

from collections import defaultdict
from collections.abc import Iterator
from heapq import heappop, heappush

from coldbench.core.invocation import Invocation

_SOON_NS = 1_000_000_000
_ENOUGH = 5


class ProcessTally:
    """Of one target's answers, in the order of `seq`."""

    def __init__(self) -> None:
        self._processes: defaultdict[str, set[str]] = defaultdict(set)  # by the platform's instance
        self._ids: set[str] = set()
        self._answers = 0
        self._used_before = False  # some instance says that it has had calls: others', or ours without an id
        self._soon = 0  # sent within a second of an earlier answer
        self._ends_ns: list[int] = []  # a heap, of answers after the latest call that was looked at
        self._latest_end_ns: int | None = None  # before it

    def add(self, invocation: Invocation) -> None:
        """One more; one without an id tells nothing."""
        evidence = invocation.evidence
        sent, end = invocation.sent_ns, invocation.end_ns
        if evidence.instance is None or sent is None or end is None:
            return
        self._answers += 1
        self._ids.add(evidence.instance)
        if (evidence.instance_seq or 1) > 1 or evidence.cold_flag is False:
            self._used_before = True
        if evidence.container is not None:
            self._processes[evidence.container].add(evidence.instance)
        while self._ends_ns and self._ends_ns[0] <= sent:
            self._latest_end_ns = heappop(self._ends_ns)
        heappush(self._ends_ns, end)
        if self._latest_end_ns is not None:
            self._soon += sent - self._latest_end_ns <= _SOON_NS

    def notes(self) -> Iterator[str]:
        """What is not one process that serves one call after the other."""
        most = max((len(its) for its in self._processes.values()), default=0)
        if most > 1:
            together = sum(len(its) for its in self._processes.values())
            yield (
                f"{together} processes answered in {len(self._processes)} of the platform's instances, up to "
                f"{most} in one: worker processes, each with a first use of its own, and counted as instances"
            )
        if self._answers == len(self._ids) and self._soon >= _ENOUGH and not self._used_before:
            yield (
                f"no instance answered twice, though {self._soon} calls came within a second of an earlier "
                "answer: each call has an instance, or a process, of its own"
            )

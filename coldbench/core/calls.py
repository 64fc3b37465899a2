"""What a latency model needs of one target's invocations: columns of numbers, and who overlapped whom.

Columns, because a run may have a million calls: a row costs 35 bytes.
"""

from array import array
from typing import TYPE_CHECKING

from msgspec import Struct

from coldbench.core.invocation import Invocation
from coldbench.core.rounds import behind_connection

if TYPE_CHECKING:
    from numpy import bool_, int64
    from numpy.typing import NDArray

    Ints = NDArray[int64]
    Flags = NDArray[bool_]

NOT_OBSERVED = -1  # in a column of ns


class Calls(Struct, frozen=True, kw_only=True):
    """The invocations of one target that were sent, by `sent_ns`; arrays of equal length.

    A group is a longest chain of calls of which each was sent before those before it had all ended. A call
    that failed may be under way at the platform for longer than was seen: the next call is in its group.
    """

    seq: "Ints"
    sent_ns: "Ints"
    wait_ns: "Ints"  # NOT_OBSERVED without a whole response
    dialled: "Flags"
    of_function: "Flags"  # not of a gateway, a redirect or a cache: these have waits of their own
    connected: "Flags"  # behind a connection alone, which may have started an instance
    group: "Ints"  # 0, 1, 2 ... in order of time
    gap_ns: "Ints"  # from the end of the group before; NOT_OBSERVED in the first group

    @property
    def lone(self) -> "Flags":
        """Whole calls that are groups of their own: nobody else of this run can explain their wait."""
        import numpy as np

        flags: Flags = (np.bincount(self.group)[self.group] == 1) & (self.wait_ns != NOT_OBSERVED)
        return flags


class CallLog:
    """Collects `Calls`, one invocation after another in any order."""

    def __init__(self) -> None:
        self._numbers = {name: array("q") for name in ("seq", "sent", "wait", "end")}
        self._flags = {name: array("b") for name in ("dialled", "of_function", "connected")}

    def add(self, invocation: Invocation) -> None:
        """One more; what was never sent is nothing to the platform."""
        if invocation.sent_ns is None:
            return
        wait, end = invocation.wait_ns, invocation.end_ns
        whole = invocation.completed and wait is not None
        self._numbers["seq"].append(invocation.seq)
        self._numbers["sent"].append(invocation.sent_ns)
        self._numbers["wait"].append(wait if whole and wait is not None else NOT_OBSERVED)
        self._numbers["end"].append(end if whole and end is not None else NOT_OBSERVED)
        self._flags["dialled"].append(invocation.dialled)
        ran = 200 <= (invocation.status or 0) < 300 and invocation.evidence.answered_why is None
        self._flags["of_function"].append(ran)
        self._flags["connected"].append(behind_connection(invocation.phase))

    def calls(self) -> Calls:
        """What was collected."""
        import numpy as np

        seq, sent, wait, end = (np.frombuffer(column, np.int64) for column in self._numbers.values())
        order = np.lexsort((seq, sent))
        seq, sent, wait, end = seq[order], sent[order], wait[order], end[order]
        following = np.append(sent[1:], sent[-1:])
        busy_until = np.maximum.accumulate(np.where(end == NOT_OBSERVED, following, end))
        before = np.append([NOT_OBSERVED], busy_until[:-1])[: len(sent)]
        first = before < sent
        group = np.cumsum(first) - 1
        gap = np.where(before == NOT_OBSERVED, NOT_OBSERVED, sent - before)
        flags = (np.frombuffer(column, np.bool_)[order] for column in self._flags.values())
        dialled, of_function, connected = flags
        return Calls(
            seq=seq,
            sent_ns=sent,
            wait_ns=wait,
            dialled=dialled,
            of_function=of_function,
            connected=connected,
            group=group,
            gap_ns=gap[first][group] if len(sent) else gap,
        )

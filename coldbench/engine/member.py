"""A worker as the master of its run knows it."""

from time import monotonic_ns

from coldbench.core.crew import Clock, Done, Hello, new_nonce
from coldbench.core.messages import Pulse, WorkerSaid


class Member:
    """What it has said, and when it was last heard of."""

    def __init__(self, identity: str, hello: Hello) -> None:
        self.identity = identity
        self.name = hello.name
        self.worker_nonce = hello.nonce
        self.master_nonce = new_nonce()
        self.rank = -1  # until it has proved itself
        self.clocks: list[Clock] = []
        self.first_clock: Clock | None = None
        self.reached: dict[str, str] | None = None
        self.gate = -1  # the last step it has come to
        self.next_batch = 0
        self.intended = 0
        self.pulse: Pulse | None = None
        self.done: Done | None = None
        self.heard_ns = monotonic_ns()
        self.lost_ns: int | None = None  # it fell silent, and nothing more is taken from it
        self.left_ns: int | None = None  # it ended before its share was done

    @property
    def complete(self) -> bool:
        """It has finished, and all that it measured is here."""
        return self.done is not None and self.next_batch == self.done.batches

    @property
    def clock(self) -> Clock:
        """The one of the answers that is known best."""
        return min(self.clocks, key=lambda one: one.error_ns)

    def said(self, zero_ns: int) -> WorkerSaid:
        """What there is to say of it at the end; `zero_ns` is when the run's clock began."""
        first, done = self.first_clock, self.done
        gone_ns = self.lost_ns or self.left_ns
        return WorkerSaid(
            rank=self.rank,
            name=self.name,
            # What it was off at the start is known to its error; what it has drifted since is not corrected.
            clock_error_ns=None
            if first is None
            else first.error_ns + abs(self.clock.ahead_ns - first.ahead_ns),
            cpu_pct_max=None if done is None else done.finished.cpu_pct_max,
            lost_after_ns=None if gone_ns is None else gone_ns - zero_ns,
        )

"""Which part of a plan one of several workers carries out."""

from msgspec import Struct

from coldbench.core.schedule import Step, invocations


class Share(Struct, frozen=True, kw_only=True):
    """Of everything that is counted, arrivals, burst members, users: those whose index is `rank` modulo `of`.

    Dealt out in turn, so that each worker's part of an arrival process has its shape.
    """

    rank: int = 0
    of: int = 1

    def part(self, count: int) -> int:
        """How many of `count` are its own."""
        return (count - self.rank + self.of - 1) // self.of

    def planned(self, step: Step) -> int:
        """How many of the step's invocations are its own; 0 for users, whom answers pace."""
        each = (invocations(step) or 0) // len(step.targets)
        return self.part(each) * len(step.targets)

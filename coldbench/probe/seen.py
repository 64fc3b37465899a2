"""Instances as the pings of a keepwarm run have seen them."""

from msgspec import Struct

from coldbench.core.invocation import Invocation

_FORGOTTEN_ROUNDS = 20


class Seen(Struct, frozen=True):
    """Of one instance; instants on the run's clock."""

    first_ns: int
    last_ns: int
    last_round: int
    pings: int
    age_ms: float | None


class Instances:
    """Those that answered in one of the last rounds, by id."""

    def __init__(self) -> None:
        self.by_id: dict[str, Seen] = {}

    def see(self, answer: Invocation, number: int) -> None:
        """An answer of the function in the round of that number; one that names no instance shows none."""
        instance = answer.evidence.instance
        if instance is None:
            return
        before = self.by_id.get(instance)
        self.by_id[instance] = Seen(
            first_ns=before.first_ns if before else answer.intended_ns,
            last_ns=answer.intended_ns,
            last_round=number,
            pings=before.pings + 1 if before else 1,
            age_ms=answer.evidence.instance_age_ms,
        )

    def forget(self, number: int) -> None:
        """Those that were not seen for many rounds before that number."""
        self.by_id = {
            name: seen for name, seen in self.by_id.items() if number - seen.last_round < _FORGOTTEN_ROUNDS
        }

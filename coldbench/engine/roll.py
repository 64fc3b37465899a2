"""The workers of one run: each proves that it may take part, and is given its share."""

from collections.abc import Callable
from time import monotonic_ns

import msgspec

from coldbench import __version__
from coldbench.core.crew import (
    Claim,
    Duty,
    FromMaster,
    FromWorker,
    Hello,
    Lead,
    Offer,
    Refused,
    proof,
    proves,
)
from coldbench.core.share import Share
from coldbench.engine.member import Member


class Roll:
    """Who is on it, in the order in which they came; `send` takes a worker's identity and a message."""

    def __init__(self, lead: Lead, send: Callable[[str, FromMaster], None]) -> None:
        self._lead = lead
        self._send = send
        self._order = msgspec.msgpack.encode(lead.order)
        self._members: dict[str, Member] = {}

    @property
    def enlisted(self) -> list[Member]:
        """All that have a share, by rank."""
        return sorted((m for m in self._members.values() if m.rank >= 0), key=lambda member: member.rank)

    @property
    def alive(self) -> list[Member]:
        """Those of them that are not lost."""
        return [member for member in self.enlisted if member.lost_ns is None]

    def heard(self, identity: str, message: FromWorker) -> Member | None:
        """Answer what belongs to joining; otherwise the worker that said it, if it is one of the run's."""
        if isinstance(message, Hello):
            self._greet(identity, message)
            return None
        member = self._members.get(identity)
        if member is None:
            return None
        member.heard_ns = monotonic_ns()
        if isinstance(message, Claim):
            self._enlist(member, message)
            return None
        # It has not proved itself, or its share has been given up.
        return None if member.rank < 0 or member.lost_ns is not None else member

    def _greet(self, identity: str, hello: Hello) -> None:
        if hello.version != __version__:
            self._send(identity, Refused(why=f"it is coldbench {hello.version}, the master is {__version__}"))
            return
        member = self._members[identity] = Member(identity, hello)
        shown = proof(self._lead.token, "master", member.worker_nonce, member.master_nonce)
        self._send(identity, Offer(nonce=member.master_nonce, proof=shown))

    def _enlist(self, member: Member, claim: Claim) -> None:
        expected = proof(self._lead.token, "worker", member.worker_nonce, member.master_nonce)
        of = self._lead.expect
        if not proves(claim.proof, expected):
            self._send(member.identity, Refused(why="it does not hold the same token"))
        elif len(self.enlisted) >= of:
            # A share that is being carried out is never cut anew: the load would not be the one asked for.
            self._send(member.identity, Refused(why=f"the run has its {of} workers"))
        else:
            member.rank = len(self.enlisted)
            covered = self._order + bytes((member.rank, of))
            signed = proof(self._lead.token, "order", member.worker_nonce, member.master_nonce, covered)
            self._send(member.identity, Duty(order=self._order, rank=member.rank, of=of, proof=signed))
            planned = Share(rank=member.rank, of=of)
            member.intended = sum(planned.planned(step) for step in self._lead.order.plan.steps)

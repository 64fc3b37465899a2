"""What invocations have cost, by a price and by how long each had its instance."""

from collections.abc import Iterable

from coldbench.core.invocation import Invocation
from coldbench.core.pings import first_uses
from coldbench.core.price import Basis, Cost, Rates
from coldbench.core.verdict import Verdict

_LESS_CERTAIN = list(Basis)


class SpentTally:
    """Of one target's invocations that the function answered, one after the other."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._invocations = 0
        self._usd = 0.0
        self._init_ms: float | None = None
        self._basis = Basis.BILLED

    def add(self, invocation: Invocation, verdict: Verdict, round_trip_ns: int) -> None:
        """One more; one whose wait is not known cannot be priced and is left out."""
        evidence = invocation.evidence
        paid_ms = 0.0
        if verdict is Verdict.COLD and self._rates.price.init_billed and evidence.init_ms is not None:
            paid_ms = evidence.init_ms
            self._init_ms = (self._init_ms or 0.0) + paid_ms
        if evidence.billed_ms is not None:
            billed_ms, basis = evidence.billed_ms, Basis.BILLED
        elif evidence.exec_ms is not None:
            billed_ms, basis = evidence.exec_ms + paid_ms, Basis.EXECUTED
        elif invocation.wait_ns is not None:
            billed_ms, basis = max(0.0, (invocation.wait_ns - round_trip_ns) / 1e6), Basis.WAITED
        else:
            return
        self._invocations += 1
        self._usd += self._rates.usd(billed_ms)
        self._basis = max(self._basis, basis, key=_LESS_CERTAIN.index)

    @property
    def usd(self) -> float:
        """So far."""
        return self._usd

    def cost(self) -> Cost | None:
        """None where there was nothing to price."""
        if not self._invocations:
            return None
        return Cost(
            invocations=self._invocations,
            usd=self._usd,
            init_usd=None if self._init_ms is None else self._init_ms / 1e3 * self._rates.usd_per_s,
            basis=self._basis,
            without_vcpu=self._rates.without_vcpu,
        )


class SpentSoFar:
    """Of any targets' answers as they come, before they are judged: whose first use it was, each says itself.

    Not less than what is billed, but for pings that have no answer, of which nothing is known.
    """

    def __init__(self, rates: Rates) -> None:
        self._tally = SpentTally(rates)
        self._round_trip_ns: dict[str, int] = {}  # by target: the fastest handshake

    def add(self, invocations: Iterable[Invocation]) -> None:
        """Some more."""
        for one in invocations:
            if one.connect_ns is not None:
                fastest_ns = self._round_trip_ns.get(one.target, one.connect_ns)
                self._round_trip_ns[one.target] = min(fastest_ns, one.connect_ns)
            if one.completed:
                verdict = Verdict.COLD if _says_first_use(one) else Verdict.WARM
                self._tally.add(one, verdict, self._round_trip_ns.get(one.target, 0))

    @property
    def usd(self) -> float:
        """So far."""
        return self._tally.usd


def _says_first_use(one: Invocation) -> bool:
    paid = one.evidence.init_ms is not None and not one.evidence.init_is_per_instance
    return paid or bool(first_uses([one]))

"""Who was the limit: the generator or the target?"""

import pytest

from coldbench.core.invocation import Error, Invocation
from coldbench.core.summary import Fidelity
from coldbench.stats.fidelity import FidelityTally


def limited(*, late_ms: float = 0, cpu_pct: float | None = None, error: Error | None = None) -> bool:
    tally = FidelityTally()
    for seq in range(200):
        started = round(late_ms * 1e6) if seq % 50 == 0 else 0
        failed = error if seq == 100 else None
        tally.add(
            Invocation(seq=seq, target="f", phase="0:rate", intended_ns=0, started_ns=started, error=failed)
        )
    return tally.fidelity(Fidelity(generator_cpu_pct_max=cpu_pct)).limited_by_generator


@pytest.mark.parametrize("error", [None, *Error])
def test_what_fails_for_this_machines_own_reasons_is_its_limit(error: Error | None) -> None:
    assert limited(error=error) == (error in (Error.DESCRIPTORS, Error.INTERNAL))


def test_late_starts_and_a_full_core_are_limits() -> None:
    assert not limited(late_ms=90, cpu_pct=80)
    assert limited(late_ms=110)
    assert limited(cpu_pct=95)

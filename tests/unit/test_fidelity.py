"""Who was the limit: the generator or the target?"""

import pytest

from coldbench.core.invocation import Error, Invocation
from coldbench.core.summary import Fidelity
from coldbench.stats.fidelity import FidelityTally


def limited(
    *,
    late_ms: float = 0,
    cpu_pct: float | None = None,
    error: Error | None = None,
    held_ms: float | None = None,
) -> bool:
    tally = FidelityTally()
    for seq in range(200):
        started = round(late_ms * 1e6) if seq % 50 == 0 else 0
        failed = error if seq == 100 else None
        tally.add(
            Invocation(seq=seq, target="f", phase="0:rate", intended_ns=0, started_ns=started, error=failed)
        )
    given = Fidelity(generator_cpu_pct_max=cpu_pct, held_ms=held_ms)
    return tally.fidelity(given).limited_by_generator


@pytest.mark.parametrize("error", [None, *Error])
def test_what_fails_for_this_machines_own_reasons_is_its_limit(error: Error | None) -> None:
    assert limited(error=error) == (error in (Error.DESCRIPTORS, Error.INTERNAL))


def test_late_starts_and_a_full_core_are_limits() -> None:
    assert not limited(late_ms=90, cpu_pct=80)
    assert limited(late_ms=110)
    assert limited(cpu_pct=95)


def test_a_load_that_was_held_back_is_a_limit() -> None:
    assert limited(held_ms=3.0)
    assert not limited(held_ms=0.0)


def test_what_was_found_before_is_no_evidence() -> None:
    found = FidelityTally().fidelity(Fidelity(limited_by_generator=True))
    assert not found.limited_by_generator

"""A kind of connection whose calls are all quick is judged by what the other kind's calls taught."""

import numpy as np
import pytest

from coldbench.core.by_latency import tell
from coldbench.core.calls import CallLog, Calls
from coldbench.core.invocation import Invocation
from coldbench.core.verdict import Verdict
from coldbench.stats.latency import fit

MS = 1_000_000
ROUNDS = 12


def rounds(kept_wait_ms: float) -> Calls:
    """After each silence a cold call on a fresh connection, then two quick fresh and two kept ones."""
    random = np.random.default_rng(1)
    log, seq, now = CallLog(), 0, 0
    for _ in range(ROUNDS):
        now += 20_000 * MS
        for dialled, wait_ms in (
            (True, 100),
            (True, 5),
            (True, 5),
            (False, kept_wait_ms),
            (False, kept_wait_ms),
        ):
            connect = 1 * MS if dialled else None
            wait = int(wait_ms * MS * random.normal(1, 0.03))
            sent = now + (connect or 0)
            log.add(
                Invocation(
                    seq=seq,
                    target="f",
                    phase="0:x",
                    intended_ns=now,
                    started_ns=now,
                    sent_ns=sent,
                    first_byte_ns=sent + wait,
                    end_ns=sent + wait,
                    connect_ns=connect,
                    reused=not dialled,
                    status=200,
                )
            )
            seq, now = seq + 1, sent + wait + MS
    return log.calls()


@pytest.mark.parametrize(("kept_wait_ms", "verdict"), [(5, Verdict.WARM), (30, None)])
def test_kept_connections_are_judged_by_the_fresh_ones_where_they_wait_alike(
    kept_wait_ms: float, verdict: Verdict | None
) -> None:
    calls = rounds(kept_wait_ms)
    models = fit(calls, 0)
    assert set(models) == ({True, False} if verdict else {True})
    telling = tell(calls, models, 0)
    kept = [telling.get(seq) for seq in range(len(calls.seq)) if seq % 5 > 2]
    assert len(kept) == 2 * ROUNDS
    assert all((told.verdict if told else None) is verdict for told in kept)

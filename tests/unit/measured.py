"""Run folders of simulated bursts, with the shim's evidence, for the tests of what compares them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from coldbench.core.invocation import AnsweredBy, Error, Evidence, Invocation
from coldbench.core.summary import Run, State, TargetInfo
from coldbench.runs.folder import create, write_record
from coldbench.runs.samples import SAMPLES, SampleWriter

MS = 1_000_000
WARM_MS, EXEC_MS, INIT_SHARE = 6.0, 5.0, 0.6


def measured(
    root: Path,
    name: str,
    starts_ms: Mapping[str, float],
    *,
    rounds: int = 10,
    calls: int = 10,
    seed: int = 0,
    labels: Mapping[str, dict[str, str]] | None = None,
    started_at: str = "2026-11-23T10:00:00+00:00",
    level: int = 2,
) -> Path:
    """A run whose cold calls of each target take about so long: log-normal in calls, and in rounds."""
    random = np.random.default_rng(seed)
    facts: list[Invocation] = []
    for number in range(rounds):
        for target, start_ms in starts_ms.items():
            of_round = start_ms * np.exp(random.normal(0, 0.05))
            for call in range(calls):
                start = float(of_round * np.exp(random.normal(0, 0.1)))
                place = (target, f"{number}:{call}", number, len(facts))
                facts.append(_call(*place, wait_ms=start + EXEC_MS, init_ms=start * INIT_SHARE, level=level))
                warm = WARM_MS * float(np.exp(random.normal(0, 0.1)))
                place = (target, f"{number}:{call}", number, len(facts))
                facts.append(_call(*place, wait_ms=warm, init_ms=None, level=level))
    return _written(root, name, facts, starts_ms, rounds, calls, seed, labels, started_at)


def answered_or_not(
    root: Path, name: str, waits_ms: Mapping[str, float], timeouts: int, *, seed: int = 0
) -> Path:
    """A run of ten rounds of 20 calls each that tell nothing; so many of the 20 take 5 s and are given up."""
    random = np.random.default_rng(seed)
    facts: list[Invocation] = []
    for number in range(10):
        for target, wait_ms in waits_ms.items():
            for call in range(20):
                at_ns = len(facts) * 10_000 * MS
                end_ns = at_ns + int(wait_ms * np.exp(random.normal(0, 0.02)) * MS)
                fact = Invocation(
                    seq=len(facts), target=target, phase=f"{number}:burst", status=200, intended_ns=at_ns,
                    started_ns=at_ns, sent_ns=at_ns, first_byte_ns=end_ns, end_ns=end_ns,
                )  # fmt: skip
                if call < timeouts:
                    ended_ns = at_ns + 5000 * MS
                    fact = replace(
                        fact, status=None, first_byte_ns=None, end_ns=ended_ns, error=Error.TIMEOUT
                    )
                facts.append(fact)
    return _written(root, name, facts, waits_ms, 10, 20, seed)


def _written(
    root: Path,
    name: str,
    facts: list[Invocation],
    targets: Iterable[str],
    rounds: int,
    calls: int,
    seed: int,
    labels: Mapping[str, dict[str, str]] | None = None,
    started_at: str = "2026-11-23T10:00:00+00:00",
) -> Path:
    folder = create(root, "run", name, datetime.now(UTC))
    with SampleWriter(folder / SAMPLES) as samples:
        samples.append(facts)
    run = Run(
        run_id=name,
        command="run",
        name=name,
        version="0",
        started_at=started_at,
        finished_at=started_at,
        state=State.COMPLETE,
        seed=seed,
        planned=len(facts),
        profile={"repeat": rounds, "stages": [{"kind": "burst", "size": calls}]},
        targets=tuple(
            TargetInfo(
                name=target, url=f"http://{target}/", runtime=target, labels=(labels or {}).get(target, {})
            )
            for target in targets
        ),
    )
    write_record(folder, run)
    return folder


def _call(
    target: str, instance: str, number: int, seq: int, *, wait_ms: float, init_ms: float | None, level: int
) -> Invocation:
    """Cold with an init, warm without; one after the other."""
    sent_ns = seq * 1000 * MS
    end_ns = sent_ns + int(wait_ms * MS)
    cold = init_ms is not None
    evidence = Evidence(
        level=level,
        answered_by=AnsweredBy.FUNCTION,
        instance=f"{target}-{instance}",
        instance_seq=1 if cold else 2,
        instance_age_ms=0.1 if cold else 900.0,
        queue_ms=wait_ms if cold else 0.1,
        init_ms=init_ms or 1.0,
        init_is_per_instance=True,
        init_from_process_start=True,
        exec_ms=EXEC_MS,
    )
    return Invocation(
        seq=seq, target=target, phase=f"{number}:burst", status=200, reused=True, evidence=evidence,
        intended_ns=sent_ns, started_ns=sent_ns, sent_ns=sent_ns, first_byte_ns=end_ns, end_ns=end_ns,
    )  # fmt: skip

"""Runs built by hand, for the tests of their faces."""

from coldbench.core.summary import (
    Counts,
    Fidelity,
    Interval,
    Lateness,
    Quantiles,
    Result,
    Run,
    State,
    TargetInfo,
)


def times(p50: float | None, *, n: int = 60, p95: float | None = None, p99: float | None = None) -> Quantiles:
    return Quantiles(n=n, min=0.1, p50=p50, p95=p95, p99=p99, max=9_000.0, mean=p50)


def run_of(*results: Result, **fields: object) -> Run:
    known: dict[str, object] = {
        "run_id": "r",
        "command": "run",
        "name": "demo",
        "version": "0",
        "started_at": "2026-11-23T10:58:03.000+00:00",
        "finished_at": "2026-11-23T10:59:33.000+00:00",
        "state": State.COMPLETE,
        "judge_version": 1,
        "targets": tuple(
            TargetInfo(name=result.target, url="lab:python", runtime=result.target, evidence_level=2)
            for result in results
        ),
        "counts": Counts(intended=120, sent=120, completed=120),
        "fidelity": Fidelity(
            lateness_ms=Lateness(p50=0.1, p99=0.4, max=1.25), burst_spread_ms=0.8, connections_opened=20
        ),
        "results": results,
    }
    return Run(**(known | fields))  # type: ignore[arg-type]


PYTHON = Result(
    target="python",
    verdicts={"cold": 60, "warm": 57, "cold_affected": 3},
    instances=60,
    startup_ms=times(71.3, p95=90.2),
    init_ms=times(64.4),
    platform_ms=times(6.6),
    exec_ms=times(5.1, n=120),
    wait_cold_ms=times(76.9, p95=95.0),
    wait_warm_ms=times(5.6, n=57, p95=7.0),
    cold_penalty_ms=Interval(value=71.3, low=68.0, high=75.2),
    round_trip_ms=0.5,
    statuses={"200": 120},
    first_response='200 {"hello": "world"}',
)
NODE = Result(
    target="node",
    verdicts={"cold": 4, "warm": 56},
    instances=4,
    startup_ms=times(None, n=4),
    init_ms=times(None, n=4),
    wait_cold_ms=times(None, n=4),
    wait_warm_ms=times(2.25, n=56),
    exec_ms=times(1.5, n=60),
    statuses={"200": 60},
    notes=("too few cold calls",),
)
SILENT = Result(
    target="silent", verdicts={"unknown": 40}, errors={"timeout": 2}, statuses={"200": 38, "404": 2}
)

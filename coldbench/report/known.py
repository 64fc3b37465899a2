"""Which parts of a cold start were measured, which are derived, and what is not known of it."""

from collections.abc import Iterator

from coldbench.core.summary import Result, Run
from coldbench.report.words import shown

_WHO_SAYS = {1: "by a header", 2: "by the shim in the function", 3: "by the platform's API"}


def known(run: Run) -> Iterator[str]:
    """A line for each target of a probe that met a cold start."""
    info = {target.name: target for target in run.targets}
    probed = {its.target for its in run.probe}
    for result in run.results:
        if result.target in probed and result.wait_cold_ms is not None:
            says = _WHO_SAYS.get(info[result.target].evidence_level or 0, "")
            kinds = {
                "measured": ["the phases", *_reported(result, says)],
                "derived": _derived(result),
                "not known": _unknown(result),
            }
            said = "; ".join(f"{kind}: {', '.join(parts)}" for kind, parts in kinds.items() if parts)
            yield f"{shown(result.target)}: {said}"


def _reported(result: Result, says: str) -> list[str]:
    parts = {"execution": result.exec_ms, "init": result.init_ms}
    return [f"{name} (reported {says})" for name, part in parts.items() if part is not None]


def _derived(result: Result) -> list[str]:
    parts = {
        "network (the fastest handshake stands for the round trip)": result.round_trip_ms,
        "startup (wait without network and execution)": result.startup_ms,
        "platform overhead (startup without init, which counts from process start)": result.platform_ms,
        "unattributed (startup without init, whose beginning is not told)": result.unattributed_ms,
    }
    return [name for name, part in parts.items() if part is not None]


def _unknown(result: Result) -> list[str]:
    parts = {
        "execution": result.exec_ms,
        "init": result.init_ms,
        "startup apart from execution (see the cold penalty)": result.startup_ms,
    }
    return [name for name, part in parts.items() if part is None]

"""The run in plain words: what a person asked, answered only from figures that are there."""

from collections.abc import Iterator

from coldbench.core.summary import Quantiles, Result, Run
from coldbench.core.verdict import Verdict
from coldbench.report.words import interval, ms, share, shown


def reading(run: Run) -> Iterator[str]:
    """One paragraph for each target, and one that compares them."""
    for result in run.results:
        yield f"{shown(result.target)}: {_of(result)}."
    startups = {shown(r.target): p50 for r in run.results if (p50 := _median(r.startup_ms)) is not None}
    if len(startups) > 1:
        ordered = sorted(startups.items(), key=lambda item: item[1])
        yield f"median startup, shortest first: {', '.join(f'{name} {ms(p50)} ms' for name, p50 in ordered)}."


def _of(result: Result) -> str:
    verdicts = result.verdicts
    judged = sum(verdicts.values())
    if not judged:
        return "nothing was answered"
    if verdicts.get(Verdict.UNKNOWN) == judged:
        return "the evidence decides nothing; which calls were cold is unknown"
    cold = verdicts.get(Verdict.COLD, 0)
    if not cold:
        return f"no cold start in {judged:,} calls"
    said = [_price(result), *_parts(result), f"{share(cold, judged)} calls met one"]
    affected = verdicts.get(Verdict.COLD_AFFECTED, 0)
    if affected:
        said.append(f"{affected:,} more waited in somebody else's")
    failed = verdicts.get(Verdict.START_FAILED, 0)
    if failed:
        said.append(f"{failed:,} waited for an instance that never came up")
    unknown = verdicts.get(Verdict.UNKNOWN, 0)
    if unknown:
        said.append(f"of {unknown:,} it is not known")
    return "; ".join(said)


def _price(result: Result) -> str:
    penalty, startup, wait = (
        result.cold_penalty_ms,
        _median(result.startup_ms),
        _median(result.wait_cold_ms),
    )
    if penalty is not None:
        bounds = "" if penalty.low is not None else " (too few rounds for an interval)"
        figure = f"{interval(penalty)} ms" if not bounds else f"{ms(penalty.value)} ms"
        return f"a cold start costs its caller {figure} over a warm call{bounds}"
    if startup is not None:
        return f"a cold start takes {ms(startup)} ms (median)"
    if wait is not None:
        return f"a cold call waits {ms(wait)} ms (median)"
    return "too few cold calls to say what one costs"


def _parts(result: Result) -> Iterator[str]:
    init, platform, rest = (
        _median(result.init_ms),
        _median(result.platform_ms),
        _median(result.unattributed_ms),
    )
    parts = []
    if init is not None:
        parts.append(f"{ms(init)} ms is init (runtime boot and your code at import)")
    if platform is not None:
        parts.append(f"{ms(platform)} ms the platform's own overhead")
    if rest is not None:
        parts.append(f"{ms(rest)} ms nobody's for certain")
    if parts:
        yield f"of its startup {', '.join(parts)} (medians)"
    execution = _median(result.exec_ms)
    if execution is not None:
        yield f"execution itself takes {ms(execution)} ms"


def _median(quantiles: Quantiles | None) -> float | None:
    return None if quantiles is None else quantiles.p50

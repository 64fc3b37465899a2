"""The run in plain words: one sentence a target, only from figures that are there."""

from collections.abc import Iterator

from coldbench.core.summary import Result, Run
from coldbench.core.verdict import Verdict
from coldbench.report.words import interval, ms, shown


def reading(run: Run) -> Iterator[str]:
    """A sentence or two for each target."""
    for result in run.results:
        yield f"{shown(result.target)}: {_of(result)}"


def _of(result: Result) -> str:
    verdicts = result.verdicts
    cold, warm = verdicts.get(Verdict.COLD, 0), verdicts.get(Verdict.WARM, 0)
    judged = sum(verdicts.values())
    if not judged:
        return "nothing was answered."
    if verdicts.get(Verdict.UNKNOWN) == judged:
        return "the evidence decides nothing; what is cold and what warm is unknown."
    if not cold:
        return f"no call met a cold start{f'; {warm:,} were warm' if warm else ''}."
    sentences = []
    if result.cold_penalty_ms is not None:
        price = interval(result.cold_penalty_ms)
        sentences.append(f"a cold start costs its caller {price} more than a warm call waits")
    else:
        sentences.append(f"{cold:,} of {judged:,} calls met a cold start")
    sentences += _parts(result)
    affected = verdicts.get(Verdict.COLD_AFFECTED, 0)
    if affected:
        sentences.append(f"{affected:,} more calls waited in somebody else's start")
    return "; ".join(sentences) + "."


def _parts(result: Result) -> Iterator[str]:
    init, platform, rest = result.init_ms, result.platform_ms, result.unattributed_ms
    if init and init.p50 is not None:
        text = f"{ms(init.p50)} ms of it is init (runtime boot and your code at import)"
        if platform and platform.p50 is not None:
            text += f", {ms(platform.p50)} ms the platform's own overhead"
        elif rest and rest.p50 is not None:
            text += f", {ms(rest.p50)} ms is not attributed"
        yield f"{text} (medians)"
    if result.exec_ms and result.exec_ms.p50 is not None:
        yield f"the execution itself takes {ms(result.exec_ms.p50)} ms"

"""The run in plain words: what a person asked, answered only from figures that are there."""

from collections.abc import Iterator

from coldbench.core.summary import Quantiles, Result, Run
from coldbench.core.verdict import Verdict
from coldbench.report.concurrency import concurrency_words
from coldbench.report.cost import cost_words
from coldbench.report.keeping import kept_words
from coldbench.report.lifetime import lifetime_words
from coldbench.report.probed import answers
from coldbench.report.words import count, interval, ms, share, shown, silence

_ABOUT_AN_INSTANCE = (Verdict.WARM, Verdict.COLD_AFFECTED, Verdict.PREINITIALISED)


def reading(run: Run) -> Iterator[str]:
    """One paragraph for each target, and one that compares them."""
    if run.keepwarm is not None:
        yield from kept_words(run.keepwarm)
        return
    if run.concurrency is not None:
        yield from concurrency_words(run.concurrency)
        return
    if run.lifetime is not None:
        yield from lifetime_words(run.lifetime)
    probed = {its.target: its for its in run.probe}
    for result in run.results:
        sentences = [*_of(result)]
        if result.target in probed:
            sentences += answers(probed[result.target], run.profile or {})
        if result.cost is not None:
            sentences.append(cost_words(result.cost))
        yield f"{shown(result.target)}: {'. '.join(sentences)}."
    startups = {shown(r.target): p50 for r in run.results if (p50 := _median(r.startup_ms)) is not None}
    if len(startups) > 1:
        ordered = sorted(startups.items(), key=lambda item: item[1])
        yield f"Median startup, shortest first: {', '.join(f'{name} {ms(p50)} ms' for name, p50 in ordered)}."


def _of(result: Result) -> Iterator[str]:
    verdicts = result.verdicts
    judged = sum(verdicts.values())
    if not judged:
        yield "nothing was answered"
    elif verdicts.get(Verdict.UNKNOWN) == judged:
        yield "the evidence decides nothing; which calls were cold is unknown"
    elif not verdicts.get(Verdict.COLD):
        told = sum(verdicts.get(verdict, 0) for verdict in _ABOUT_AN_INSTANCE)
        known = f"no cold start in {count(told, 'call')}" + (
            " of which it can be told" if told < judged else ""
        )
        said = "; ".join((*([known] if told else []), *_others(result)))
        yield said or "no answer came from the function itself"
    else:
        yield f"{_price(result)}{_parts(result)}"
        yield from _named_spans(result)
        execution = _median(result.exec_ms)
        if execution is not None:
            yield f"Execution takes {ms(execution)} ms"
        yield "; ".join(_how_often(result, judged))
    if result.cold_penalty_ms is None:
        yield from _silences(result)


def _silences(result: Result) -> Iterator[str]:
    """What is known of a silence's price where that of a cold start is not."""
    for stage in result.stages:
        more = stage.over_next_ms
        if more is not None and stage.silence_s:
            bounds = "" if more.low is None else f" {interval(more)}"
            yield (
                f"After {silence(round(stage.silence_s * 1e9))} a call waited {ms(more.value)} ms{bounds} "
                "longer (median) than right afterwards, whether by cold starts or not"
            )


def _price(result: Result) -> str:
    penalty, startup, wait = result.cold_penalty_ms, _median(result.startup_ms), _median(result.wait_cold_ms)
    if penalty is not None:
        bounds = "" if penalty.low is None else f" {interval(penalty)}"
        return f"a cold start costs its caller {ms(penalty.value)} ms{bounds} over a warm call"
    if startup is not None:
        return f"a cold start takes {ms(startup)} ms (median)"
    if wait is not None:
        return f"a cold call waits {ms(wait)} ms (median)"
    return "too few cold calls to say what one costs"


def _parts(result: Result) -> str:
    medians = (
        ("platform overhead", result.platform_ms),
        ("unattributed", result.unattributed_ms),
        ("init", result.init_ms),
    )
    known = [f"{name} {ms(p50)} ms" for name, part in medians if (p50 := _median(part)) is not None]
    return f": {', '.join(known)} (medians){_rest(result)}" if known else ""


def _rest(result: Result) -> str:
    """Of the penalty, where no startup could be told: the platform's part, and what the first execution takes
    longer than the later ones."""
    penalty, init = result.cold_penalty_ms, _median(result.init_ms)
    if result.startup_ms is not None or penalty is None or init is None or penalty.value <= init:
        return ""
    return f", the rest, about {ms(penalty.value - init)} ms, outside it"


def _named_spans(result: Result) -> Iterator[str]:
    """What the function itself says of its init, and how many of its instances may do that at once."""
    for name, span in result.init_spans.items():
        if span.ms.p50 is not None:
            most = span.most_in_bursts or 0
            together = f", in up to {most} instances that one round of bursts began" if most > 1 else ""
            yield f"Within the init {shown(name)} takes {ms(span.ms.p50)} ms{together}"


def _how_often(result: Result, judged: int) -> Iterator[str]:
    yield f"{share(result.verdicts[Verdict.COLD], judged)} met a cold start"
    yield from _others(result)


def _others(result: Result) -> Iterator[str]:
    others = (
        (Verdict.COLD_AFFECTED, "more waited in somebody else's"),
        (Verdict.START_FAILED, "waited for an instance that never came up"),
        (Verdict.UNKNOWN, "could not be told"),
    )
    for verdict, what in others:
        if number := result.verdicts.get(verdict):
            yield f"{number:,} {what}"


def _median(quantiles: Quantiles | None) -> float | None:
    return None if quantiles is None else quantiles.p50

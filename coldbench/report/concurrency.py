"""Concurrency: the plan, and what the bursts came to, in words and as a table."""

from collections.abc import Iterator, Sequence

from coldbench.core.concurrency import SPREAD, Concurrency, Fate
from coldbench.core.hold import HoldBy
from coldbench.core.target import Target
from coldbench.report.table import Column, Table
from coldbench.report.words import count, ms, shown

_WHEN_FULL = {
    Fate.QUEUED: "the others waited for its room: the platform queues",
    Fate.STARTED: "instances were started for the others: the platform scales",
    Fate.REJECTED: "the others were rejected: no instance took them (refused, throttled or failed)",
}


def plan_lines(target: Target, sizes: Sequence[int]) -> Iterator[str]:
    """What will be sent."""
    calls = ", ".join(map(str, sizes))
    yield f"plan  to {shown(target.name, 40)}: a few calls alone, then bursts of {calls} overlapping calls"
    yield f"      at most {count(sum(sizes) + 11, 'invocation')}, each held so that they overlap"


def concurrency_words(found: Concurrency) -> Iterator[str]:
    """The plain answers, and what they presume."""
    if found.single_ms is None:
        yield "No call was answered: nothing is known of its concurrency."
        return
    by = "by the instances' ids" if found.method == "ids" else "by the waits, since answers name no instance"
    if found.method == "none":
        yield (
            f"Lone calls, of {ms(found.single_ms)} ms, are too short or differ too much to tell who waited: "
            "nothing is known of its concurrency. Let it honour the shim's hold header, or name a longer "
            "request with --hold-with."
        )
        return
    if found.per_instance is None and found.slowed is not None:
        yield (
            f"One instance takes at least {found.low} at once, {by}. In the burst of {found.slowed} not one "
            "call was as quick as a lone one: they slow each other down, or the warm instance had gone. That "
            "tells no limit."
        )
    elif found.when_full == SPREAD:
        yield (
            f"One instance took {found.low} at once, {by}, and later fewer, beside another that was started "
            "for none of them: its limit is a soft one, or calls are spread. It takes at least so many."
        )
    elif found.per_instance is None:
        yield f"One instance took all {found.low} calls at once ({by}); larger bursts may show its limit."
    else:
        bounds = "" if found.low == found.high else f" [{found.low} to {found.high}]"
        yield f"One instance takes {found.per_instance}{bounds} at once, {by}."
        full = [_WHEN_FULL[fate] for fate in _WHEN_FULL if fate in (found.when_full or "").split(" and ")]
        if full:
            yield f"Beyond that {', and '.join(full)}."
        if found.when_full == Fate.QUEUED and any(burst.started for burst in found.bursts):
            yield "In larger bursts instances were started, too: the platform scales when many wait."
    if found.parallel is not None:
        size = max(burst.size for burst in found.bursts if burst.parallel is not None)
        yield (
            f"It worked on about {found.parallel:.1f} at once: {size} calls took as long as "
            f"{size / found.parallel:.1f} lone ones after each other."
        )
    yield (
        f"A lone call took {ms(found.single_ms)} ms, held by {found.held_by}. It is presumed that one "
        "instance was warm, that the platform fills it before it turns elsewhere, and that calls last alike."
    )
    if found.held_by == HoldBy.NATURAL:
        yield (
            "Nothing but their own execution held the calls: if it is shorter than twice the round trip they "
            "may not have overlapped, and where it needs the processor they may look like a queue. Let it "
            "honour the shim's hold header, or name a longer request with --hold-with."
        )
    spread_ms = max((burst.spread_ms for burst in found.bursts), default=0.0)
    if spread_ms > found.single_ms / 2:
        yield (
            f"The widest burst left within {ms(spread_ms)} ms, more than half of a call: its calls may not "
            "have overlapped."
        )


def growth_table(concurrency: Concurrency) -> Table:
    """A row for each burst."""
    took = "the most that one instance took" if concurrency.method == "ids" else "by all that were up"
    heads = ("burst", "at once", "queued", "started", "rejected", "instances", "spread ms", "longest wait ms")
    return Table(
        title="Overlapping calls against one warm instance",
        columns=[Column(head) for head in heads],
        rows=[
            [
                str(burst.size),
                str(burst.at_once),
                str(burst.queued),
                str(burst.started),
                str(burst.rejected),
                "" if burst.instances is None else str(burst.instances),
                ms(burst.spread_ms),
                ms(burst.wait_max_ms),
            ]
            for burst in concurrency.bursts
        ],
        caption=f"At once: {took}. Started: calls that an instance was started for. "
        "Rejected: those that no instance took.",
    )

"""Every note that a run can carry about one target. Each says what looks off, why, and what to do."""

from collections.abc import Iterable, Iterator
from math import ceil

from coldbench.core.summary import Result
from coldbench.core.verdict import ColdKind, Verdict

_FAR_MS = 50.0


def notes(
    result: Result, silent: int, found: Iterable[str], idle_s: tuple[float, float] | None = None
) -> Iterator[str]:
    """What a reader should know before believing the figures of `result`.

    `silent` answers carried no evidence; `found` is what the invocations themselves showed; `idle_s` is how
    long unused instances live on this platform, shortest and longest.
    """
    yield from _who_answered(result)
    yield from _evidence(result, silent, idle_s)
    yield from found
    if result.contradictions:
        yield (
            f"{result.contradictions} invocations carry evidence that contradicts itself: "
            "the column contradiction of the table judged in samples.db says how"
        )
    if result.round_trip_ms is not None and result.round_trip_ms > _FAR_MS:
        yield (
            f"the client is {result.round_trip_ms:.0f} ms of round trip away from the function: "
            "run coldbench nearer to it for finer figures"
        )


def _who_answered(result: Result) -> Iterator[str]:
    verdicts = result.verdicts
    answered = sum(verdicts.values())
    if answered and not any(status.startswith(("2", "3")) for status in result.statuses) and result.statuses:
        said = ", ".join(sorted(result.statuses))
        yield f"every answer has an error status ({said}): is this the right URL, method and header?"
    discarded = verdicts.get(Verdict.DISCARDED, 0)
    # One that says that the function ran, or that was expected, is the function's own.
    redirects = min(discarded, sum(n for status, n in result.statuses.items() if status.startswith("3")))
    if redirects:
        yield f"{redirects} answers were redirects, not the function: use the URL they point to"
    if verdicts.get(Verdict.THROTTLED):
        yield (
            f"{verdicts[Verdict.THROTTLED]} invocations were throttled; a new account may allow only ten at "
            "once: try --set size=10, or ask for a higher limit"
        )
    if verdicts.get(Verdict.START_FAILED):
        yield (
            f"{verdicts[Verdict.START_FAILED]} callers waited for an instance that never came up: "
            "look at the function's own log for its init error"
        )
    if answered and discarded == answered:
        yield "no answer came from the function itself: something answered, or refused, in its place"
    elif discarded > redirects:
        yield (
            f"{discarded} invocations were not answered by the function itself, and are in no figure: "
            "the column reason of the table judged in samples.db says why"
        )
    for name, count in sorted(result.errors.items()):
        yield f"{count} invocations failed: {name}{advice(name)}"


def advice(error: str) -> str:
    """What an error (`core.invocation.Error`) means and what helps; empty where its name says all."""
    return _ADVICE.get(error, "")


_KINDS = {
    "unknown": "of a kind that is not known",
    ColdKind.IDLE.value: "after silence",
    ColdKind.SCALEOUT.value: "beside running instances",
    ColdKind.DEPLOY.value: "after a deployment or a command",
}
_ADVICE = {
    "stale_reuse": ", the server closed kept connections: use --connections fresh",
    "timeout": ": they wait longer than --timeout. Service and response times count them as at least that; "
    "whether they were cold nobody said, so that cold waits may be longer than those shown",
    "tls": ": no TLS that can be trusted is spoken there (--insecure does not verify the certificate)",
    "dns": ": the host name is not known",
    "refused": ": nothing listens there",
    "descriptors": ": this machine ran out of file descriptors; raise ulimit -n or use fewer connections",
    "protocol": ": what came back is not HTTP/1.1",
}


def _evidence(result: Result, silent: int, idle_s: tuple[float, float] | None) -> Iterator[str]:
    unknown = result.verdicts.get(Verdict.UNKNOWN, 0)
    if unknown and silent:
        told = result.wait_cold_ms is not None or result.wait_warm_ms is not None
        by_waits = (
            "what is said of them is told by their waits alone"
            if told and silent == sum(result.statuses.values())
            else "waits alone tell where lone calls follow both short and long silences and some of them "
            "were cold, as coldbench probe arranges it"
        )
        yield (
            f"{silent} answers carry no evidence of cold or warm: name a header with --cold-header or "
            f"--instance-header, or let the function carry the shim (coldbench shim); {by_waits}"
        )
    if result.wait_warm_ms and _all_warm(result):
        yield _too_short(idle_s)
    if len(result.cold_kinds) > 1:
        kinds = ", ".join(f"{number} {_KINDS[kind]}" for kind, number in sorted(result.cold_kinds.items()))
        yield (
            f"cold starts of different kinds are not pooled: of {kinds}, the figures are those of the kind "
            "met most; a profile that meets one kind alone tells more of it"
        )
    if result.verdicts.get(Verdict.COLD) and result.cold_penalty_ms is None:
        yield "too few cold or warm calls on the same kind of connection to price a cold start"


def _all_warm(result: Result) -> bool:
    """Behind some silence, and nothing that may have been a start, or shows that an instance had gone."""
    told = {Verdict.WARM.value, Verdict.DISCARDED.value, Verdict.THROTTLED.value}
    others = any(number for verdict, number in result.verdicts.items() if verdict not in told)
    return not others and any(stage.silence_s for stage in result.stages)


def _too_short(idle_s: tuple[float, float] | None) -> str:
    known, longer = "", "6m"
    if idle_s is not None:
        known, longer = f" ({idle_s[0]:g} to {idle_s[1]:g} s here)", f"{ceil(1.2 * idle_s[1])}s"
    return (
        f"no cold start was met: the silence is shorter than the platform keeps instances{known}; "
        f"lengthen it, for instance --set idle.duration={longer}"
    )

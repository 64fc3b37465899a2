"""What a few answers tell of a target before anything is measured: a diagnosis, pure but for `call`."""

from collections.abc import Sequence
from shlex import quote
from time import monotonic_ns

from msgspec import Struct

from coldbench.core.invocation import AnsweredBy, Evidence, Invocation
from coldbench.core.surroundings import round_trip_ns
from coldbench.core.target import Target
from coldbench.evidence.redact import redact_url
from coldbench.probe.invoke import Caller

# Fresh, kept, fresh, kept: whether connections are kept alive shows, and a cache has a chance to answer.
_FRESH = (True, False, True, False)

# field of Evidence -> what it tells, and so what is missing without it
MEANINGS = {
    "cold_flag": "whether this was the first use of an instance",
    "init_ms": "how long the instance's init took",
    "exec_ms": "how long the function itself ran",
    "instance": "which instance answered",
    "instance_seq": "how many invocations the instance has had",
    "instance_age_ms": "how long ago the instance's init ended",
    "billed_ms": "what is billed",
    "request_id": "which request this was; nothing of the instance",
}


class Diagnosis(Struct, frozen=True, kw_only=True):
    """The key `doctor` of the JSON. `found` and `missing` are fields of evidence with what they mean."""

    target: str
    platform: str | None
    evidence_level: int | None
    requests: int
    completed: int
    statuses: tuple[int, ...]
    errors: tuple[str, ...]
    round_trip_ms: float | None
    found: dict[str, str]
    missing: dict[str, str]
    warnings: tuple[str, ...]
    advice: tuple[str, ...]


async def call(target: Target, run_id: str) -> list[Invocation]:
    """The doctor's requests, one after the other."""
    zero = monotonic_ns()
    async with Caller(target, run_id, zero) as caller:
        return [
            await caller.invoke(seq, phase="0:doctor", intended_ns=monotonic_ns() - zero, fresh=fresh)
            for seq, fresh in enumerate(_FRESH)
        ]


def diagnose(target: Target, invocations: Sequence[Invocation]) -> Diagnosis:
    """What the answers tell, what they do not, and what to do about it."""
    answered = [i for i in invocations if i.completed]
    evidence = [i.evidence for i in answered]
    found = {field: text for field, text in MEANINGS.items() if _says(evidence, field)}
    missing = {field: text for field, text in MEANINGS.items() if field not in found} if answered else {}
    level = max((e.level for e in evidence), default=None)
    round_trip = round_trip_ns(invocations)
    return Diagnosis(
        target=target.name,
        platform=next((e.platform for e in evidence if e.platform), None),
        evidence_level=level,
        requests=len(invocations),
        completed=len(answered),
        statuses=tuple(sorted({i.status for i in answered if i.status is not None})),
        errors=tuple(sorted({i.error.value for i in invocations if i.error})),
        round_trip_ms=None if round_trip is None else round_trip / 1e6,
        found=found,
        missing=missing,
        warnings=tuple(_warnings(answered)),
        advice=tuple(_advice(target, level)),
    )


def _says(evidence: Sequence[Evidence], field: str) -> bool:
    return any(getattr(one, field) is not None for one in evidence)


def _warnings(answered: Sequence[Invocation]) -> list[str]:
    evidence = [i.evidence for i in answered]
    warnings = []
    cached = next((one for one in evidence if one.answered_by is AnsweredBy.CACHE), None)
    if cached is not None:
        warnings.append(f"a cache answered ({cached.answered_why}): the function did not run")
    moved = next((i for i in answered if i.status is not None and 300 <= i.status < 400), None)
    if moved is not None:
        where = moved.evidence.raw.get("location", "nowhere")
        warnings.append(f"status {moved.status}, a redirect to {where}: it is not followed; use that URL")
    if any(i.status is not None and i.status >= 400 for i in answered):
        warnings.append("it answers with error statuses: is this the right URL, method and header?")
    if any("set-cookie" in one.raw for one in evidence):
        warnings.append("it offers cookies; none is sent back, since some pin a caller to one instance")
    if len(answered) > 1 and not any(i.reused for i in answered):
        warnings.append("connections are not kept alive: each invocation pays for a handshake")
    return warnings


def _advice(target: Target, level: int | None) -> list[str]:
    if level is None:
        return ["nothing answered whole: look at the URL, the network and --timeout first"]
    run = f"coldbench run --url {quote(redact_url(target.url))} --profile burst --set size=20"
    if level == 2:
        return [f"this is enough to tell cold from warm: {run}"]
    advice = [] if level == 1 else ["the answers tell nothing of the instance: cold and warm stay unknown"]
    return [
        *advice,
        "if it sends a cold flag or an instance id under another name: --cold-header, --instance-header",
        run,
    ]

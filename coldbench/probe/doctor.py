"""What a few answers tell of a target before anything is measured: a diagnosis, pure but for `call`."""

from collections.abc import Iterator, Sequence
from time import monotonic_ns, time_ns

from msgspec import Struct

from coldbench.core.invocation import AnsweredBy, Evidence, Invocation
from coldbench.core.request import address
from coldbench.core.secrets import secrets_of
from coldbench.core.surroundings import round_trip_ns
from coldbench.core.target import Target
from coldbench.evidence.headers import from_pairs
from coldbench.evidence.platforms import platforms
from coldbench.evidence.recognise import Recognition, recognise
from coldbench.evidence.sources import Source, cookie_names, sources
from coldbench.probe.advice import advice, warnings
from coldbench.probe.invoke import Caller
from coldbench.stats.granularity import clock_offset_s, step_ms
from coldbench.stats.reported import ReportedTimes

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


class Answer(Struct, frozen=True, kw_only=True):
    """One of the doctor's requests, the answer's header fields as they were sent, and our wall clock."""

    invocation: Invocation
    fields: tuple[tuple[str, str], ...]
    zero_epoch_ns: int  # the wall clock at the zero of the invocation's own

    def wall_s(self, at_ns: int | None) -> float | None:
        """An instant of the invocation as seconds of the epoch."""
        return None if at_ns is None else (self.zero_epoch_ns + at_ns) / 1e9


class Diagnosis(Struct, frozen=True, kw_only=True):
    """The key `doctor` of the JSON. `found` and `missing` are fields of evidence with what they mean.

    `headers` are those that may be evidence, with what each told. The steps are the coarsest that all
    reported times are multiples of; `clock_offset_s` bounds how far the server's clock is ahead of ours.
    """

    target: str
    platform: str | None
    recognised: Recognition | None  # the same with what is known of it; or one that is not sure
    evidence_level: int | None
    requests: int
    completed: int
    statuses: tuple[int, ...]
    errors: tuple[str, ...]
    round_trip_ms: float | None
    headers: tuple[Source, ...]
    found: dict[str, str]
    missing: dict[str, str]
    exec_step_ms: float | None
    billed_step_ms: float | None
    clock_offset_s: tuple[float, float] | None
    cookies: tuple[str, ...]
    warnings: tuple[str, ...]
    advice: tuple[str, ...]


async def call(target: Target, run_id: str) -> list[Answer]:
    """The doctor's requests, one after the other."""
    zero, epoch = monotonic_ns(), time_ns()
    answers = []
    async with Caller(target, run_id, zero) as caller:
        for seq, fresh in enumerate(_FRESH):
            now_ns = monotonic_ns() - zero
            one = await caller.invoke(seq, phase="0:doctor", intended_ns=now_ns, fresh=fresh)
            fields = tuple(caller.answer_fields) if one.completed else ()
            answers.append(Answer(invocation=one, fields=fields, zero_epoch_ns=epoch))
    return answers


def diagnose(target: Target, answers: Sequence[Answer]) -> Diagnosis:
    """What the answers tell, what they do not, and what to do about it."""
    invocations = [answer.invocation for answer in answers]
    completed = [answer for answer in answers if answer.invocation.completed]
    evidence = [answer.invocation.evidence for answer in completed]
    found = {field: text for field, text in MEANINGS.items() if _says(evidence, field)}
    missing = {field: text for field, text in MEANINGS.items() if field not in found} if completed else {}
    level = max((e.level for e in evidence), default=None)
    round_trip = round_trip_ns(invocations)
    offset = clock_offset_s(_dates(completed))
    cookies = tuple(dict.fromkeys(name for answer in completed for name in cookie_names(answer.fields)))
    return Diagnosis(
        target=target.name,
        platform=next((e.platform for e in evidence if e.platform), None),
        recognised=_recognised(target, completed),
        evidence_level=level,
        requests=len(invocations),
        completed=len(completed),
        statuses=tuple(sorted({i.status for i in invocations if i.completed and i.status is not None})),
        errors=tuple(sorted({i.error.value for i in invocations if i.error})),
        round_trip_ms=None if round_trip is None else round_trip / 1e6,
        headers=_headers(target, completed),
        found=found,
        missing=missing,
        exec_step_ms=step_ms([e.exec_ms for e in evidence if e.exec_ms is not None]),
        billed_step_ms=step_ms([e.billed_ms for e in evidence if e.billed_ms is not None]),
        clock_offset_s=offset,
        cookies=cookies,
        warnings=(
            *warnings([answer.invocation for answer in completed], cookies, offset),
            *_reported([answer.invocation for answer in completed], round_trip or 0),
        ),
        advice=tuple(advice(target, level)),
    )


def _headers(target: Target, completed: Sequence[Answer]) -> tuple[Source, ...]:
    """Of all answers, each header as it was first sent; what it told in any of them."""
    by_name: dict[str, Source] = {}
    secrets = secrets_of(target)
    for answer in completed:
        for source in sources(
            answer.fields,
            cold_header=target.cold_header,
            instance_header=target.instance_header,
            platform=answer.invocation.evidence.platform,
            platforms=target.platforms,
            secrets=secrets,
        ):
            known = by_name.get(source.name)
            if known is None or len(source.told) > len(known.told):
                by_name[source.name] = source
    # What tells most comes first.
    return tuple(sorted(by_name.values(), key=lambda source: -len(source.told)))


def _recognised(target: Target, completed: Sequence[Answer]) -> Recognition | None:
    if target.api is not None:
        its = platforms(target.platforms)[target.api]
        return Recognition(id=target.api, platform=its, by=f"the URL, {target.url.partition(':')[0]}:")
    host = address(target.endpoint).host
    found = [recognise(from_pairs(answer.fields), host, target.platforms) for answer in completed]
    known = [one for one in found if one is not None]
    return max(known, key=lambda one: one.sure, default=None)


def _reported(completed: Sequence[Invocation], round_trip: int) -> Iterator[str]:
    times = ReportedTimes()
    for one in completed:
        ran = one.evidence.answered_by in (AnsweredBy.FUNCTION, AnsweredBy.UNSTATED)
        if ran and one.wait_ns is not None:
            wait_ms = (one.wait_ns - round_trip) / 1e6
            times.add(one.evidence.exec_ms, one.evidence.billed_ms, wait_ms)
    return times.notes()


def _says(evidence: Sequence[Evidence], field: str) -> bool:
    return any(getattr(one, field) is not None for one in evidence)


def _dates(completed: Sequence[Answer]) -> list[tuple[str, float, float]]:
    dates = []
    for answer in completed:
        sent = answer.wall_s(answer.invocation.sent_ns)
        first_byte = answer.wall_s(answer.invocation.first_byte_ns)
        date = next((value for name, value in answer.fields if name.lower() == "date"), None)
        if date is not None and sent is not None and first_byte is not None:
            dates.append((date, sent, first_byte))
    return dates

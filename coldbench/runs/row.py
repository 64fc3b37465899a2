"""Rows of the tables of `samples.db`, and the records that they are."""

from typing import Any

import msgspec
from msgspec import Struct

from coldbench.core.invocation import AnsweredBy, Error, Evidence, Invocation
from coldbench.core.verdict import ColdKind, Judgement, Verdict

Row = tuple[Any, ...]
# What a row has where nothing was observed. SQLite has no NaN and keeps NULL (sqlite.org/floatingpoint.html).
# None would become the same, but `sqlite3` looks for an adapter of all that is not exactly an int, float or
# str, bool as well: with a dozen of them in it a row costs 8.5 us instead of 3.
NULL = float("nan")
# Of the table `invocation`: users' own queries rely on them.
COLUMNS = (
    "seq", "target", "phase", "worker",
    "intended_ns", "started_ns", "sent_ns", "first_byte_ns", "end_ns",
    "dns_ns", "connect_ns", "tls_ns", "reused", "status", "error", "bytes",
    "cold_flag", "init_ms", "exec_ms", "billed_ms", "instance", "instance_seq", "instance_age_ms",
    "request_id", "evidence",
)  # fmt: skip


class _Rest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `Evidence` has and no column holds; in the column `evidence`, as JSON."""

    level: int = 0
    init_is_per_instance: bool = False
    init_from_process_start: bool = False
    init_spans_ms: dict[str, float] = {}
    queue_ms: float | None = None
    container: str | None = None
    platform: str | None = None
    answered_by: AnsweredBy = AnsweredBy.UNSTATED
    answered_why: str | None = None
    raw: dict[str, str] = {}


_encode_rest = msgspec.json.Encoder().encode
_decode_rest = msgspec.json.Decoder(_Rest).decode


def evidence_cells(e: Evidence) -> Row:
    """The columns of a row that hold its evidence."""
    rest = _Rest(
        level=e.level,
        init_is_per_instance=e.init_is_per_instance,
        init_from_process_start=e.init_from_process_start,
        init_spans_ms=e.init_spans_ms,
        queue_ms=e.queue_ms,
        container=e.container,
        platform=e.platform,
        answered_by=e.answered_by,
        answered_why=e.answered_why,
        raw=e.raw,
    )
    return tuple(map(_cell, (
        e.cold_flag, e.init_ms, e.exec_ms, e.billed_ms, e.instance, e.instance_seq, e.instance_age_ms,
        e.request_id, _encode_rest(rest).decode(),
    )))  # fmt: skip


def _cell(value: bool | float | str | None) -> float | str:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return int(value)
    # A member of an enumeration is not exactly a str.
    return str(value) if isinstance(value, str) else value


def row_of(i: Invocation) -> Row:
    """The invocation in the order of `COLUMNS`."""
    return (
        *map(_cell, (
            i.seq, i.target, i.phase, i.worker,
            i.intended_ns, i.started_ns, i.sent_ns, i.first_byte_ns, i.end_ns,
            i.dns_ns, i.connect_ns, i.tls_ns, i.reused, i.status, i.error, i.body_bytes,
        )),
        *evidence_cells(i.evidence),
    )  # fmt: skip


def judgement_of(
    seq: int,
    verdict: str,
    reason: str,
    confidence: float,
    cold_kind: str | None,
    contradiction: str | None,
) -> Judgement:
    """Of the columns of `judged`; ValueError for a verdict or a kind that nobody knows."""
    return Judgement(
        seq=seq,
        verdict=Verdict(verdict),
        reason=reason,
        confidence=confidence,
        cold_kind=ColdKind(cold_kind) if cold_kind else None,
        contradiction=contradiction,
    )


def invocation_of(row: Row) -> Invocation:
    """Of `COLUMNS`; ValueError, TypeError or msgspec.MsgspecError for a row of another form."""
    (
        seq, target, phase, worker,
        intended_ns, started_ns, sent_ns, first_byte_ns, end_ns,
        dns_ns, connect_ns, tls_ns, reused, status, error, body_bytes,
        cold_flag, init_ms, exec_ms, billed_ms, instance, instance_seq, instance_age_ms,
        request_id, rest_json,
    ) = row  # fmt: skip
    rest = _decode_rest(rest_json)
    return Invocation(
        seq=seq,
        target=target,
        phase=phase,
        worker=worker,
        intended_ns=intended_ns,
        started_ns=started_ns,
        sent_ns=sent_ns,
        first_byte_ns=first_byte_ns,
        end_ns=end_ns,
        dns_ns=dns_ns,
        connect_ns=connect_ns,
        tls_ns=tls_ns,
        reused=None if reused is None else bool(reused),
        status=status,
        error=None if error is None else Error(error),
        body_bytes=body_bytes,
        evidence=Evidence(
            cold_flag=None if cold_flag is None else bool(cold_flag),
            init_ms=init_ms,
            exec_ms=exec_ms,
            billed_ms=billed_ms,
            instance=instance,
            instance_seq=instance_seq,
            instance_age_ms=instance_age_ms,
            request_id=request_id,
            level=rest.level,
            init_is_per_instance=rest.init_is_per_instance,
            init_from_process_start=rest.init_from_process_start,
            init_spans_ms=rest.init_spans_ms,
            queue_ms=rest.queue_ms,
            container=rest.container,
            platform=rest.platform,
            answered_by=rest.answered_by,
            answered_why=rest.answered_why,
            raw=rest.raw,
        ),
    )

"""What one response tells about the instance behind it: header fields in, Evidence out."""

from collections.abc import Sequence
from typing import Any

from coldbench.core.invocation import AnsweredBy, Evidence
from coldbench.core.redact import redact_body, redact_value
from coldbench.core.secrets import without
from coldbench.evidence import scf
from coldbench.evidence.activation import read_activation
from coldbench.evidence.answered import who_answered
from coldbench.evidence.headers import Headers
from coldbench.evidence.log_tail import HEADERS as LOG_TAILS
from coldbench.evidence.log_tail import read_log_tail, report_line
from coldbench.evidence.readings import declared, read_fields, readings
from coldbench.evidence.shim import read_shim
from coldbench.evidence.values import identifier

_EXECUTED = frozenset(("cold_flag", "init_ms", "exec_ms"))

# Kept out of the raw evidence: what describes the body, the connection or the page, never the instance.
_NO_EVIDENCE = frozenset(
    (
        "accept-ranges", "allow", "alt-svc", "cache-control", "connection", "content-encoding",
        "content-language", "content-length", "content-security-policy", "content-type", "date", "etag",
        "expires", "keep-alive", "last-modified", "link", "nel", "permissions-policy", "pragma",
        "referrer-policy", "report-to", "strict-transport-security", "trailer", "transfer-encoding",
        "vary", "x-content-type-options", "x-frame-options", "x-xss-protection",
    )
)  # fmt: skip
_MOST_FIELDS = 48
_MOST_CHARACTERS = 1024
# Their answers are records with the function's result in them: kept only where they say what is wrong.
_RECORDED = ("openwhisk", scf.API)
# Not a header name, so that no header can be taken for it.
_BODY = ":body"


def read(
    headers: Headers,
    *,
    status: int | None,
    cold_header: str | None,
    instance_header: str | None,
    expect_status: Sequence[int] = (),
    expected_body: bool = True,
    body_start: bytes = b"",
    api: str | None = None,
    platform: str | None = None,
    platforms: str | None = None,
    secrets: Sequence[str] = (),
) -> Evidence:
    """All that the response says; what is missing, unreadable or contradicted by a twin is not observed.

    The headers that the target's owner names are believed before the shim, the shim before what any
    platform may send. `platform` is that which surely answered, of `platforms`, the user's own table; `api`
    that whose API was asked, so that the body is its own, with the function's answer inside.
    Level 3 is a platform API's own report, which goes before the shim; level 2 is the shim, level 1 a header
    that says more than which request this was.
    A status other than those expected is not the function's answer, whoever sent it, nor is a body that was
    found not to be the expected one; what a cache or a gateway says of itself goes before.
    `raw` has every field that may be evidence, by lower-case name, several values on a line each, secrets
    redacted and long values cut; and `:body`, the body's first bytes where the caller kept them. `secrets`
    are those that the request had in it: an answer may repeat them anywhere.
    """
    shim = read_shim(headers["server-timing"]) if "server-timing" in headers else {}
    record = _record(headers, body_start, api)
    report = read_log_tail(headers) | record
    told = _constant_init(read_fields(headers, readings(platform, platforms)))
    sent = told | shim | report
    if shim and "instance" in told:
        sent["container"] = told["instance"]
    if cold_header is not None or instance_header is not None:
        sent |= read_fields(headers, declared(cold_header, instance_header))
    level = 3 if report else 2 if shim else int(not sent.keys() <= {"request_id"})
    ran = bool(shim or report) or not _EXECUTED.isdisjoint(sent)
    answered_by, why = who_answered(headers, status, ran=ran)
    ours = answered_by in (AnsweredBy.FUNCTION, AnsweredBy.UNSTATED)
    if ours and expect_status and status not in expect_status:
        expected = " or ".join(map(str, expect_status))
        answered_by, why = AnsweredBy.UNEXPECTED, f"status {status}, not {expected}"
    elif ours and not expected_body:
        answered_by, why = AnsweredBy.UNEXPECTED, "a body without the text of --expect-body"
    if api == scf.API and (code := scf.refused(body_start)) is not None:
        throttled = code.startswith("RequestLimitExceeded")
        answered_by = AnsweredBy.THROTTLE if throttled else AnsweredBy.UNEXPECTED
        why = f"the API's error {identifier(code)}"
    raw = _raw(headers, secrets)
    if record:
        raw[_BODY] = without(
            f"the platform's record: {record}", secrets
        )  # not the function's result beside it
    elif body_start and not (status == 200 and api in _RECORDED):
        text = body_start[:_MOST_CHARACTERS].decode("utf-8", "replace")
        raw[_BODY] = redact_body(without(text, secrets, cut=True))
    if secrets:
        sent = {field: without(v, secrets) if isinstance(v, str) else v for field, v in sent.items()}
        why = None if why is None else without(why, secrets, cut=True)
    return Evidence(
        level=level, answered_by=answered_by, answered_why=why, platform=platform, raw=raw, **sent
    )


def _constant_init(told: dict[str, Any]) -> dict[str, Any]:
    """No platform sends its init by a header, and nobody says whether such a one is of the call or a constant
    of the instance, which comes with every answer: it is safe to take it for the latter. 0 is no init at all.
    """
    if "init_ms" not in told:
        return told
    others = {name: value for name, value in told.items() if name != "init_ms"}
    return others | {"init_ms": told["init_ms"], "init_is_per_instance": True} if told["init_ms"] else others


def _record(headers: Headers, body: bytes, api: str | None) -> dict[str, Any]:
    """What a platform's API says of the call around the function's own answer."""
    if not body:
        return {}
    return scf.read_result(body) if api == scf.API else read_activation(headers, body)


def is_evidence(name: str) -> bool:
    """Whether a header of this lower-case name may tell something of the instance."""
    return name not in _NO_EVIDENCE and not name.startswith("access-control-")


def without_secrets(name: str, value: str, secrets: Sequence[str] = ()) -> str:
    """A header's value as it may be written and shown: of a log, which is the function's, only the report."""
    if name.lower() in LOG_TAILS:
        return report_line({name.lower(): [value]}) or "without a report"
    return redact_value(name, without(value, secrets))


def _raw(headers: Headers, secrets: Sequence[str]) -> dict[str, str]:
    raw: dict[str, str] = {}
    for name, values in headers.items():
        if not is_evidence(name):
            continue
        if len(raw) == _MOST_FIELDS:
            break
        raw[name[:_MOST_CHARACTERS]] = without_secrets(name, "\n".join(values), secrets)[:_MOST_CHARACTERS]
    return raw

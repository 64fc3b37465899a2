"""Which header of a response told which field of its evidence."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from coldbench.core.invocation import AnsweredBy, Evidence
from coldbench.evidence.headers import from_pairs
from coldbench.evidence.read import is_evidence, read, without_secrets

# What a header can tell, each of them None or absent where it does not.
_TOLD = (
    "cold_flag", "init_ms", "exec_ms", "billed_ms", "queue_ms", "instance", "instance_seq",
    "instance_age_ms", "request_id",
)  # fmt: skip
_ANSWERED_BY = (AnsweredBy.CACHE, AnsweredBy.GATEWAY, AnsweredBy.THROTTLE, AnsweredBy.FAILED_START)


class Source(Struct, frozen=True, kw_only=True):
    """A header field: its name as it was sent, its value without secrets, the fields of Evidence it told."""

    name: str
    value: str
    told: tuple[str, ...]


def sources(
    fields: Iterable[tuple[str, str]],
    *,
    cold_header: str | None = None,
    instance_header: str | None = None,
    platform: str | None = None,
    platforms: str | None = None,
    secrets: Sequence[str] = (),
) -> list[Source]:
    """One for each header that may be evidence, in the order they were sent.

    Each is read alone, by the one reader there is: what it then tells, it told. `secrets` are the request's.
    """
    by_name: dict[str, list[tuple[str, str]]] = {}
    for name, value in fields:
        if is_evidence(name.lower()):
            by_name.setdefault(name.lower(), []).append((name, value))
    return [
        Source(
            name=pairs[0][0],
            value=without_secrets(pairs[0][0], ", ".join(value for _, value in pairs), secrets),
            told=_told(
                read(
                    from_pairs(pairs),
                    status=None,
                    cold_header=cold_header,
                    instance_header=instance_header,
                    platform=platform,
                    platforms=platforms,
                )
            ),
        )
        for pairs in by_name.values()
    ]


def _told(evidence: Evidence) -> tuple[str, ...]:
    told = [field for field in _TOLD if getattr(evidence, field) is not None]
    if evidence.answered_by in _ANSWERED_BY:
        told.append("answered_by")
    return tuple(told)


def cookie_names(fields: Sequence[tuple[str, str]]) -> list[str]:
    """Of the cookies a response sets (RFC 6265, 4.1); their values are nobody's business."""
    return [value.partition("=")[0].strip() for name, value in fields if name.lower() == "set-cookie"]


def pins_an_instance(cookie: str) -> bool:
    """Whether a load balancer sends whoever returns this cookie to the instance that answered before."""
    return cookie.startswith(_AFFINITY)


# Name or its beginning: AWS ALB and Classic, Azure App Service, Google Cloud and App Engine, Alibaba SLB and
# HAProxy's usual name, F5, ingress-nginx, Istio / Envoy's usual name, Heroku.
_AFFINITY = (
    "AWSALB", "AWSELB", "ARRAffinity", "GCLB", "GAESA", "GCILB", "SERVERID", "BIGipServer",
    "INGRESSCOOKIE", "istio-", "heroku-session-affinity",
)  # fmt: skip

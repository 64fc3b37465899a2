"""What a target's request says, the same whoever sends it: the engine's wire client or the probe."""

import re
from base64 import b64encode
from string import punctuation
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

from coldbench import __version__
from coldbench.core.errors import UsageError
from coldbench.core.redact import REDACTED, redact_url
from coldbench.core.target import Target

USER_AGENT = f"coldbench/{__version__}"
ID_HEADER = "X-Coldbench-Id"  # its value is `<run>-<seq>`

# Letters, digits and what resolvers take beside them; `:` and `%` of IPv6 addresses and their zones.
_HOST = re.compile(r"[A-Za-z0-9._:%-]+")
# Of what is no URL nobody knows where its credentials end: at the last sign that may end them.
_CREDENTIALS = re.compile(r"^(.*?://)?.*@", re.DOTALL)


class Address(Struct, frozen=True, kw_only=True):
    """Where a target's requests go; `host` in ASCII, as DNS and TLS have it (IDNA, RFC 3490)."""

    host: str
    port: int
    tls: bool


def address(url: str) -> Address:
    """Host, port and whether it is TLS; UsageError for what is no whole http or https URL."""
    place = redact_url(_CREDENTIALS.sub(rf"\1{REDACTED}@", url))
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError as error:  # an IPv6 address or a port out of form; UnicodeError: a name that cannot be
        if "@" not in url:
            raise UsageError(f"not a URL: {error}", place=place) from None
        # The error has the part in its words, which may be one of a password.
        hint = "in a name or password write %2F for /, %3F for ?, %23 for # and %40 for @"
        raise UsageError("not a URL: host or port out of form", place=place, hint=hint) from None
    if "://" not in url:
        hint = "write http://..., https://..., lab:RUNTIME, lambda:FUNCTION, fc:FUNCTION ..."
        raise UsageError("not a whole URL", place=place or "an empty text", hint=hint)
    if parts.scheme not in ("http", "https"):
        hint = "use http, https, lab, lambda, fc or openwhisk"
        raise UsageError(f"unknown scheme {parts.scheme!r}", place=place, hint=hint)
    if not host:
        raise UsageError("no host", place=place)
    if not _HOST.fullmatch(host):
        raise UsageError(f"not a host's name: {host!r}", place=place)
    tls = parts.scheme == "https"
    return Address(host=host, port=(443 if tls else 80) if port is None else port, tls=tls)


def request_target(target: Target) -> str:
    """Path and query as the URL has them (RFC 9112, 3.2.1).

    What a URL cannot have, spaces and all that is not ASCII, is percent-encoded as UTF-8, as browsers do.
    """
    parts = urlsplit(target.endpoint)
    return quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=punctuation)


def request_fields(target: Target) -> list[tuple[str, str]]:
    """The header fields in the order they are sent, without the invocation's id.

    The target's own headers replace the defaults of the same name.
    """
    parts = urlsplit(target.endpoint)
    fields = [
        ("Host", _host(target.endpoint)),
        ("User-Agent", USER_AGENT),
        ("Accept", "*/*"),
    ]
    if parts.username is not None:
        userinfo = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        fields.append(("Authorization", f"Basic {b64encode(userinfo.encode()).decode()}"))
    if target.body or target.method in ("POST", "PUT", "PATCH"):
        fields.append(("Content-Length", str(len(target.body))))
    given = {name.lower() for name, _ in target.headers}
    return [(name, value) for name, value in fields if name.lower() not in given] + list(target.headers)


def _host(url: str) -> str:
    """The field's value: the port only where the URL has one (RFC 9110, 7.2)."""
    host, port = address(url).host, urlsplit(url).port
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"

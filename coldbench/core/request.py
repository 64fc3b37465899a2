"""What a target's request says, the same whoever sends it: the engine's wire client or the probe."""

from base64 import b64encode
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from coldbench import __version__
from coldbench.core.errors import UsageError
from coldbench.core.target import Target

USER_AGENT = f"coldbench/{__version__}"
ID_HEADER = "X-Coldbench-Id"  # its value is `<run>-<seq>`


class Address(Struct, frozen=True, kw_only=True):
    """Where a target's requests go."""

    host: str
    port: int
    tls: bool


def address(target: Target) -> Address:
    """Host, port and whether it is TLS; UsageError for a URL that names none of these."""
    parts = urlsplit(target.endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"not an http or https URL: {target.endpoint}", place=f"target {target.name}")
    tls = parts.scheme == "https"
    return Address(host=parts.hostname, port=parts.port or (443 if tls else 80), tls=tls)


def request_target(target: Target) -> str:
    """Path and query as the URL has them (RFC 9112, 3.2.1)."""
    parts = urlsplit(target.endpoint)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def request_fields(target: Target) -> list[tuple[str, str]]:
    """The header fields in the order they are sent, without the invocation's id.

    The target's own headers replace the defaults of the same name.
    """
    parts = urlsplit(target.endpoint)
    fields = [
        ("Host", _host(parts.hostname or "", parts.port)),
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


def _host(hostname: str, port: int | None) -> str:
    name = f"[{hostname}]" if ":" in hostname else hostname.encode("idna").decode()
    return name if port is None else f"{name}:{port}"

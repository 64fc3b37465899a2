"""The bytes of a target's request, built once; only the invocation's id changes."""

from base64 import b64encode
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from coldbench import __version__
from coldbench.core.errors import UsageError
from coldbench.core.target import Target

USER_AGENT = f"coldbench/{__version__}"


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


class RequestTemplate:
    """Turns an invocation's sequence number into the bytes to send (RFC 9112)."""

    def __init__(self, target: Target, run_id: str) -> None:
        parts = urlsplit(target.endpoint)
        path = parts.path or "/"
        if parts.query:
            path += f"?{parts.query}"
        names = {name.lower() for name, _ in target.headers}
        headers = list(target.headers)
        defaults = [
            ("Host", _host(parts.hostname or "", parts.port)),
            ("User-Agent", USER_AGENT),
            ("Accept", "*/*"),
        ]
        if parts.username is not None:
            userinfo = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            defaults.append(("Authorization", f"Basic {b64encode(userinfo.encode()).decode()}"))
        if target.body or target.method in ("POST", "PUT", "PATCH"):
            defaults.append(("Content-Length", str(len(target.body))))
        headers = [(name, value) for name, value in defaults if name.lower() not in names] + headers
        lines = [f"{target.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n"
        self._prefix = head + (f"X-Coldbench-Id: {run_id}-".encode() if target.send_id else b"")
        self._suffix = (b"\r\n" if target.send_id else b"") + b"\r\n" + target.body
        self._send_id = target.send_id

    def render(self, seq: int) -> bytes:
        """The request of invocation `seq`."""
        if not self._send_id:
            return self._prefix + self._suffix
        return b"%b%d%b" % (self._prefix, seq, self._suffix)


def _host(hostname: str, port: int | None) -> str:
    name = f"[{hostname}]" if ":" in hostname else hostname.encode("idna").decode()
    return name if port is None else f"{name}:{port}"

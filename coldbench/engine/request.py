"""The bytes of a target's request, built once; only the invocation's id changes."""

from coldbench.core.request import ID_HEADER, request_fields, request_target
from coldbench.core.target import Target


class RequestTemplate:
    """Turns an invocation's sequence number into the bytes to send (RFC 9112)."""

    def __init__(self, target: Target, run_id: str) -> None:
        fields = (f"{name}: {value}" for name, value in request_fields(target))
        lines = [f"{target.method} {request_target(target)} HTTP/1.1", *fields]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n"
        self._prefix = head + (f"{ID_HEADER}: {run_id}-".encode() if target.send_id else b"")
        self._suffix = (b"\r\n" if target.send_id else b"") + b"\r\n" + target.body
        self._send_id = target.send_id

    def render(self, seq: int) -> bytes:
        """The request of invocation `seq`."""
        if not self._send_id:
            return self._prefix + self._suffix
        return b"%b%d%b" % (self._prefix, seq, self._suffix)

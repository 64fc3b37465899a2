"""The bytes of a target's request, built once; only the invocation's id and the signature's date change."""

from coldbench.core.request import ID_HEADER, request_target
from coldbench.core.target import Target
from coldbench.targets.signing import signer, signs_each


class RequestTemplate:
    """Turns an invocation's sequence number into the bytes to send (RFC 9112)."""

    def __init__(self, target: Target, run_id: str) -> None:
        self._request_line = f"{target.method} {request_target(target)} HTTP/1.1"
        self._fields = signer(target)
        self._signs_each = signs_each(target)
        self._id = f"{ID_HEADER}: {run_id}-".encode() if target.send_id else b""
        self.sign()
        self._suffix = (b"\r\n" if target.send_id else b"") + b"\r\n" + target.body
        self._send_id = target.send_id

    def sign(self) -> None:
        """With a signature of now, where there is one. Raises UsageError without valid credentials."""
        fields = (f"{name}: {value}" for name, value in self._fields())
        lines = [self._request_line, *fields]
        self._prefix = "\r\n".join(lines).encode("latin-1") + b"\r\n" + self._id

    def render(self, seq: int) -> bytes:
        """The request of invocation `seq`."""
        if self._signs_each:
            self.sign()
        if not self._send_id:
            return self._prefix + self._suffix
        return b"%b%d%b" % (self._prefix, seq, self._suffix)

"""TLS over memory buffers: bytes in, bytes out, no socket.

The standard library's ssl does the work. Buffers instead of an SSL socket keep gevent's patched sockets
out of the hot path: the connection's own watchers move the bytes.
"""

import ssl

from coldbench.core.target import Target

_CHUNK = 65536


def context(target: Target) -> ssl.SSLContext:
    """Verification on unless the target says otherwise, SNI, ALPN http/1.1."""
    made = ssl.create_default_context()
    if not target.verify_tls:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    made.set_alpn_protocols(["http/1.1"])
    return made


class TlsLayer:
    """One connection's TLS state."""

    def __init__(self, made: ssl.SSLContext, hostname: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl = made.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)
        self.established = False

    def handshake(self, received: bytes = b"") -> bytes:
        """Take what came, return what to send; `established` tells when it is done. Raises ssl.SSLError."""
        self._incoming.write(received)
        try:
            self._ssl.do_handshake()
            self.established = True
        except ssl.SSLWantReadError:
            pass
        return self._outgoing.read()

    def encrypt(self, plain: bytes) -> bytes:
        """The records that carry `plain`."""
        self._ssl.write(plain)
        return self._outgoing.read()

    def decrypt(self, received: bytes) -> tuple[bytes, bool]:
        """What the records carried, and whether the peer has closed its side. Raises ssl.SSLError."""
        self._incoming.write(received)
        parts: list[bytes] = []
        try:
            while part := self._ssl.read(_CHUNK):
                parts.append(part)
        except ssl.SSLWantReadError:
            return b"".join(parts), False
        except ssl.SSLZeroReturnError:
            pass
        return b"".join(parts), True

    def pending_output(self) -> bytes:
        """Records that reading has caused (key updates, alerts)."""
        return self._outgoing.read()

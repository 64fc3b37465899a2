"""One connection to a target: dialled, secured, then one invocation after another.

Non-blocking sockets under persistent watchers of gevent's hub: no greenlet, no timer and no watcher is
made for an invocation. Instants are taken right around the system call that they describe.
"""

import errno
import socket as patched_socket
import ssl
from collections.abc import Callable
from time import monotonic_ns
from typing import Any, Protocol

import gevent
from gevent.monkey import get_original

from coldbench.core.invocation import Error
from coldbench.core.messages import Ancillary
from coldbench.engine.arrival import ANCILLARY_BYTES, stamp_arrivals
from coldbench.engine.codes import RESET, dial_error
from coldbench.engine.response import Response
from coldbench.engine.tls import TlsLayer

# The socket type from before Locust's import patched it: these never wait, so nothing needs to switch.
_socket = get_original("socket", "socket")

_RECEIVE_BYTES = 65536
_READ, _WRITE = 1, 2

# What getaddrinfo returns, cut to what a socket needs: family and address.
SocketAddress = tuple[int, tuple[str, int] | tuple[str, int, int, int]]


class Owner(Protocol):
    """Who is told what becomes of a connection (the origin that opened it)."""

    def opened(self, connection: "Connection") -> None:
        """It is dialled and secured."""

    def answered(self, connection: "Connection", end_ns: int) -> None:
        """The exchange ended, with a whole response (`connection.last_read` says when it had arrived) or with
        `connection.error`. The connection is the owner's again: not `busy`, to be reused or closed.
        """

    def closed(self, connection: "Connection") -> None:
        """It is closed; nothing more comes from it."""


class Connection:
    """A connection and the exchange on it: one invocation's request and its response.

    All instants are monotonic ns, 0 while they have not come.
    """

    __slots__ = (
        "_address",
        "_owner",
        "_reader",
        "_request",
        "_socket",
        "_tls",
        "_writer",
        "busy",
        "connect_ns",
        "dial_ns",
        "error",
        "first_byte_ns",
        "first_read",
        "intended_ns",
        "is_closed",
        "last_read",
        "on_done",
        "open_by_ns",
        "opened_ns",
        "phase",
        "ready",
        "response",
        "reused",
        "sent_ns",
        "seq",
        "started_ns",
        "tls_ns",
        "unsent",
    )

    def __init__(
        self, owner: Owner, address: SocketAddress, tls: TlsLayer | None, *, head_request: bool
    ) -> None:
        self._owner = owner
        self._address = address
        self._tls = tls
        # gevent's watchers and the unpatched socket have no types of their own.
        self._socket: Any = None
        self._reader: Any = None
        self._writer: Any = None
        self._request = b""
        self.response = Response(head_request=head_request)
        self.ready = False
        self.busy = False
        self.is_closed = False
        self.reused = False  # for a second exchange
        self.dial_ns = self.connect_ns = self.tls_ns = self.opened_ns = 0
        self.open_by_ns = 0
        self.started_ns = 0
        self.error: Error | None = None
        # with the first and the last read of the exchange
        self.first_read: Ancillary = []
        self.last_read: Ancillary = []
        self.unsent = b""  # what the socket has not taken yet; an answer may come before that
        self.on_done: Callable[[], None] | None = None

    # ------------------------------------------------------------------ opening

    def dial(self, open_by_ns: int) -> None:
        """Begin to connect; `opened` or `answered` (with an error) and `closed` follow."""
        self.open_by_ns = open_by_ns
        self.dial_ns = monotonic_ns()
        family, where = self._address
        try:
            self._socket = _socket(family, patched_socket.SOCK_STREAM)
            self._socket.setblocking(False)
            self._socket.setsockopt(patched_socket.IPPROTO_TCP, patched_socket.TCP_NODELAY, 1)
            stamp_arrivals(self._socket)
            code = self._socket.connect_ex(where)
        except OSError as error:
            code = error.errno or errno.EIO
        if code in (0, errno.EINPROGRESS):
            loop = gevent.get_hub().loop
            self._reader = loop.io(self._socket.fileno(), _READ)
            self._writer = loop.io(self._socket.fileno(), _WRITE)
            self._writer.start(self._connected)
        else:
            # Not from within the caller's own call: it has not finished setting the exchange up.
            gevent.get_hub().loop.run_callback(self.fail, dial_error(code))

    def _connected(self) -> None:
        self._writer.stop()
        code = self._socket.getsockopt(patched_socket.SOL_SOCKET, patched_socket.SO_ERROR)
        if code:
            self.fail(dial_error(code))
            return
        self.connect_ns = monotonic_ns() - self.dial_ns
        self._reader.start(self._readable)
        if self._tls is None:
            self._opened()
        else:
            self._handshake(b"")

    def _handshake(self, received: bytes) -> None:
        assert self._tls is not None
        try:
            if output := self._tls.handshake(received):
                self._write(output)
        except ssl.SSLError:
            self.fail(Error.TLS)
            return
        if self._tls.established and not self.is_closed:
            self.tls_ns = monotonic_ns() - self.dial_ns - self.connect_ns
            self._opened()

    def _opened(self) -> None:
        self.ready = True
        self.opened_ns = monotonic_ns()
        if self.busy:
            self._send(self._request, self.opened_ns)
        self._owner.opened(self)

    # ------------------------------------------------------------------ one exchange

    def invoke(self, seq: int, phase: int, request: bytes, intended_ns: int | None) -> None:
        """Send a request now, or as soon as the connection is open; without an instant of its own it is
        intended as it starts.
        """
        now = monotonic_ns()
        self.busy = True
        self.seq = seq
        self.phase = phase
        self.intended_ns = now if intended_ns is None else intended_ns
        self.started_ns = now
        self.first_byte_ns = 0
        if not self.ready:
            self.sent_ns = 0
            self._request = request
        elif self._tls is None:
            self.sent_ns = now
            self._write(request)
        else:
            self._send(request, now)

    def _send(self, request: bytes, now: int) -> None:
        self.sent_ns = now
        if self._tls is not None:
            try:
                request = self._tls.encrypt(request)
            except ssl.SSLError:
                self.fail(Error.SEND)
                return
        self._write(request)

    def _write(self, data: bytes) -> None:
        if self.unsent:
            self.unsent += data
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.fail(self._broken(error.errno))
            return
        if sent < len(data):
            self.unsent = data[sent:]
            self._writer.start(self._writable)

    def _writable(self) -> None:
        data, self.unsent = self.unsent, b""
        self._writer.stop()
        self._write(data)

    def _readable(self) -> None:
        try:
            data, self.last_read, _, _ = self._socket.recvmsg(_RECEIVE_BYTES, ANCILLARY_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self.fail(self._broken(error.errno))
            return
        now = monotonic_ns()
        ended = not data
        if data and self._tls is not None:
            data, ended = self._decrypted(data)
        if data:
            if not self.busy:
                self.close()  # bytes that nobody asked for
                return
            if not self.first_byte_ns:
                self.first_byte_ns = now
                self.first_read = self.last_read
            response = self.response
            response.feed(data)
            if response.error is not None:
                self.fail(response.error)
            elif response.complete:
                self._owner.answered(self, now)
        if ended and not self.is_closed:
            self._ended()

    def _decrypted(self, data: bytes) -> tuple[bytes, bool]:
        """What the peer's records carry, and whether it has closed its side."""
        assert self._tls is not None
        if not self._tls.established:
            self._handshake(data)
            return b"", False
        try:
            plain, ended = self._tls.decrypt(data)
            if output := self._tls.pending_output():
                self._write(output)
        except ssl.SSLError:
            self.fail(Error.TLS)
            return b"", False
        return plain, ended

    def _ended(self) -> None:
        """The peer closed its side."""
        if not self.busy:
            self.close()
            return
        self.last_read = []
        self.response.end_of_stream()
        if self.response.complete:
            self._owner.answered(self, monotonic_ns())
        else:
            self.fail(self._broken(None))

    def _broken(self, code: int | None) -> Error:
        """The name of a connection lost in mid-exchange."""
        if self.reused and not self.first_byte_ns:
            return Error.STALE_REUSE
        return Error.RESET if code in RESET else Error.CLOSED

    # ------------------------------------------------------------------ ending

    def expire(self) -> None:
        """The deadline has passed."""
        if self.ready:
            self.fail(Error.TIMEOUT)
        else:
            self.fail(Error.TLS_TIMEOUT if self.connect_ns else Error.CONNECT_TIMEOUT)

    def fail(self, error: Error) -> None:
        """End the exchange, if there is one, with an error; the connection is of no more use."""
        self.error = error
        self.last_read = []
        if self.busy:
            self._owner.answered(self, monotonic_ns())
        self.close()

    def close(self) -> None:
        """Close the socket; idempotent."""
        if self._reader is not None:
            self._reader.close()
            self._writer.close()
            self._reader = self._writer = None
        self.ready = False
        if not self.is_closed:
            self.is_closed = True
            if self._socket is not None:
                self._socket.close()
            self.response.release()
            self._owner.closed(self)

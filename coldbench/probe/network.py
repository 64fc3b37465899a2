"""The network under httpx: one TCP connection on asyncio's loop, and the instants at which bytes moved.

httpx's trace extension has no event for the first byte, and its own backend (anyio) adds some tenths of a
millisecond to each step; a network backend of httpcore's public interface has neither fault
(https://www.encode.io/httpcore/network-backends/).
"""

import asyncio
import select
import socket
import ssl
from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic_ns
from typing import Any, TypeVar

import httpcore
from msgspec import Struct

T = TypeVar("T")

# Of the response's end, for its trailers.
_TAIL_BYTES = 8192
_MOST_HEAD_BYTES = 64 * 1024  # interim responses included


class HeadTooLargeError(httpcore.ReadError):
    """So much has come, and no head of a final response."""


class Instants(Struct, kw_only=True):
    """Of one address's latest connection, and of the exchange that is on it; on the monotonic clock."""

    connections: int = 0  # so many were made
    connect_ns: int | None = None  # how long the TCP handshake took
    tls_ns: int | None = None  # how long the TLS handshake took
    sent_ns: int | None = None  # first byte of the request
    first_read_ns: int | None = None  # first bytes after it
    last_read_ns: int | None = None  # latest bytes after it
    tail: bytes = b""  # the latest bytes themselves
    head_bytes: int = 0  # that came before the head was whole
    head_whole: bool = False

    def dialling(self) -> None:
        """A new connection is being made."""
        self.connect_ns = self.tls_ns = None

    def connected(self, connect_ns: int) -> None:
        """A new connection stands, after so long."""
        self.connections += 1
        self.connect_ns = connect_ns

    def next_exchange(self) -> None:
        """What is written next is a request."""
        self.sent_ns = self.first_read_ns = self.last_read_ns = None
        self.tail, self.head_bytes, self.head_whole = b"", 0, False

    def wrote(self, at_ns: int) -> None:
        """Bytes were given to the system, from `at_ns` on."""
        if self.sent_ns is None:
            self.sent_ns = at_ns

    def read(self, data: bytes) -> None:
        """Bytes have come. Raises HeadTooLargeError."""
        self.last_read_ns = monotonic_ns()
        if self.first_read_ns is None:
            self.first_read_ns = self.last_read_ns
        self.tail = (self.tail + data)[-_TAIL_BYTES:]
        if not self.head_whole:
            self.head_bytes += len(data)
            if self.head_bytes > _MOST_HEAD_BYTES:
                raise HeadTooLargeError


class Network(httpcore.AsyncNetworkBackend):
    """Connects to one address, whatever the name in the URL."""

    def __init__(self, family: int, where: tuple[Any, ...]) -> None:
        """`family` and `where` are those of `getaddrinfo`."""
        self._family = family
        self._where = where
        self.instants = Instants()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection. Raises httpcore.ConnectError."""
        self.instants.dialling()
        made = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            began = monotonic_ns()
            await asyncio.get_running_loop().sock_connect(made, self._where)
            self.instants.connected(monotonic_ns() - began)
        except OSError as error:
            made.close()
            raise httpcore.ConnectError(str(error)) from error
        except asyncio.CancelledError:
            made.close()
            raise
        return _Stream(made, self.instants)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, connection: socket.socket, instants: Instants) -> None:
        self._connection = connection
        self._instants = instants

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            data = await self._when_ready(partial(self._connection.recv, max_bytes), writing=False)
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error
        if data:
            self._instants.read(data)
        # Who always has bytes at hand would keep the loop from the deadline, and from Ctrl-C.
        await asyncio.sleep(0)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = memoryview(buffer)
        began = monotonic_ns()
        try:
            while left:
                left = left[await self._when_ready(partial(self._connection.send, left), writing=True) :]
                self._instants.wrote(began)
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """The same stream, from now on encrypted. Raises httpcore.ConnectError."""
        began = monotonic_ns()
        try:
            secured = ssl_context.wrap_socket(
                self._connection, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            self._connection = secured
            await self._when_ready(secured.do_handshake, writing=False)
        except OSError as error:
            await self.aclose()
            raise httpcore.ConnectError(str(error)) from error
        except asyncio.CancelledError:
            await self.aclose()
            raise
        self._instants.tls_ns = monotonic_ns() - began
        return self

    async def aclose(self) -> None:
        self._connection.close()

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks: which protocol was agreed on, and whether an idle connection has ended."""
        if info == "ssl_object":
            return self._connection if isinstance(self._connection, ssl.SSLSocket) else None
        if info == "is_readable":
            if self._connection.fileno() < 0:
                return True
            poll = select.poll()
            poll.register(self._connection, select.POLLIN)
            return bool(poll.poll(0))
        return None

    async def _when_ready(self, attempt: Callable[[], T], *, writing: bool) -> T:
        """The result of `attempt`, tried again whenever the socket is ready for what it lacked."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return attempt()
            except ssl.SSLWantReadError:
                add, remove = loop.add_reader, loop.remove_reader
            except ssl.SSLWantWriteError:
                add, remove = loop.add_writer, loop.remove_writer
            except BlockingIOError:
                add = loop.add_writer if writing else loop.add_reader
                remove = loop.remove_writer if writing else loop.remove_reader
            ready = asyncio.Event()
            descriptor = self._connection.fileno()
            add(descriptor, ready.set)
            try:
                await ready.wait()
            finally:
                remove(descriptor)

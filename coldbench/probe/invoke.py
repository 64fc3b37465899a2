"""One traced invocation with httpx.

Requests go through httpx's transport, not its client: a transport follows no redirect, keeps no cookie,
retries nothing, decodes nothing and reads no proxy from the environment. Instants are those at which bytes
moved (`probe.network`).
"""

import asyncio
import socket
import ssl
from functools import cache
from time import monotonic_ns
from types import TracebackType
from typing import Any, Self

import httpcore
import httpx
from msgspec import Struct, field

from coldbench.core.invocation import Error, Evidence, Invocation
from coldbench.core.request import ID_HEADER, address, request_fields, request_target
from coldbench.core.target import Target
from coldbench.evidence.headers import Headers, from_pairs, parse_head
from coldbench.evidence.read import read
from coldbench.probe.errors import why
from coldbench.probe.network import Instants, Network

_BODY_START_BYTES = 200
_MOST_BODY_BYTES = 64 * 1024 * 1024
_LAST_CHUNK = b"\r\n0\r\n"  # RFC 9112, 7.1


class Caller:
    """Invokes one target over one connection at a time; invocations that overlap need a caller each."""

    def __init__(self, target: Target, run_id: str, zero_ns: int) -> None:
        """`zero_ns` is the run's beginning on the monotonic clock. Raises UsageError for a bad URL."""
        self._target = target
        self._run_id = run_id
        self._zero_ns = zero_ns
        self._where = address(target.endpoint)
        self._fields = request_fields(target)
        self._path = request_target(target).encode("latin-1")
        self._tls = _tls_context(verify=target.verify_tls)
        self._transport: _Transport | None = None
        # Of the latest answer: its protocol, and its header fields with their names as they were sent.
        self.http_version = ""
        self.answer_fields: list[tuple[str, str]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._transport is not None:
            transport, self._transport = self._transport, None
            await transport.aclose()

    async def invoke(self, seq: int, *, phase: str, intended_ns: int, fresh: bool) -> Invocation:
        """Send one request and read its whole answer; a failure is a fact of the result, never raised.

        `fresh` closes the connection first. The one that the answer came over is kept for the next call.
        A caller cancelled in the middle leaves no connection behind. `intended_ns` is on the run's clock.
        """
        if fresh:
            await self.close()
        exchange = _Exchange(started_ns=monotonic_ns())
        try:
            async with asyncio.timeout(self._target.timeout_ns / 1e9):
                await self._exchange(exchange, seq)
        except (TimeoutError, OSError, httpx.TransportError) as failure:
            exchange.fail(failure)
        finally:
            if not exchange.whole:
                await self.close()
        return self._fact(exchange, seq, phase, intended_ns)

    async def _exchange(self, exchange: "_Exchange", seq: int) -> None:
        if self._transport is None:
            await self._dial_and_send(exchange, seq)
        else:
            await self._send(self._transport, exchange, seq)

    async def _dial_and_send(self, exchange: "_Exchange", seq: int) -> None:
        """Over a new connection, to the first of the host's addresses that takes one."""
        began = monotonic_ns()
        addresses = await self._look_up()
        exchange.dns_ns = monotonic_ns() - began
        for number, (family, *_, where) in enumerate(addresses, 1):
            self._transport = _Transport(Network(family, where), self._tls, http2=self._target.http2)
            try:
                await self._send(self._transport, exchange, seq)
                return
            except httpx.ConnectError:
                # Nothing was sent yet, so that another address is no retry of the invocation.
                await self.close()
                if exchange.instants.connect_ns is not None or number == len(addresses):
                    raise

    async def _look_up(self) -> list[tuple[Any, ...]]:
        """The host's addresses in the system's order of preference; raises socket.gaierror."""
        host, port = self._where.host, self._where.port
        host = self._target.resolve.get(f"{host}:{port}", host)
        try:
            # An address is no name: nothing is looked up, and no thread has to be waited for.
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            loop = asyncio.get_running_loop()
            return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)

    async def _send(self, transport: "_Transport", exchange: "_Exchange", seq: int) -> None:
        exchange.begin(transport.network.instants)
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self._fields]
        if self._target.send_id:
            fields.append((ID_HEADER.encode(), f"{self._run_id}-{seq}".encode()))
        request = httpx.Request(
            self._target.method,
            httpx.URL(
                scheme="https" if self._where.tls else "http", host=self._where.host, port=self._where.port
            ),
            headers=fields,
            content=self._target.body or None,
            extensions={"trace": exchange.trace, "target": self._path},
        )
        response = await transport.handle_async_request(request)
        self.http_version = response.http_version
        self.answer_fields = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in response.headers.raw]
        exchange.status = response.status_code
        exchange.fields = response.headers.multi_items()
        try:
            async for chunk in response.aiter_raw():
                exchange.take(chunk)
                if exchange.error is not None:
                    exchange.end_ns = monotonic_ns()
                    return
        finally:
            await response.aclose()
        exchange.end()

    def _fact(self, exchange: "_Exchange", seq: int, phase: str, intended_ns: int) -> Invocation:
        instants = exchange.instants

        def on_run_clock(at_ns: int | None) -> int | None:
            return None if at_ns is None else at_ns - self._zero_ns

        return Invocation(
            seq=seq,
            target=self._target.name,
            phase=phase,
            intended_ns=intended_ns,
            started_ns=on_run_clock(exchange.started_ns),
            sent_ns=on_run_clock(exchange.sent_ns),
            first_byte_ns=on_run_clock(exchange.first_byte_ns),
            end_ns=on_run_clock(exchange.end_ns),
            dns_ns=exchange.dns_ns,
            connect_ns=None if exchange.reused else instants.connect_ns,
            tls_ns=None if exchange.reused else instants.tls_ns,
            reused=None if exchange.sent_ns is None else exchange.reused,
            status=exchange.status,
            error=exchange.error,
            body_bytes=None if exchange.status is None else exchange.body_bytes,
            evidence=self._evidence(exchange),
        )

    def _evidence(self, exchange: "_Exchange") -> Evidence:
        if exchange.status is None:
            return Evidence()
        return read(
            exchange.headers(),
            status=exchange.status,
            cold_header=self._target.cold_header,
            instance_header=self._target.instance_header,
            body_start=bytes(exchange.body_start),
        )


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's transport over a network of ours: httpx takes none, the pool under it does."""

    def __init__(self, network: Network, tls: ssl.SSLContext, *, http2: bool) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls, max_connections=1, http2=http2, network_backend=network
        )
        self.network = network


class _Exchange(Struct, kw_only=True):
    """What is known of an invocation so far; instants on the monotonic clock."""

    started_ns: int
    first_byte_ns: int | None = None
    end_ns: int | None = None
    dns_ns: int | None = None
    instants: Instants = field(default_factory=Instants)  # of its connection
    connections_before: int = 0
    status: int | None = None
    fields: list[tuple[str, str]] = []
    body_bytes: int = 0
    body_start: bytearray = bytearray()
    error: Error | None = None
    whole: bool = False

    def begin(self, instants: Instants) -> None:
        """It goes over the connection of these instants."""
        self.instants, self.connections_before = instants, instants.connections
        instants.next_exchange()

    @property
    def sent_ns(self) -> int | None:
        return self.instants.sent_ns

    @property
    def reused(self) -> bool:
        """A kept connection that the peer has closed in silence is not: httpcore dials anew."""
        return 0 < self.connections_before == self.instants.connections

    async def trace(self, event: str, info: dict[str, object]) -> None:
        """Takes httpcore's trace events (https://www.encode.io/httpcore/extensions/#trace)."""
        protocol, _, what = event.partition(".")
        if what == "send_request_headers.started":
            self.instants.next_exchange()  # what HTTP/2 sent before was the connection's own
        elif what == "receive_response_headers.complete":
            # What HTTP/2 sent before the head is the connection's own; of HTTP/1.1 all is the answer.
            instants = self.instants
            self.first_byte_ns = instants.last_read_ns if protocol == "http2" else instants.first_read_ns

    def take(self, chunk: bytes) -> None:
        """A part of the body, as it was on the wire (RFC 9112 chunk framing removed)."""
        self.body_bytes += len(chunk)
        self.body_start += chunk[: _BODY_START_BYTES - len(self.body_start)]
        if self.body_bytes > _MOST_BODY_BYTES:
            self.error = Error.TOO_LARGE

    def end(self) -> None:
        """The whole answer has come."""
        self.end_ns = self.instants.last_read_ns
        self.whole = True

    def fail(self, failure: BaseException) -> None:
        """It ends without a whole answer."""
        self.end_ns = monotonic_ns()
        if not self.instants.connections and self.dns_ns is None:
            self.error = Error.DNS
            return
        self.error = why(
            failure,
            connected=self.instants.connect_ns is not None,
            secured=self.sent_ns is not None,
            answering=self.first_byte_ns is not None,
            reused=self.reused,
        )

    def headers(self) -> Headers:
        """The header fields, and the trailers of a chunked HTTP/1.1 answer, which httpcore drops."""
        headers = from_pairs(self.fields)
        if self.whole and "chunked" in headers.get("transfer-encoding", ()):
            *_, trailers = self.instants.tail.rpartition(_LAST_CHUNK)
            for name, values in parse_head(trailers).items():
                headers.setdefault(name, []).extend(values)
        return headers


@cache
def _tls_context(*, verify: bool) -> ssl.SSLContext:
    """The system's trust, as the engine's. One for all callers: reading it takes some 20 ms."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

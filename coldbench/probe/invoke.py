"""One traced invocation with httpx.

Requests go through httpx's transport, not its client: a transport follows no redirect, keeps no cookie,
retries nothing, decodes nothing and reads no proxy from the environment.
"""

import asyncio
import ssl
from functools import cache
from socket import SOCK_STREAM
from time import monotonic_ns
from types import TracebackType
from typing import Self

import httpx
from msgspec import Struct

from coldbench.core.invocation import Error, Evidence, Invocation
from coldbench.core.request import ID_HEADER, address, request_fields, request_target
from coldbench.core.target import Target
from coldbench.evidence.headers import from_pairs
from coldbench.evidence.read import read
from coldbench.probe.errors import why

_BODY_START_BYTES = 200
_MOST_BODY_BYTES = 64 * 1024 * 1024


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
        self._transport: httpx.AsyncHTTPTransport | None = None
        self._ip = ""  # of the connection that is open

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
            exchange.error = exchange.why(failure)
            exchange.end_ns = monotonic_ns()
        finally:
            if not exchange.whole:
                await self.close()
        return self._fact(exchange, seq, phase, intended_ns)

    async def _exchange(self, exchange: "_Exchange", seq: int) -> None:
        if self._transport is None:
            await self._dial_and_send(exchange, seq)
        else:
            await self._send(exchange, seq)

    async def _dial_and_send(self, exchange: "_Exchange", seq: int) -> None:
        """Over a new connection, to the first of the host's addresses that takes one."""
        began = monotonic_ns()
        addresses = await self._look_up()
        exchange.dns_ns = monotonic_ns() - began
        for number, ip in enumerate(addresses, 1):
            self._ip = ip
            self._transport = httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False)
            try:
                await self._send(exchange, seq)
                return
            except httpx.ConnectError:
                # Nothing was sent yet, so that another address is no retry of the invocation.
                await self.close()
                if exchange.connect_ns is not None or number == len(addresses):
                    raise

    async def _look_up(self) -> list[str]:
        """The host's addresses in the system's order of preference; raises socket.gaierror."""
        host, port = self._where.host, self._where.port
        host = self._target.resolve.get(f"{host}:{port}", host)
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
        return [str(where[0]) for *_, where in found]

    async def _send(self, exchange: "_Exchange", seq: int) -> None:
        assert self._transport is not None
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self._fields]
        if self._target.send_id:
            fields.append((ID_HEADER.encode(), f"{self._run_id}-{seq}".encode()))
        request = httpx.Request(
            self._target.method,
            httpx.URL(scheme="https" if self._where.tls else "http", host=self._ip, port=self._where.port),
            headers=fields,
            content=self._target.body or None,
            # The address is in the URL, so that the host's name has to be given for SNI and the certificate.
            extensions={
                "trace": exchange.trace, "target": self._path, "sni_hostname": self._where.host,
            },
        )  # fmt: skip
        response = await self._transport.handle_async_request(request)
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
        exchange.whole = True

    def _fact(self, exchange: "_Exchange", seq: int, phase: str, intended_ns: int) -> Invocation:
        zero = self._zero_ns
        return Invocation(
            seq=seq,
            target=self._target.name,
            phase=phase,
            intended_ns=intended_ns,
            started_ns=exchange.started_ns - zero,
            sent_ns=None if exchange.sent_ns is None else exchange.sent_ns - zero,
            first_byte_ns=None if exchange.first_byte_ns is None else exchange.first_byte_ns - zero,
            end_ns=None if exchange.end_ns is None else exchange.end_ns - zero,
            dns_ns=exchange.dns_ns,
            connect_ns=exchange.connect_ns,
            tls_ns=exchange.tls_ns,
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
            from_pairs(exchange.fields),
            status=exchange.status,
            cold_header=self._target.cold_header,
            instance_header=self._target.instance_header,
            body_start=bytes(exchange.body_start),
        )


class _Exchange(Struct, kw_only=True):
    """What is known of an invocation so far; instants on the monotonic clock."""

    started_ns: int
    sent_ns: int | None = None
    first_byte_ns: int | None = None
    end_ns: int | None = None
    dns_ns: int | None = None
    connect_ns: int | None = None
    tls_ns: int | None = None
    connect_began_ns: int = 0
    tls_began_ns: int = 0
    status: int | None = None
    fields: list[tuple[str, str]] = []
    body_bytes: int = 0
    body_start: bytearray = bytearray()
    error: Error | None = None
    whole: bool = False

    @property
    def reused(self) -> bool:
        return self.connect_ns is None

    def why(self, failure: BaseException) -> Error:
        """The name of what ended it."""
        if self.dns_ns is None and self.sent_ns is None:
            return Error.DNS
        return why(
            failure,
            connected=self.connect_ns is not None or self.sent_ns is not None,
            secured=self.sent_ns is not None,
            answering=self.first_byte_ns is not None,
            reused=self.reused,
        )

    def take(self, chunk: bytes) -> None:
        """A part of the body, as it was on the wire (RFC 9112 chunk framing removed)."""
        self.body_bytes += len(chunk)
        self.body_start += chunk[: _BODY_START_BYTES - len(self.body_start)]
        if self.body_bytes > _MOST_BODY_BYTES:
            self.error = Error.TOO_LARGE

    async def trace(self, event: str, info: dict[str, object]) -> None:
        """Takes httpcore's trace events (https://www.encode.io/httpcore/extensions/#trace).

        It has none for the first byte: the end of the final response's head is the nearest there is.
        """
        now = monotonic_ns()
        match event.partition(".")[2]:
            case "connect_tcp.started":
                self.connect_began_ns = now
            case "connect_tcp.complete":
                self.connect_ns = now - self.connect_began_ns
            case "start_tls.started":
                self.tls_began_ns = now
            case "start_tls.complete":
                self.tls_ns = now - self.tls_began_ns
            case "send_request_headers.started":
                self.sent_ns = now
            case "receive_response_headers.complete":
                self.first_byte_ns = now
            case "receive_response_body.complete":
                self.end_ns = now


@cache
def _tls_context(*, verify: bool) -> ssl.SSLContext:
    """The system's trust, as the engine's. One for all callers: reading it takes some 20 ms."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

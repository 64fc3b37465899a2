"""One traced invocation with httpx.

Requests go through httpx's transport, not its client: a transport follows no redirect, keeps no cookie,
retries nothing, decodes nothing and reads no proxy from the environment. Instants are those at which bytes
moved (`probe.network`).
"""

import asyncio
import socket
from contextlib import suppress
from time import monotonic_ns
from types import TracebackType
from typing import Any, Self

import httpcore
import httpx

from coldbench.core.invocation import Error, Evidence, Invocation
from coldbench.core.request import ID_HEADER, address, request_target
from coldbench.core.secrets import secrets_of
from coldbench.core.target import Target
from coldbench.evidence.read import read
from coldbench.evidence.recognise import platform_of
from coldbench.probe.exchange import Exchange
from coldbench.probe.network import Network
from coldbench.probe.transport import Transport, tls_context
from coldbench.targets.signing import signer

_VERSIONS = ("HTTP/1.0", "HTTP/1.1", "HTTP/2")
_LENGTHS = {"content-length", "transfer-encoding"}  # both at once contradict (RFC 9112, 6.3)

# Of each body, for the report ("a 200 is not always the function").
_BODY_START_BYTES = 200


class Caller:
    """Invokes one target over one connection at a time; invocations that overlap need a caller each."""

    def __init__(self, target: Target, run_id: str, zero_ns: int) -> None:
        """`zero_ns` is the run's beginning on the monotonic clock. Raises UsageError for a bad URL."""
        self._target = target
        self._run_id = run_id
        self._zero_ns = zero_ns
        self._where = address(target.endpoint)
        self._sign = signer(target)
        self._secrets = secrets_of(target)
        self._path = request_target(target).encode("latin-1")
        self._tls = tls_context(verify=target.verify_tls)
        self._transport: Transport | None = None
        self._bare: httpcore.AsyncNetworkStream | None = None
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
        if self._bare is not None:
            bare, self._bare = self._bare, None
            await bare.aclose()
        if self._transport is not None:
            transport, self._transport = self._transport, None
            await transport.aclose()

    async def connect(self, within_ns: int) -> bool:
        """Open a connection as a call would, and send nothing over it; whether it stands. It is closed by
        `close`, or by a call on a fresh connection.
        """
        try:
            async with asyncio.timeout(min(within_ns, self._target.timeout_ns) / 1e9):
                for family, *_, where in await self._look_up():
                    network = Network(family, where)
                    with suppress(httpcore.ConnectError):
                        self._bare = await network.connect_tcp(self._where.host, self._where.port)
                        break
                if self._bare is not None and self._where.tls:
                    self._bare = await self._bare.start_tls(self._tls, self._where.host)
        except (TimeoutError, OSError, httpcore.ConnectError):
            await self.close()
        return self._bare is not None

    async def invoke(self, seq: int, *, phase: str, intended_ns: int, fresh: bool) -> Invocation:
        """Send one request and read its whole answer; a failure is a fact of the result, never raised.

        `fresh` closes the connection first. The one that the answer came over is kept for the next call.
        A caller cancelled in the middle leaves no connection behind. `intended_ns` is on the run's clock.
        """
        if fresh:
            await self.close()
        self._fields = self._sign()
        kept = max(_BODY_START_BYTES, self._target.body_bytes_wanted)
        exchange = Exchange(started_ns=monotonic_ns(), keep_body_bytes=kept, tls=self._where.tls)
        try:
            async with asyncio.timeout(self._target.timeout_ns / 1e9):
                await self._exchange(exchange, seq)
        except (TimeoutError, OSError, httpx.TransportError) as failure:
            exchange.fail(failure)
        finally:
            if not exchange.whole:
                await self.close()
        return self._fact(exchange, seq, phase, intended_ns)

    async def _exchange(self, exchange: Exchange, seq: int) -> None:
        if self._transport is None:
            await self._dial_and_send(exchange, seq)
        else:
            await self._send(self._transport, exchange, seq)

    async def _dial_and_send(self, exchange: Exchange, seq: int) -> None:
        """Over a new connection, to the first of the host's addresses that takes one."""
        began = monotonic_ns()
        addresses = await self._look_up()
        exchange.dns_ns = monotonic_ns() - began
        for number, (family, *_, where) in enumerate(addresses, 1):
            self._transport = Transport(Network(family, where), self._tls, http2=self._target.http2)
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

    async def _send(self, transport: Transport, exchange: Exchange, seq: int) -> None:
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
        if self.http_version not in _VERSIONS or response.headers.keys() >= _LENGTHS:
            # As the engine has it; h11 is more lenient.
            exchange.error, exchange.end_ns = Error.PROTOCOL, monotonic_ns()
            await response.aclose()
            return
        try:
            async for chunk in response.aiter_raw():
                exchange.take(chunk)
                if exchange.error is not None:
                    exchange.end_ns = monotonic_ns()
                    return
        finally:
            await response.aclose()
        exchange.end()

    def _fact(self, exchange: Exchange, seq: int, phase: str, intended_ns: int) -> Invocation:
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

    def _evidence(self, exchange: Exchange) -> Evidence:
        if exchange.status is None:
            return Evidence()
        headers, body_start = exchange.headers(), bytes(exchange.body_start)
        return read(
            headers,
            status=exchange.status,
            cold_header=self._target.cold_header,
            instance_header=self._target.instance_header,
            expect_status=self._target.expect_status,
            expected_body=self._target.as_expected(body_start),
            body_start=body_start[: self._target.evidence_body_bytes or _BODY_START_BYTES],
            api=self._target.api,
            platform=self._target.api or platform_of(headers, self._where.host, self._target.platforms),
            platforms=self._target.platforms,
            secrets=self._secrets,
        )

"""Endpoints that break every rule, one behaviour each: what they do, and what must be said of it."""

import asyncio
import gzip
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import trustme
from msgspec import Struct

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Case(Struct, frozen=True):
    """`outcome` is an error's name or a status (`a|b` where it depends on whose packet is first); `verdict`
    is what must be said of it once it was sent. `by_probe` is the probe's outcome where it is another one: its
    parser waits for the end of a line before it judges what is none of HTTP."""

    name: str
    outcome: str
    behave: Behave
    tls: str | None = None
    verdict: str = "unknown"
    by_probe: str | None = None


async def _request(reader: asyncio.StreamReader) -> None:
    await reader.readuntil(b"\r\n\r\n")


def _then_close(data: bytes) -> Behave:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(data)
        await writer.drain()

    return behave


def _then_hang(data: bytes) -> Behave:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(60)

    return behave


def _endlessly(start: bytes, again: bytes, *, pause_s: float = 0.0) -> Behave:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(start)
        while True:
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return behave


def _reset_after(data: bytes, *, read: bool = True) -> Behave:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if read:
            await _request(reader)
        writer.write(data)
        await writer.drain()
        # Linger of 0: close() sends RST instead of FIN.
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return behave


async def _answer_anything(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def _drop_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept and close."""


_BOMB = gzip.compress(bytes(10_000_000))

CASES = [
    Case("answers nothing and hangs", "timeout", _then_hang(b"")),
    Case("answers nothing and closes", "closed", _then_close(b"")),
    Case("half a status line, then closes", "closed", _then_close(b"HTTP/1.1 20")),
    Case("half a status line, then hangs", "timeout", _then_hang(b"HTTP/1.1 20")),
    Case("half a header, then closes", "closed", _then_close(b"HTTP/1.1 200 OK\r\nContent-Le")),
    Case("headers without an end", "too_large", _endlessly(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 900 + b"\r\n")),
    Case("one header without an end", "too_large", _endlessly(b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 4096)),
    Case("a flood of interim responses", "too_large", _endlessly(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40)),
    Case("a body without an end", "too_large", _endlessly(b"HTTP/1.1 200 OK\r\n\r\n", bytes(1 << 18))),
    Case("a chunked body without an end", "too_large",
         _endlessly(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"40000\r\n" + bytes(1 << 18) + b"\r\n")),
    Case("a body of a byte now and then", "timeout",
         _endlessly(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b"a", pause_s=0.3)),
    Case("a body of 10 GB announced, little sent", "timeout", _then_hang(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\nhi")),
    Case("a gzip bomb, left packed", "200",
         _then_close(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(_BOMB) + _BOMB)),
    Case("a body shorter than announced", "closed", _then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")),
    Case("a body longer than announced", "200", _then_close(OK + b"and more")),
    Case("a negative length", "protocol", _then_close(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello")),
    Case("a length that is no number", "protocol", _then_close(b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello")),
    Case("a length above 64 bits", "protocol", _then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n")),
    Case("two lengths", "protocol", _then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello")),
    Case("length and chunks at once", "protocol",
         _then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
    Case("a chunk size that is no number", "protocol", _then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n")),
    Case("a chunk longer than it says", "protocol", _then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n")),
    Case("a chunk shorter than it says", "closed", _then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello\r\n")),
    Case("chunks without a last one", "closed", _then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")),
    Case("bytes that are no UTF-8 in headers", "200", _then_close(b"HTTP/1.1 200 OK\r\nX-A: \xff\xfe\x80\r\nContent-Length: 0\r\n\r\n")),
    Case("escape sequences in headers and body", "200",
         _then_close(b"HTTP/1.1 200 OK\r\nX-A: [red]rich[/red]\r\nContent-Length: 15\r\n\r\n\x1b[31mred\x1b[0m \x07\x08")),
    Case("control bytes in a header", "protocol", _then_close(b"HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 0\r\n\r\n")),
    Case("a header split by a bare return", "protocol", _then_close(b"HTTP/1.1 200 OK\r\nX-A: a\rX-B: b\r\nContent-Length: 0\r\n\r\n")),
    Case("a header without a name", "protocol", _then_close(b"HTTP/1.1 200 OK\r\n: nothing\r\nContent-Length: 0\r\n\r\n")),
    Case("evidence that is nonsense", "200",
         _then_close(b"HTTP/1.1 200 OK\r\nServer-Timing: init;dur=NaN, age;dur=-1, seq;desc=\"x\", inst;desc=\"\", ,;;=\r\n"
                     b"X-Cold-Start: maybe\r\nX-Init-Duration-Ms: 1e999\r\nContent-Length: 0\r\n\r\n")),
    Case("a redirect to itself", "302", _then_close(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), verdict="discarded"),
    Case("a refusal with Retry-After", "429", _then_close(b"HTTP/1.1 429 Too Many\r\nRetry-After: 9999999\r\nContent-Length: 0\r\n\r\n"), verdict="throttled"),
    Case("unavailable with Retry-After", "503", _then_close(b"HTTP/1.1 503 No\r\nRetry-After: 9999999\r\nContent-Length: 0\r\n\r\n"), verdict="discarded"),
    Case("HTTP/0.9", "protocol", _then_close(b"<html>hello</html>"), by_probe="closed"),
    Case("HTTP/2 where 1.1 was asked for", "protocol", _then_close(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00")),
    Case("a version that does not exist", "protocol", _then_close(b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n")),
    Case("another protocol", "protocol", _then_close(b"220 mail.example.com ESMTP\r\n"), by_probe="closed"),
    Case("a switch of protocols", "protocol", _then_close(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")),
    Case("a status of 999", "999", _then_close(b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n")),
    Case("accepts and drops", "closed|reset", _drop_at_once),
    Case("resets before the request is read", "reset", _reset_after(b"", read=False), by_probe="closed|reset"),
    Case("resets instead of an answer", "reset", _reset_after(b"")),
    Case("resets within the headers", "reset", _reset_after(b"HTTP/1.1 200 OK\r\nConte")),
    Case("resets within the body", "reset", _reset_after(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")),
    Case("a certificate of nobody", "tls", _then_close(OK), tls="self-signed", verdict="discarded"),
    Case("a certificate for another host", "tls", _then_close(OK), tls="wrong host", verdict="discarded"),
    Case("a certificate of the past", "tls", _then_close(OK), tls="expired", verdict="discarded"),
    Case("a handshake that stalls", "tls_timeout", _then_hang(b""), tls="stalls", verdict="discarded"),
    Case("plain HTTP on a TLS port", "tls", _answer_anything, tls="plain", verdict="discarded"),
]  # fmt: skip


@contextmanager
def serve(cases: list[Case]) -> Iterator[list[str]]:
    """A listener for each case; their URLs."""
    ready = threading.Event()
    urls: list[str] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with _listeners(cases) as found:
            urls.extend(found)
            ready.set()
            await stop.wait()

    def thread() -> None:
        loop.run_until_complete(run())
        loop.close()

    serving = threading.Thread(target=thread)
    serving.start()
    ready.wait()
    try:
        yield urls
    finally:
        loop.call_soon_threadsafe(stop.set)
        serving.join()


@asynccontextmanager
async def _listeners(cases: list[Case]) -> AsyncIterator[list[str]]:
    tasks: set[asyncio.Task[None]] = set()
    servers, urls = [], []
    for case in cases:

        async def connected(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, case: Case = case
        ) -> None:
            task = asyncio.current_task()
            assert task
            tasks.add(task)
            try:
                await case.behave(reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass  # the client has had enough, or the test has ended
            finally:
                tasks.discard(task)
                writer.close()

        context = _certificate(case.tls) if case.tls not in (None, "stalls", "plain") else None
        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context, limit=1 << 20)
        servers.append(server)
        scheme = "http" if case.tls is None else "https"
        urls.append(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    yield urls
    for server in servers:
        server.close()
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _certificate(kind: str | None) -> ssl.SSLContext:
    from datetime import UTC, datetime

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority = trustme.CA()
    if kind == "wrong host":
        issued = authority.issue_cert("elsewhere.example")
    elif kind == "expired":
        issued = authority.issue_cert(
            "127.0.0.1",
            not_after=datetime(2020, 1, 1, tzinfo=UTC),
            not_before=datetime(2019, 1, 1, tzinfo=UTC),
        )
    else:
        issued = authority.issue_cert("127.0.0.1")
    issued.configure_cert(context)
    return context

"""One traced invocation against real sockets: what is recorded, and the name of what goes wrong."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from time import monotonic_ns

import pytest
import trustme

from coldbench.core.invocation import AnsweredBy, Error, Invocation
from coldbench.core.target import Target
from coldbench.probe.invoke import Caller
from tests.e2e.http2_server import http2_server
from tests.e2e.raw_server import Pieces, Visit, ok, raw_server


async def hello(visit: Visit) -> bytes:
    return ok(b"hello", b"Server-Timing: exec;dur=1")


def invoke(target: Target, *fresh: bool) -> list[Invocation]:
    """One call after the other over one caller, each on a fresh or a kept connection."""

    async def calls() -> list[Invocation]:
        zero = monotonic_ns()
        async with Caller(target, "run", zero) as caller:
            return [
                await caller.invoke(
                    seq, phase="0:pair", intended_ns=monotonic_ns() - zero, fresh=fresh_connection
                )
                for seq, fresh_connection in enumerate(fresh)
            ]

    return asyncio.run(calls())


def target(url: str, **fields: object) -> Target:
    return Target(name="f", url=url, endpoint=url, **fields)  # type: ignore[arg-type]


@pytest.fixture
def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("function.example").configure_cert(context)
    return context


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that refuses: bound, never listening."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_the_instants_come_in_order_and_the_answer_is_read() -> None:
    with raw_server(hello) as server:
        (one,) = invoke(target(server.url), True)
    assert one.completed
    assert (one.status, one.body_bytes, one.reused, one.tls_ns) == (200, 5, False, None)
    assert one.started_ns is not None
    assert one.sent_ns is not None
    assert one.first_byte_ns is not None
    assert one.end_ns is not None
    assert one.dns_ns is not None
    assert one.connect_ns is not None
    assert one.intended_ns <= one.started_ns
    assert one.started_ns + one.dns_ns + one.connect_ns <= one.sent_ns
    assert one.sent_ns < one.first_byte_ns <= one.end_ns
    assert one.evidence.raw["server-timing"] == "exec;dur=1"
    assert one.evidence.raw[":body"] == "hello"


def test_a_connection_is_fresh_or_kept_as_asked() -> None:
    with raw_server(hello) as server:
        calls = invoke(target(server.url), True, False, False, True, False)
    assert [call.reused for call in calls] == [False, True, True, False, True]
    assert [call.connect_ns is None for call in calls] == [False, True, True, False, True]
    assert [call.dns_ns is None for call in calls] == [False, True, True, False, True]
    assert [visit.connection for visit in server.visits] == [1, 1, 1, 2, 2]


def test_the_request_goes_out_as_given() -> None:
    with raw_server(hello) as server:
        asked = target(
            server.url + "todos?x=%31&y",
            method="POST",
            body=b"{}",
            headers=(("X-Mine", "yes"), ("Host", "h")),
        )
        invoke(asked, True)
        invoke(target(server.url, send_id=False), True)
    posted, plain = (visit.head for visit in server.visits)
    assert posted.startswith(b"POST /todos?x=%31&y HTTP/1.1\r\n")
    assert b"\r\nX-Mine: yes\r\n" in posted
    assert b"\r\nHost: h\r\n" in posted
    assert b"\r\nContent-Length: 2\r\n" in posted
    assert b"\r\nX-Coldbench-Id: run-0\r\n" in posted
    assert b"coldbench-id" not in plain.lower()
    assert server.visits[0].body == b"{}"


def test_a_resolved_name_keeps_its_host_and_server_name(tls: ssl.SSLContext) -> None:
    names: list[str | None] = []
    tls.sni_callback = lambda sock, name, context: names.append(name)  # type: ignore[assignment]
    with raw_server(hello, tls=tls) as server:
        there = target(
            f"https://function.example:{server.port}/",
            resolve={f"function.example:{server.port}": "127.0.0.1"},
            verify_tls=False,
        )
        (one,) = invoke(there, True)
    assert one.completed
    assert one.tls_ns
    assert names == ["function.example"]
    assert f"\r\nHost: function.example:{server.port}\r\n".encode() in server.visits[0].head


def test_an_unknown_certificate_is_an_error_before_anything_is_sent(tls: ssl.SSLContext) -> None:
    with raw_server(hello, tls=tls) as server:
        (one,) = invoke(target(server.url), True)
    assert one.error is Error.TLS
    assert one.sent_ns is None
    assert one.connect_ns is not None
    assert not server.visits


def test_nothing_is_followed_kept_or_retried() -> None:
    async def redirect(visit: Visit) -> bytes:
        return b"HTTP/1.1 302 Found\r\nLocation: /there\r\nSet-Cookie: AWSALB=x\r\nContent-Length: 0\r\n\r\n"

    with raw_server(redirect) as server:
        calls = invoke(target(server.url), True, False)
    assert [call.status for call in calls] == [302, 302]
    assert len(server.visits) == 2
    assert not any(b"cookie" in visit.head.lower() for visit in server.visits)


def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch, dead_port: int) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{dead_port}")
    with raw_server(hello) as server:
        (one,) = invoke(target(server.url), True)
    assert one.completed


def test_a_cache_that_answers_is_told_from_the_function() -> None:
    async def cached(visit: Visit) -> bytes:
        return ok(b"old", b"Age: 30", b"X-Cache: HIT")

    with raw_server(cached) as server:
        (one,) = invoke(target(server.url), True)
    assert one.evidence.answered_by is AnsweredBy.CACHE


def test_refused(dead_port: int) -> None:
    (one,) = invoke(target(f"http://127.0.0.1:{dead_port}/"), True)
    assert one.error is Error.REFUSED
    assert one.sent_ns is None
    assert one.reused is None


def test_a_name_without_an_address() -> None:
    (one,) = invoke(target("http://no-such-host.invalid/"), True)
    assert one.error is Error.DNS


def test_a_bare_connection_is_to_the_first_address_that_takes_one(
    monkeypatch: pytest.MonkeyPatch, dead_port: int
) -> None:
    async def connected() -> list[bool]:
        async with Caller(target(server.url), "run", monotonic_ns()) as caller:
            stands = await caller.connect(10**9)
            one = await caller.invoke(0, phase="0:connected", intended_ns=0, fresh=True)
            return [stands, one.completed]

    async def addresses(_: Caller) -> list[tuple[object, ...]]:
        ports = dead_port, server.port
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

    monkeypatch.setattr(Caller, "_look_up", addresses)
    with raw_server(hello) as server:
        assert asyncio.run(connected()) == [True, True]
        assert server.connections == 2


def test_a_silent_server_is_a_timeout_and_a_trickling_one_too() -> None:
    async def silent(visit: Visit) -> bytes:
        await asyncio.sleep(60)
        return b""

    async def trickling(visit: Visit) -> Pieces:
        return Pieces([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"])

    for reply in (silent, trickling):
        with raw_server(reply) as server:
            (one,) = invoke(target(server.url, timeout_ns=300_000_000), True)
        assert one.error is Error.TIMEOUT
        assert one.sent_ns is not None


def test_a_peer_that_leaves_early() -> None:
    async def gone(visit: Visit) -> None:
        return None

    async def cut_short(visit: Visit) -> Pieces:
        return Pieces([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"], close=True)

    for reply in (gone, cut_short):
        with raw_server(reply) as server:
            (one,) = invoke(target(server.url), True)
        assert one.error is Error.CLOSED


def test_a_kept_connection_that_died_is_stale_and_the_next_call_dials_anew() -> None:
    async def once(visit: Visit) -> bytes | None:
        return None if visit.number > 1 else ok(b"hello")

    with raw_server(once) as server:
        first, second, third = invoke(target(server.url), True, False, False)
    assert first.completed
    assert (second.error, second.reused) == (Error.STALE_REUSE, True)
    assert third.completed
    assert third.reused is False


def test_what_is_no_http() -> None:
    async def other(visit: Visit) -> Pieces:
        return Pieces([b"SSH-2.0-x\r\n\r\n"], close=True)

    with raw_server(other) as server:
        (one,) = invoke(target(server.url), True)
    assert one.error is Error.PROTOCOL


def test_the_trailers_of_a_chunked_answer_are_evidence() -> None:
    async def chunked(visit: Visit) -> bytes:
        return (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Server-Timing\r\n\r\n"
            b'5\r\nhello\r\n0\r\nServer-Timing: exec;dur=7, seq;desc="1"\r\n\r\n'
        )

    with raw_server(chunked) as server:
        (one,) = invoke(target(server.url), True)
    assert one.completed
    assert one.body_bytes == 5
    assert one.evidence.raw["server-timing"] == 'exec;dur=7, seq;desc="1"'


def test_a_body_that_looks_like_trailers_is_none() -> None:
    async def whole(visit: Visit) -> bytes:
        return ok(b"x\r\n0\r\nServer-Timing: exec;dur=7\r\n\r\n")

    with raw_server(whole) as server:
        (one,) = invoke(target(server.url), True)
    assert "server-timing" not in one.evidence.raw


def test_a_connection_that_died_while_it_was_kept_is_dialled_anew_and_said_so() -> None:
    with raw_server(hello, close_after=1) as server:

        async def calls() -> list[Invocation]:
            zero = monotonic_ns()
            async with Caller(target(server.url), "run", zero) as caller:
                first = await caller.invoke(0, phase="0:pair", intended_ns=0, fresh=True)
                while server.open_now:
                    await asyncio.sleep(0.01)
                return [first, await caller.invoke(1, phase="0:pair", intended_ns=0, fresh=False)]

        first, second = asyncio.run(calls())
    assert first.completed
    assert second.completed
    assert second.reused is False
    assert second.connect_ns is not None


def test_http2_is_spoken_where_it_is_offered() -> None:
    with http2_server() as server:
        first, second = invoke(target(server.url, verify_tls=False, http2=True), True, False)
    assert first.completed, first
    assert (first.reused, second.reused) == (False, True)
    assert first.tls_ns
    assert first.sent_ns is not None
    assert first.first_byte_ns is not None
    assert first.end_ns is not None
    assert first.started_ns is not None
    assert first.connect_ns is not None
    assert first.started_ns + first.connect_ns + first.tls_ns <= first.sent_ns
    assert first.sent_ns < first.first_byte_ns <= first.end_ns
    assert first.body_bytes == 5
    assert first.evidence.raw["server-timing"] == "exec;dur=3"
    assert server.connections == 1
    assert [request[b"x-coldbench-id"] for request in server.requests] == [b"run-0", b"run-1"]


def test_a_server_that_went_away_while_a_connection_was_kept_refuses() -> None:
    async def calls() -> list[Invocation]:
        with raw_server(hello, close_after=1) as server:
            caller = Caller(target(server.url), "run", monotonic_ns())
            first = await caller.invoke(0, phase="0:pair", intended_ns=0, fresh=True)
            while server.open_now:
                await asyncio.sleep(0.01)
        async with caller:
            return [first, await caller.invoke(1, phase="0:pair", intended_ns=0, fresh=False)]

    first, second = asyncio.run(calls())
    assert first.completed
    assert second.error is Error.REFUSED
    assert second.connect_ns is None

"""The engine's response reader: framing, bounds, and no dependence on how the bytes were cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.invocation import Error
from coldbench.engine.response import MAX_BODY_BYTES, MAX_HEAD_BYTES, Response

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"

# bytes, whether the peer closes after them, -> status, body bytes, keep alive
WHOLE = [
    (OK, False, 200, 5, True),
    (CHUNKED + b"0\r\n\r\n", False, 200, 5, True),
    (CHUNKED + b"0;last=1\r\nServer-Timing: total;dur=5\r\n\r\n", False, 200, 5, True),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, False, 200, 5, True),
    (b"HTTP/1.1 204 No Content\r\n\r\n", False, 204, 0, True),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", False, 304, 0, True),
    (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", True, 200, 13, False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", False, 200, 2, False),
    (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", True, 200, 2, False),
    (OK + b"garbage", False, 200, 5, False),
    (OK + OK, False, 200, 5, False),
    (OK + b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", False, 200, 5, False),
    (OK + b"HTTP/1.1 200 O", False, 200, 5, False),
    (CHUNKED + b"0\r\n\r\n" + b"HTTP/1.1 200 O", False, 200, 5, False),
]
BROKEN = [
    (b"", True, None),
    (b"HTTP/1.1 200", True, None),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", True, None),  # truncated
    (CHUNKED, True, None),
    (CHUNKED + b"0\r\n", True, None),
    (b"HTTP/1.1 100 Continue\r\n\r\n", True, None),
    (b"SSH-2.0-OpenSSH_9.2\r\n", False, Error.PROTOCOL),
    (b"HTTP/2.0 200 OK\r\n\r\n", False, Error.PROTOCOL),
    (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", False, Error.PROTOCOL),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", False, Error.PROTOCOL),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", False, Error.PROTOCOL),
]


def read(data: bytes, *, closes: bool, cuts: list[int] | None = None, head: bool = False) -> Response:
    response = Response(head_request=head)
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts or [])})
    for begin, end in pairwise(edges):
        if response.error is None:
            response.feed(data[begin:end])
    if closes:
        response.end_of_stream()
    return response


@pytest.mark.parametrize(("data", "closes", "status", "body_bytes", "keep_alive"), WHOLE)
@given(cuts=st.lists(st.integers(0, 500)))
def test_whole(
    data: bytes, closes: bool, status: int, body_bytes: int, keep_alive: bool, cuts: list[int]
) -> None:
    response = read(data, closes=closes, cuts=cuts)
    assert response.complete
    assert response.error is None
    assert (response.status, response.body_bytes, response.keep_alive) == (status, body_bytes, keep_alive)
    assert response.head().startswith(b"HTTP/1.%d %d" % (data[7] - 48, status))
    assert b"\r\n\r\n" not in response.head()


@pytest.mark.parametrize(("data", "closes", "error"), BROKEN)
@given(cuts=st.lists(st.integers(0, 500)))
def test_broken(data: bytes, closes: bool, error: Error | None, cuts: list[int]) -> None:
    response = read(data, closes=closes, cuts=cuts)
    assert not response.complete
    assert response.error == error


@given(cuts=st.lists(st.integers(0, 500)))
def test_trailers(cuts: list[int]) -> None:
    data = CHUNKED + b"0\r\nServer-Timing: total;dur=5\r\nX-End: 1\r\n\r\n"
    assert read(data, closes=False, cuts=cuts).trailers() == b"Server-Timing: total;dur=5\r\nX-End: 1\r\n"
    assert read(CHUNKED + b"0\r\n\r\n", closes=False, cuts=cuts).trailers() == b""


@pytest.mark.parametrize("length", [b"0", b"5", b"70000"])
def test_head_has_no_body_and_the_connection_lives_on(length: bytes) -> None:
    response = Response(head_request=True)
    for _ in range(3):
        response.feed(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\n")
        assert response.complete
        assert response.keep_alive
        response.reset()


@given(st.lists(st.sampled_from([w[0] for w in WHOLE[:6]]), min_size=1), st.lists(st.integers(0, 900)))
def test_one_after_another_on_one_connection(responses: list[bytes], cuts: list[int]) -> None:
    response = Response(head_request=False)
    for data in responses:
        for byte in (data[: len(data) // 2], data[len(data) // 2 :]):
            response.feed(byte)
        assert response.complete
        assert response.keep_alive
        response.reset()


@pytest.mark.parametrize(
    "endless",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * MAX_HEAD_BYTES * 2,
        b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * MAX_HEAD_BYTES,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * MAX_HEAD_BYTES,
    ],
)
def test_the_head_is_bounded(endless: bytes) -> None:
    response = Response(head_request=False)
    fed = 0
    while response.error is None:
        response.feed(endless[fed : fed + 4096])
        fed += 4096
        assert fed <= MAX_HEAD_BYTES + 8192
    assert response.error == Error.TOO_LARGE


def test_the_body_is_bounded() -> None:
    response = Response(head_request=False)
    response.feed(b"HTTP/1.1 200 OK\r\n\r\n")
    fed = 0
    while response.error is None:
        response.feed(bytes(1 << 20))
        fed += 1 << 20
        assert fed <= MAX_BODY_BYTES + (1 << 20)
    assert response.error == Error.TOO_LARGE


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    response = Response(head_request=False)
    response.feed(data)
    response.end_of_stream()


def test_the_start_of_the_body_is_kept_when_asked() -> None:
    response = Response(head_request=False)
    response.keep_body_start = 3
    response.feed(OK)
    assert response.body_start == b"hel"


def test_a_body_that_a_head_request_must_not_have_is_no_header() -> None:
    body = b"Server-Timing: init;dur=340\r\n\r\n"
    data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    response = read(data, closes=False, head=True)
    assert response.complete
    assert b"Server-Timing" not in response.head()

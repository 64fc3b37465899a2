"""Header blocks as they come off the wire."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.evidence.headers import Headers, from_pairs, parse_head


@pytest.mark.parametrize(
    ("head", "headers"),
    [
        (b"", {}),
        (b"HTTP/1.1 200 OK\r\nA: 1\r\nb:2\r\nA:  3 \r\n\r\n", {"a": ["1", "3"], "b": ["2"]}),
        (b"HTTP/1.1 200\r\nA: 1", {"a": ["1"]}),
        (b"HTTP/1.1 500 Oh: no\r\nA: 1", {"a": ["1"]}),
        (b"A: 1\r\n", {"a": ["1"]}),
        (b"A: 1\nB: 2\n", {"a": ["1"], "b": ["2"]}),
        (b"A: 1\r\n  2\r\n\t3\r\nB: 4", {"a": ["1 2 3"], "b": ["4"]}),
        (b"A:\r\n 2\r\n", {"a": ["2"]}),
        (b" folded onto nothing\r\nA: 1", {"a": ["1"]}),
        (b"no field\r\n folded onto it\r\nA: 1", {"a": ["1"]}),
        (b"A : 1\r\n: 2\r\nB C: 3\r\n", {"a": ["1"]}),
        (b"A: x:y: z", {"a": ["x:y: z"]}),
        (b"A: \xe9\x85\xa0", {"a": ["\xe9\x85\xa0"]}),
        (b"A:\r\n", {"a": [""]}),
    ],
)
def test_parse_head(head: bytes, headers: Headers) -> None:
    assert parse_head(head) == headers


def test_trailers_come_after_the_head() -> None:
    head, trailers = b"HTTP/1.1 200 OK\r\nServer-Timing: a", b"Server-Timing: b\r\nX: 1\r\n"
    assert parse_head(head, trailers) == {"server-timing": ["a", "b"], "x": ["1"]}


def test_pairs_are_the_same() -> None:
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX-A: 1 \r\n"
    response = httpx.Response(200, headers=[("Set-Cookie", "a"), ("Set-Cookie", "b"), ("X-A", "1 ")])
    assert from_pairs(response.headers.multi_items()) == parse_head(head)


@given(st.binary(), st.binary())
def test_it_never_raises(head: bytes, trailers: bytes) -> None:
    for name, values in parse_head(head, trailers).items():
        assert name == name.lower()
        assert values


def test_what_is_kept_is_bounded() -> None:
    many = parse_head(b"".join(b"X-%d: 1\r\n" % i for i in range(10_000)))
    assert len(many) == 256
    assert len(from_pairs((f"x-{i}", "1") for i in range(10_000))) == 256
    assert len(parse_head(b"A: " + b"x" * 10**6)["a"][0]) < 2**16

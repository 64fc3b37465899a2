"""The wire client against httpx: on the same bytes both must see the same response, or both an error."""

import re
from itertools import pairwise

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coldbench.core.messages import RawFact
from tests.e2e.engine_process import run_engine, target
from tests.e2e.raw_server import Pieces, Visit, raw_server


class Case(msgspec.Struct, frozen=True):
    """One response of the server: its bytes, how they are cut, whether the connection ends with them."""

    wire: bytes
    cuts: list[int]
    close: bool

    def pieces(self) -> list[bytes]:
        edges = sorted({0, len(self.wire), *(cut % (len(self.wire) + 1) for cut in self.cuts)})
        return [self.wire[a:b] for a, b in pairwise(edges)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    status = draw(st.sampled_from([200, 200, 201, 204, 302, 304, 404, 429, 500, 503]))
    interim = draw(st.sampled_from([b"", b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"])) * draw(
        st.integers(1, 3)
    )
    body = b"" if status in (204, 304) else draw(st.binary(max_size=3000))
    headers = [b"X-Filler: " + b"x" * draw(st.integers(0, 300))]
    framing = draw(st.sampled_from(["length", "chunked", "close"]))
    if status in (204, 304):
        framing = "none"
    if framing == "chunked" and version == b"1.0":
        framing = "close"
    close = framing == "close" or version == b"1.0"
    if framing == "length":
        headers.append(b"Content-Length: %d" % len(body))
    elif framing == "chunked":
        headers.append(b"Transfer-Encoding: chunked")
        size = draw(st.integers(1, 1000))
        chunks = [body[at : at + size] for at in range(0, len(body), size)]
        extension = draw(st.sampled_from([b"", b";name=value"]))
        trailer = draw(st.sampled_from([b"", b"Server-Timing: total;dur=5\r\n"]))
        coded = b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
        body = coded + b"0\r\n" + trailer + b"\r\n"
    wire = b"HTTP/%b %d X\r\n" % (version, status) + b"\r\n".join(headers) + b"\r\n\r\n" + body
    if draw(st.integers(0, 4)) == 0 and framing in ("length", "chunked") and body:
        wire, close = wire[: -draw(st.integers(1, len(body)))], True
    return Case(interim + wire, draw(st.lists(st.integers(0, 4000), max_size=6)), close)


def by_httpx(url: str, method: str, count: int) -> list[tuple[int, int] | None]:
    seen: list[tuple[int, int] | None] = []
    for seq in range(count):
        with httpx.Client(trust_env=False) as client:
            try:
                response = client.request(method, url, headers={"X-Coldbench-Id": f"x-{seq}"})
                seen.append((response.status_code, len(response.content)))
            except httpx.HTTPError:
                seen.append(None)
    return seen


def seen_by_engine(fact: RawFact) -> tuple[int, int] | None:
    return None if fact.error or fact.status is None else (fact.status, fact.body_bytes or 0)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(responses=st.lists(cases(), min_size=60, max_size=100))
def test_the_wire_client_sees_what_httpx_sees(method: str, responses: list[Case]) -> None:
    async def reply(visit: Visit) -> Pieces:
        found = re.search(rb"X-Coldbench-Id: \w+-(\d+)", visit.head, re.IGNORECASE)
        assert found
        case = responses[int(found[1])]
        if method == "HEAD":
            heads = re.match(rb"(?:HTTP/1.1 103.*?\r\n\r\n)*HTTP/.*?\r\n\r\n", case.wire, re.DOTALL)
            return Pieces([heads[0] if heads else case.wire], close=case.close)
        return Pieces(case.pieces(), close=case.close)

    profile = f'[[stage]]\nkind = "burst"\nsize = {len(responses)}\n'
    with raw_server(reply) as server:
        run = run_engine(profile, [target(server.url, method=method)])
        expected = by_httpx(server.url, method, len(responses))
    engine = {fact.seq: fact for fact in run.facts}
    for seq, case in enumerate(responses):
        assert seen_by_engine(engine[seq]) == expected[seq], (case, engine[seq])
    if method == "GET":
        for seq, case in enumerate(responses):
            if case.wire.endswith(b"0\r\nServer-Timing: total;dur=5\r\n\r\n") and expected[seq]:
                assert engine[seq].trailers == b"Server-Timing: total;dur=5\r\n"

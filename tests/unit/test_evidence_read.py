"""From the headers of one response to Evidence."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.invocation import AnsweredBy, Evidence
from coldbench.evidence.headers import parse_head
from coldbench.evidence.read import read

SHIM = (
    'Server-Timing: init;dur=340.2;desc="process", age;dur=0.4, seq;desc="1", inst;desc="i-1", '
    "exec;dur=5.1, queue;dur=12.3, init-db;dur=210"
)


def evidence(*lines: str, status: int | None = 200, **kwargs: Any) -> Evidence:
    options = {"cold_header": None, "instance_header": None, **kwargs}
    return read(parse_head("\r\n".join(lines).encode("latin-1")), status=status, **options)


def fields(found: Evidence) -> dict[str, object]:
    """Those that were observed, without who answered and the raw fields."""
    builtins: dict[str, object] = msgspec.to_builtins(found)
    return {
        name: value for name, value in builtins.items() if name not in ("raw", "answered_by", "answered_why")
    }


def test_nothing_is_nothing() -> None:
    assert evidence(status=None) == Evidence()
    assert evidence() == Evidence()


def test_the_shim() -> None:
    assert fields(evidence(SHIM)) == {
        "level": 2,
        "init_ms": 340.2,
        "init_is_per_instance": True,
        "init_from_process_start": True,
        "init_spans_ms": {"db": 210.0},
        "exec_ms": 5.1,
        "queue_ms": 12.3,
        "instance": "i-1",
        "instance_seq": 1,
        "instance_age_ms": 0.4,
    }


@pytest.mark.parametrize(
    ("server_timing", "expected"),
    [
        # only inst and seq together are the shim; what others call init or exec is not taken for ours
        ("init;dur=5, exec;dur=3, total;dur=9", {}),
        ('inst;desc="i", exec;dur=3', {}),
        ('seq;desc="2", exec;dur=3', {}),
        ('inst;desc="", seq;desc="2"', {}),
        ('inst;desc="i", seq;desc="0"', {}),
        ('inst;desc="i", seq;desc="-1"', {}),
        ('inst;desc="i", seq;desc="first"', {}),
        ('inst;desc="i", seq;dur=1', {}),
        (f'inst;desc="i", seq;desc="{"9" * 30}"', {}),
        ('inst;desc="\x1b[2J", seq;desc="2"', {}),
        (f'inst;desc="{"i" * 257}", seq;desc="2"', {}),
        # two metrics that differ contradict each other, two that agree do not
        ('inst;desc="i", inst;desc="j", seq;desc="2"', {}),
        ('inst;desc="i", seq;desc="2", seq;desc="2"', {"level": 2, "instance": "i", "instance_seq": 2}),
        (
            'inst;desc="i", seq;desc="2", exec;dur=1, exec;dur=2, age;dur=3',
            {"level": 2, "instance": "i", "instance_seq": 2, "instance_age_ms": 3.0},
        ),
        # what cannot be true was not observed
        (
            'inst;desc="i", seq;desc="2", exec;dur=nan, age;dur=-1, queue;dur=1e300, init;dur=5s',
            {"level": 2, "instance": "i", "instance_seq": 2},
        ),
        (
            'inst;desc="i", seq;desc="2", init;dur=7;desc="import"',
            {"level": 2, "instance": "i", "instance_seq": 2, "init_ms": 7.0, "init_is_per_instance": True},
        ),
    ],
)
def test_what_is_and_is_not_the_shim(server_timing: str, expected: dict[str, object]) -> None:
    found = evidence(f"Server-Timing: {server_timing}")
    assert fields(found) == expected
    assert found.raw["server-timing"] == server_timing


def test_the_shim_may_be_in_several_lines_and_in_the_trailers() -> None:
    head = parse_head(
        b'Server-Timing: inst;desc="i"\r\nServer-Timing: cdn;dur=1', b'Server-Timing: seq;desc="3"\r\n'
    )
    found = read(head, status=200, cold_header=None, instance_header=None)
    assert (found.level, found.instance_seq) == (2, 3)


LAB = ("X-Cold-Start: true", "X-Init-Duration-Ms: 340.2", "X-Instance-Id: i-2", "X-Request-Id: r-1")


def test_what_any_platform_may_send() -> None:
    assert fields(evidence(*LAB)) == {
        "level": 1,
        "cold_flag": True,
        "init_ms": 340.2,
        "init_is_per_instance": True,
        "instance": "i-2",
        "request_id": "r-1",
    }


def test_the_shim_is_believed_before_the_platform_which_fills_in_the_rest() -> None:
    found = evidence(SHIM.replace("340.2", "300"), *LAB)
    assert (found.instance, found.init_ms, found.init_is_per_instance) == ("i-1", 300.0, True)
    assert (found.cold_flag, found.request_id, found.level) == (True, "r-1", 2)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("X-Request-Id: r", {"request_id": "r"}),
        ("X-Cold-Start: FALSE", {"level": 1, "cold_flag": False}),
        ("X-Cold-Start: perhaps", {}),
        ("X-Cold-Start:", {}),
        ("X-Cold-Start: true\r\nX-Cold-Start: True", {"level": 1, "cold_flag": True}),
        ("X-Cold-Start: true\r\nX-Cold-Start: false", {}),
        ("X-Cold-Start: true\r\nX-Cold-Start: ", {}),
        ("X-Init-Duration-Ms: -3", {}),
        ("X-Init-Duration-Ms: 0", {}),
        ("X-Init-Duration-Ms: 5", {"level": 1, "init_ms": 5.0, "init_is_per_instance": True}),
        # it includes the wait for an instance
        ("X-Envoy-Upstream-Service-Time: 950", {}),
        ("Server-Timing: app;dur=5, total;dur=9", {}),
    ],
)
def test_generic_headers(line: str, expected: dict[str, object]) -> None:
    assert fields(evidence(line)) == expected


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        *[(yes, True) for yes in ("true", "True", "1", "yes", "on", "cold", "?1")],
        *[(no, False) for no in ("false", "0", "NO", "off", "Warm", "?0")],
        *[(neither, None) for neither in ("", "2", "maybe", "truefalse", "true, false")],
    ],
)
def test_a_declared_cold_header(value: str, flag: bool | None) -> None:
    found = evidence(f"X-My-Cold: {value}", cold_header="X-My-cold")
    assert found.cold_flag is flag
    assert found.level == (0 if flag is None else 1)
    assert found.raw == {"x-my-cold": value}


def test_declared_headers_are_believed_first() -> None:
    found = evidence(SHIM, *LAB, "Pod: p-1", "Is-Cold: no", cold_header="is-cold", instance_header="POD")
    assert (found.cold_flag, found.instance, found.instance_seq, found.level) == (False, "p-1", 1, 2)


def test_a_declared_header_that_says_nothing_leaves_what_is_known() -> None:
    found = evidence(*LAB, "Is-Cold: hm", cold_header="is-cold", instance_header="pod")
    assert (found.cold_flag, found.instance) == (True, "i-2")


@pytest.mark.parametrize(
    ("lines", "status", "answered_by", "why"),
    [
        ([], 200, AnsweredBy.UNSTATED, None),
        ([], None, AnsweredBy.UNSTATED, None),
        ([], 302, AnsweredBy.UNSTATED, None),
        ([], 500, AnsweredBy.UNSTATED, None),
        ([SHIM], 200, AnsweredBy.FUNCTION, None),
        ([SHIM], 503, AnsweredBy.FUNCTION, None),
        ([SHIM], 429, AnsweredBy.FUNCTION, None),
        (["X-Cold-Start: true"], 200, AnsweredBy.FUNCTION, None),
        (["X-Instance-Id: i"], 503, AnsweredBy.GATEWAY, "status 503"),
        ([], 429, AnsweredBy.THROTTLE, "status 429"),
        ([], 502, AnsweredBy.GATEWAY, "status 502"),
        ([], 503, AnsweredBy.GATEWAY, "status 503"),
        ([], 504, AnsweredBy.GATEWAY, "status 504"),
        # a cache repeats the evidence of the execution that filled it
        ([SHIM, "Age: 12"], 200, AnsweredBy.CACHE, "age: 12"),
        (["Age: 0"], 200, AnsweredBy.UNSTATED, None),
        (["Age: 000"], 200, AnsweredBy.UNSTATED, None),
        (["Age: -5"], 200, AnsweredBy.UNSTATED, None),
        (["Age: old"], 200, AnsweredBy.UNSTATED, None),
        (["X-Cache: Hit from cloudfront"], 200, AnsweredBy.CACHE, "x-cache: Hit from cloudfront"),
        (["X-Cache: MISS, HIT"], 200, AnsweredBy.CACHE, "x-cache: MISS, HIT"),
        (["X-Cache: TCP_HIT"], 200, AnsweredBy.CACHE, "x-cache: TCP_HIT"),
        (["X-Cache: Miss from cloudfront"], 200, AnsweredBy.UNSTATED, None),
        (["X-Cache: Hitchhiker"], 200, AnsweredBy.UNSTATED, None),
        (["X-Cache: , ,"], 200, AnsweredBy.UNSTATED, None),
        (["X-Cache: MISS", "X-Cache: HIT"], 200, AnsweredBy.CACHE, "x-cache: HIT"),
        (["X-Cache: hit \x1b[2J"], 200, AnsweredBy.CACHE, "x-cache: hit ?[2J"),
        (["CF-Cache-Status: HIT"], 200, AnsweredBy.CACHE, "cf-cache-status: HIT"),
        (["CF-Cache-Status: STALE"], 200, AnsweredBy.CACHE, "cf-cache-status: STALE"),
        (["CF-Cache-Status: DYNAMIC"], 200, AnsweredBy.UNSTATED, None),
        (
            ["X-Cache: TCP_REMOTE_HIT from a23 (AkamaiGHost)"],
            200,
            AnsweredBy.CACHE,
            "x-cache: TCP_REMOTE_HIT from a23 (AkamaiGHost)",
        ),
        (["X-Cache: Cache Hit"], 200, AnsweredBy.CACHE, "x-cache: Cache Hit"),
        (["X-Cache: Cache Miss"], 200, AnsweredBy.UNSTATED, None),
        (["X-Cache-Status: HIT"], 200, AnsweredBy.CACHE, "x-cache-status: HIT"),
        (["X-Cache-Status: EXPIRED"], 200, AnsweredBy.UNSTATED, None),
        (["X-Proxy-Cache: STALE"], 200, AnsweredBy.CACHE, "x-proxy-cache: STALE"),
        (["CDN-Cache: HIT"], 200, AnsweredBy.CACHE, "cdn-cache: HIT"),
        (["Age: 3, 3"], 200, AnsweredBy.CACHE, "age: 3, 3"),
        (["Age: 0, 3"], 200, AnsweredBy.CACHE, "age: 0, 3"),
        (["Age: 0, 0"], 200, AnsweredBy.UNSTATED, None),
        (["X-Vercel-Cache: BYPASS"], 200, AnsweredBy.UNSTATED, None),
        (["X-Vercel-Cache: REVALIDATED"], 200, AnsweredBy.UNSTATED, None),
        (["X-Vercel-Cache: PRERENDER"], 200, AnsweredBy.CACHE, "x-vercel-cache: PRERENDER"),
        (["X-Vercel-Cache: MISS"], 200, AnsweredBy.UNSTATED, None),
        (['Cache-Status: "Netlify Edge"; hit'], 200, AnsweredBy.CACHE, 'cache-status: "Netlify Edge"; hit'),
        (
            ["Cache-Status: a;fwd=miss, b;hit;ttl=3"],
            200,
            AnsweredBy.CACHE,
            "cache-status: a;fwd=miss, b;hit;ttl=3",
        ),
        (["Cache-Status: a;hit=?1"], 200, AnsweredBy.CACHE, "cache-status: a;hit=?1"),
        (["Cache-Status: a;hit=?0"], 200, AnsweredBy.UNSTATED, None),
        (['Cache-Status: "a;hit";fwd=miss, hit'], 200, AnsweredBy.UNSTATED, None),
        (["X-Render-Routing: no-server"], 404, AnsweredBy.FAILED_START, "x-render-routing: no-server"),
        (["X-Render-Routing: dynamic"], 200, AnsweredBy.UNSTATED, None),
        (
            ["X-Coldbench-Lab-Error: start_failed"],
            502,
            AnsweredBy.FAILED_START,
            "x-coldbench-lab-error: start_failed",
        ),
        (
            ["X-Coldbench-Lab-Error: instance_lost"],
            502,
            AnsweredBy.GATEWAY,
            "x-coldbench-lab-error: instance_lost",
        ),
        (
            ["X-Coldbench-Lab-Error: function_error"],
            502,
            AnsweredBy.FUNCTION,
            "x-coldbench-lab-error: function_error",
        ),
        (["X-Coldbench-Lab-Error: throttled"], 429, AnsweredBy.THROTTLE, "status 429"),
    ],
)
def test_who_answered(lines: list[str], status: int | None, answered_by: AnsweredBy, why: str | None) -> None:
    found = evidence(*lines, status=status)
    assert (found.answered_by, found.answered_why) == (answered_by, why)


def test_raw_keeps_what_a_better_reader_may_read_and_no_secret() -> None:
    found = evidence(
        "HTTP/1.1 200 OK",
        "Date: today",
        "Content-Type: text/html",
        "Access-Control-Allow-Origin: *",
        "Set-Cookie: a=hunter2",
        "X-Fc-Access-Token: hunter2",
        "Location: https://u:hunter2@h/?code=hunter2&x=1",
        "X-Fc-Request-Id: 1-64f7449a",
        "Via: a",
        "Via: b",
        "X-Control: a\x00b",
        "X-Long: " + "x" * 5000,
    )
    assert found.raw == {
        "set-cookie": "REDACTED",
        "x-fc-access-token": "REDACTED",
        "location": "https://REDACTED@h/?code=REDACTED&x=1",
        "x-fc-request-id": "1-64f7449a",
        "via": "a\nb",
        "x-control": "a\x00b",
        "x-long": "x" * 1024,
    }
    assert b"hunter2" not in msgspec.json.encode(found)


def test_raw_is_bounded_and_has_the_start_of_the_body() -> None:
    found = evidence(*(f"X-{i}: {i}" for i in range(200)), body_start=b'{"token": 1, "a": "\xff"}')
    assert len(found.raw) == 49
    assert found.raw[":body"] == '{"token": "REDACTED", "a": "�"}'
    assert evidence(":body: x").raw == {}


header_names = st.sampled_from(
    [
        "Server-Timing",
        "X-Cold-Start",
        "X-Init-Duration-Ms",
        "X-Instance-Id",
        "X-Request-Id",
        "Age",
        "X-Cache",
        "Cache-Status",
    ]
) | st.text("abcXYZ-", min_size=1, max_size=10)


@given(
    st.lists(st.tuples(header_names, st.binary(max_size=60)), max_size=20),
    st.binary(max_size=50),
    st.sampled_from([None, 200, 429, 503]),
)
def test_whatever_comes_evidence_comes_of_it(
    fields: list[tuple[str, bytes]], body: bytes, status: int | None
) -> None:
    head = b"\r\n".join(name.encode() + b": " + value for name, value in fields)
    found = read(parse_head(head), status=status, cold_header="abc", instance_header="X", body_start=body)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Evidence) == found
    for duration in (found.init_ms, found.exec_ms, found.queue_ms, found.instance_age_ms):
        assert duration is None or 0 <= duration <= 1e11


@pytest.mark.parametrize(
    ("lines", "status", "expected", "answered_by"),
    [
        ([], 200, (200,), AnsweredBy.UNSTATED),
        ([SHIM], 200, (200, 404), AnsweredBy.FUNCTION),
        ([], 404, (200,), AnsweredBy.UNEXPECTED),
        ([SHIM], 404, (200,), AnsweredBy.UNEXPECTED),
        ([], 502, (200,), AnsweredBy.GATEWAY),
        ([], 429, (200,), AnsweredBy.THROTTLE),
        (["Age: 12"], 404, (200,), AnsweredBy.CACHE),
        ([], 404, (), AnsweredBy.UNSTATED),
    ],
)
def test_an_unexpected_status_is_not_the_functions_answer(
    lines: list[str], status: int, expected: tuple[int, ...], answered_by: AnsweredBy
) -> None:
    headers = parse_head("\r\n".join(lines).encode())
    found = read(headers, status=status, cold_header=None, instance_header=None, expect_status=expected)
    assert found.answered_by is answered_by
    if answered_by is AnsweredBy.UNEXPECTED:
        assert found.answered_why == f"status {status}, not {expected[0]}"

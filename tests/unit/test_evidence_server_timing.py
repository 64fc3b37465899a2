"""Server-Timing by the standard's grammar, and by its tolerance."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.evidence.lists import pieces
from coldbench.evidence.server_timing import Metric, _metrics, parse_server_timing


def parse(*values: str) -> list[Metric]:
    return parse_server_timing(values)


@pytest.mark.parametrize(
    ("value", "metrics"),
    [
        # the standard's own examples
        ("miss, db;dur=53, app;dur=47.2", [Metric("miss"), Metric("db", 53.0), Metric("app", 47.2)]),
        ("customView, dc;desc=atl", [Metric("customView"), Metric("dc", None, "atl")]),
        ('cache;desc="Cache Read";dur=23.2', [Metric("cache", 23.2, "Cache Read")]),
        # the shim's
        (
            'init;dur=340.2;desc="process", seq;desc="1"',
            [Metric("init", 340.2, "process"), Metric("seq", None, "1")],
        ),
        # white space, case, quotes, escapes
        ("m ; dur = 1.5 ; desc = d", [Metric("m", 1.5, "d")]),
        ("m\t;\tdur\t=\t1.5\t,\tn", [Metric("m", 1.5), Metric("n")]),
        ("m;DuR=1.5;DeSc=d", [Metric("m", 1.5, "d")]),
        ('m;dur="1.5"', [Metric("m", 1.5)]),
        (r'm;desc="a\"b\\c"', [Metric("m", None, r'a"b\c')]),
        ('m;desc="a;b,=c";dur=2', [Metric("m", 2.0, "a;b,=c")]),
        ('m;desc="\t a \t"', [Metric("m", None, "\t a \t")]),
        ("aB3!#$%&'*+-.^_`|~", [Metric("aB3!#$%&'*+-.^_`|~")]),
        # repeated metrics are all kept, of repeated parameters the first counts, even when incomplete
        ("m;dur=1, m;dur=2", [Metric("m", 1.0), Metric("m", 2.0)]),
        ("m;dur=1;dur=2", [Metric("m", 1.0)]),
        ("m;dur;dur=2;desc=d", [Metric("m", None, "d")]),
        ("m;dur=;dur=2", [Metric("m")]),
        ("m;dur=foo;dur=2", [Metric("m")]),
        ("m;desc;desc=d;dur=2", [Metric("m", 2.0)]),
        # what is not known or out of place is skipped up to the next delimiter
        ("m;start=1;desc=d;foo=bar;dur=2,n", [Metric("m", 2.0, "d"), Metric("n")]),
        ("m;desc=d1 d2;dur=2", [Metric("m", 2.0, "d1")]),
        ('m;desc="d1" d2,n', [Metric("m", None, "d1"), Metric("n")]),
        ('m==   ""foo;dur=2,n', [Metric("m", 2.0), Metric("n")]),
        ("m;dur foo=12;dur=2", [Metric("m")]),
        ("m;foo dur=12;dur=2", [Metric("m", 2.0)]),
        (",,m,,;dur=1,n,", [Metric("m"), Metric("n")]),
        ("[;dur=1, n;dur=2", [Metric("n", 2.0)]),
        # a quoted string that is not closed says nothing and goes to the end
        ('m;dur=2;desc="abc, n', [Metric("m", 2.0)]),
        ('m;desc="\\', [Metric("m")]),
        ('m;desc="\\"', [Metric("m")]),
        ('m;desc="\\\\"', [Metric("m", None, "\\")]),
        *[
            (nothing, [])
            for nothing in ("", " ", "=", "[", ";", ",", "=;", ";=", "=,", ",=", ";,", ",;", '"', "\\")
        ],
    ],
)
def test_parse(value: str, metrics: list[Metric]) -> None:
    assert parse(value) == metrics


@pytest.mark.parametrize(
    "duration",
    ["", "-1", "nan", "inf", "-inf", "5s", "5ms", "1_0", "0x10", "1e300", "1700000000000", '"1,5"', "++1"],
)
def test_a_duration_that_is_not_credible_is_not_observed(duration: str) -> None:
    assert parse(f"m;dur={duration}") == [Metric("m")]


def test_lines_are_one_list() -> None:
    assert parse("a;dur=1", "b;dur=2, c") == [Metric("a", 1.0), Metric("b", 2.0), Metric("c")]


def test_a_broken_line_does_not_reach_into_the_next() -> None:
    assert parse('a;desc="', "b;dur=2") == [Metric("a"), Metric("b", 2.0)]


tokens = st.text("!#$%&'*+-.^_`|~0123456789abcXYZ", min_size=1, max_size=12)
texts = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20)
durations = st.none() | st.floats(0, 1e10)
metrics = st.builds(Metric, tokens, durations, texts)


def written(metric: Metric) -> str:
    escaped = metric.desc.replace("\\", "\\\\").replace('"', '\\"')
    dur = "" if metric.dur_ms is None else f";dur={metric.dur_ms!r}"
    return f'{metric.name}{dur} ; desc = "{escaped}"'


@given(st.lists(metrics, max_size=6))
def test_what_is_written_by_the_grammar_reads_back(sent: list[Metric]) -> None:
    assert parse(" , ".join(map(written, sent))) == sent
    assert parse(*map(written, sent)) == sent


hostile = st.text(st.sampled_from('";,=\\ \tadur\x00\xff?'), max_size=200) | st.binary().map(
    lambda b: b.decode("latin-1")
)


@given(hostile)
def test_it_never_raises_and_never_invents(value: str) -> None:
    for metric in parse(value):
        assert metric.name in value
        assert metric.dur_ms is None or (math.isfinite(metric.dur_ms) and metric.dur_ms >= 0)


@given(
    hostile
    | st.lists(st.sampled_from(['a;desc="x,y"', "b;dur=1", ",", '"', '""', ";", "\\", " "])).map("".join)
)
def test_cutting_at_commas_changes_nothing(value: str) -> None:
    assert parse(value) == list(_metrics(value))


@given(st.text(st.sampled_from(";,=\\ \tadur\x00\xff?"), max_size=200))
def test_without_quotes_each_delimiter_begins_a_piece(value: str) -> None:
    assert len(pieces(value)) == 1 + value.count(",") + value.count(";")


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "unit",
    ['"', "\\", '"\\', '\\"', '"\\"', ";", ",", "a;", ' "', "\t", "a=", 'a="', 'a;dur="', "a;dur=1", " ="],
)
def test_hostile_input_takes_linear_time(unit: str) -> None:
    # A second at most; in quadratic time it would be hours, which the timeout ends.
    assert len(parse(unit * 300_000)) <= 300_000

"""What keeps the analysis of long runs small: unions of spans, systematic samples."""

from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.sample import SystematicSample
from coldbench.core.spans import Spans

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=30)


@given(SPANS, st.integers(0, 70))
def test_a_union_covers_what_one_of_its_spans_covers(spans: list[tuple[int, int]], at: int) -> None:
    union = Spans()
    for start, length in spans:
        union.add(start, start + length)
    assert union.covers(at) == any(start <= at < start + length for start, length in spans)


@given(st.lists(st.integers(0, 100), max_size=30), st.integers(0, 110), st.integers(5, 20))
def test_instants_that_are_near_are_one_span(instants: list[int], at: int, quiet: int) -> None:
    """Joined at 5, they still answer exactly whether a silence of 5 or more came before an instant."""
    union = Spans(join_ns=5)
    for instant in instants:
        union.add(instant, instant)
    last = union.last_end_before(at)
    silent = last is None or last < at - quiet
    assert silent == (not any(at - quiet <= instant < at for instant in instants))


def test_many_spans_out_of_order_stay_few() -> None:
    union = Spans()
    for number in range(100_000):
        start = number ^ 1023  # each block of 1,024 backwards
        union.add(start, start + 2)
    assert union.covers(0)
    assert union.covers(100_000)
    assert not union.covers(100_400)
    assert len(union._starts) + len(union._unsorted) < 10_000


@given(st.integers(0, 500), st.integers(1, 20).map(lambda half: 2 * half))
def test_a_systematic_sample_is_each_nth(number: int, most: int) -> None:
    sample = SystematicSample[int](most)
    for value in range(number):
        sample.add(value)
    kept = list(sample)
    step = kept[1] - kept[0] if len(kept) > 1 else max(number, 1)
    assert len(sample) == len(kept) <= most
    assert kept == list(range(0, number, step))[: len(kept)]
    assert number <= most or len(kept) >= most // 2

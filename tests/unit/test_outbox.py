"""Facts leave the outbox once each, in order, however often they are framed before they are shipped."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack
from msgspec.structs import astuple

from coldbench.core.messages import Batch, FrameReader, RawFact
from coldbench.engine.outbox import Fact, Outbox

_UNDER_WAY = 2


class Sink:
    """Takes everything at once."""

    idle, behind, broken = True, False, False

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)


class Observer:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.published = 0

    def take(self, facts: Sequence[Fact]) -> None:
        self.taken += [fact[0] for fact in facts]

    def publish(self) -> None:
        self.published = len(self.taken)


def _fact(seq: int) -> RawFact:
    """Of three one that failed and one that has not ended."""
    end_ns, error = (None, None) if seq % 3 == 0 else (9, "reset" if seq % 3 == 1 else None)
    return RawFact(seq=seq, target=0, phase=0, intended_ns=1, started_ns=1, end_ns=end_ns, error=error)


@given(st.lists(st.tuples(st.integers(0, 700), st.sampled_from(["put", "frame_many", "flush"])), max_size=12))
def test_each_fact_leaves_once(steps: list[tuple[int, str]]) -> None:
    sink, observer = Sink(), Observer()
    outbox = Outbox(sink, worker=3)
    outbox.zero_ns, outbox.observer = 17, observer
    outbox.dispatched, put = _UNDER_WAY, 0
    for count, step in steps:
        for _ in range(count):
            outbox.dispatched += 1
            outbox.put(astuple(_fact(put)))
            put += 1
        if step != "put":
            getattr(outbox, step)()
        if step == "flush":
            assert observer.published == len(observer.taken) == put
        assert len(observer.taken) >= observer.published
        # One that never ended is none of them.
        left = len([seq for seq in observer.taken if seq % 3 == 0])
        assert outbox.completed + outbox.errors + left == len(observer.taken)
        assert outbox.in_flight == _UNDER_WAY
    outbox.flush()
    frames = FrameReader()
    batches = [msgpack.decode(payload, type=Batch) for data in sink.writes for payload in frames.feed(data)]
    assert {(batch.worker, batch.zero_ns) for batch in batches} <= {(3, 17)}
    assert [fact for batch in batches for fact in batch.facts] == [_fact(n) for n in range(put)]
    assert observer.taken == list(range(put))

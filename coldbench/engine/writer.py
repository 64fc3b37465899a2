"""`python -m coldbench.engine.writer SAMPLES_DB`: the one writer of a run's facts, on a core of its own.

Standard input brings the order and then batches of raw facts; its end means that the engine has finished
or is gone. Evidence is read here, off the hot path. Standard output takes a `Progress` a few times a second.
"""

import os
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from time import monotonic

import msgspec

from coldbench.core.invocation import Error, Evidence, Invocation
from coldbench.core.judge import judge
from coldbench.core.messages import Batch, FrameReader, Order, Progress, RawFact, frame
from coldbench.core.request import address
from coldbench.core.secrets import secrets_of
from coldbench.engine.arrival import arrived_ns
from coldbench.engine.background import give_way
from coldbench.evidence.headers import parse_head
from coldbench.evidence.read import read
from coldbench.evidence.recognise import platform_of
from coldbench.runs.row import NULL, Row, evidence_cells
from coldbench.runs.samples import SampleWriter

_READ_BYTES = 1 << 18
_PROGRESS_S = 0.25
# Many servers send the same header block until the second changes.
_HEADS_KEPT = 4096
# More than this between two words to the CLI are not judged beside writing: the view is of a part of them
# until the run is closed.
_JUDGED_AT_ONCE = 512

Read = Callable[[int, bytes, bytes, bytes, int | None, bool], tuple[Evidence, Row]]


def main() -> int:
    """Append every fact that comes, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    frames = FrameReader()
    decode_batch = msgspec.msgpack.Decoder(Batch).decode
    order: Order | None = None
    with SampleWriter(Path(sys.argv[1])) as samples:
        while data := os.read(0, _READ_BYTES):
            payloads = frames.feed(data)
            if order is None:
                first = next(payloads, None)
                if first is None:
                    continue
                order = msgspec.msgpack.decode(first, type=Order)
                reader, tally = evidence_reader(order), Tally(order)
                # The load comes first, and a function that runs on this machine: what has to wait, the
                # engine keeps. Not before: what is slow to begin would take seconds on a busy machine.
                give_way()
            batches = [decode_batch(payload) for payload in payloads]
            facts = [(batch, fact, *reader(*_said(fact))) for batch in batches for fact in batch.facts]
            if facts:
                samples.append_rows(_row(batch, fact, cells, order) for batch, fact, _, cells in facts)
                if len(data) < _READ_BYTES:  # otherwise more waits to be kept, and the view can wait
                    tally.add(facts)
    return 0


def evidence_reader(order: Order) -> Read:
    """Reads what a response says, once for each different response: its evidence, and that as cells."""
    hosts = [address(target.endpoint).host for target in order.targets]
    secrets = [secrets_of(target) for target in order.targets]

    @lru_cache(_HEADS_KEPT)
    def reader(
        target: int, head: bytes, trailers: bytes, body_start: bytes, status: int | None, expected_body: bool
    ) -> tuple[Evidence, Row]:
        headers, its = parse_head(head, trailers), order.targets[target]
        evidence = read(
            headers,
            status=status,
            cold_header=its.cold_header,
            instance_header=its.instance_header,
            expect_status=its.expect_status,
            expected_body=expected_body,
            body_start=body_start,
            api=its.api,
            platform=its.api or platform_of(headers, hosts[target], its.platforms),
            platforms=its.platforms,
            secrets=secrets[target],
        )
        return evidence, evidence_cells(evidence)

    return reader


def _said(fact: RawFact) -> tuple[int, bytes, bytes, bytes, int | None, bool]:
    return fact.target, fact.head, fact.trailers, fact.body_start, fact.status, fact.expected_body


def _arrived(batch: Batch, f: RawFact) -> tuple[int | None, int | None]:
    """When a response's first byte had arrived and when the last one had, or its failure was noticed."""
    end_ns, first_byte_ns, ahead_ns, since_ns = f.end_ns, f.first_byte_ns, batch.ahead_ns, batch.since_ns
    if end_ns is not None:
        end_ns = arrived_ns(f.last_read, end_ns, ahead_ns, since_ns)
    if first_byte_ns is not None:
        first_read = f.last_read if f.first_read is None else f.first_read
        # The clocks' comparison has its error: nothing arrives before the request has left.
        first_byte_ns = max(arrived_ns(first_read, first_byte_ns, ahead_ns, since_ns), f.sent_ns or 0)
        end_ns = None if end_ns is None else max(end_ns, first_byte_ns)
    return first_byte_ns, end_ns


def _row(batch: Batch, f: RawFact, cells: Row, order: Order) -> Row:
    zero = batch.zero_ns
    first_byte_ns, end_ns = _arrived(batch, f)
    return (
        f.seq,
        order.targets[f.target].name,
        order.plan.steps[f.phase].phase,
        batch.worker,
        f.intended_ns - zero,
        NULL if f.started_ns is None else f.started_ns - zero,
        NULL if f.sent_ns is None else f.sent_ns - zero,
        NULL if first_byte_ns is None else first_byte_ns - zero,
        NULL if end_ns is None else end_ns - zero,
        NULL if f.dns_ns is None else f.dns_ns,
        NULL if f.connect_ns is None else f.connect_ns,
        NULL if f.tls_ns is None else f.tls_ns,
        NULL if f.reused is None else int(f.reused),
        NULL if f.status is None else f.status,
        NULL if f.error is None else f.error,
        NULL if f.body_bytes is None else f.body_bytes,
        *cells,
    )


def invocation(batch: Batch, fact: RawFact, evidence: Evidence, order: Order) -> Invocation:
    """The same as the vocabulary has it."""

    first_byte_ns, end_ns = _arrived(batch, fact)

    def since_zero(instant_ns: int | None) -> int | None:
        return None if instant_ns is None else instant_ns - batch.zero_ns

    return Invocation(
        seq=fact.seq,
        target=order.targets[fact.target].name,
        phase=order.plan.steps[fact.phase].phase,
        worker=batch.worker,
        intended_ns=fact.intended_ns - batch.zero_ns,
        started_ns=since_zero(fact.started_ns),
        sent_ns=since_zero(fact.sent_ns),
        first_byte_ns=since_zero(first_byte_ns),
        end_ns=since_zero(end_ns),
        dns_ns=fact.dns_ns,
        connect_ns=fact.connect_ns,
        tls_ns=fact.tls_ns,
        reused=fact.reused,
        status=fact.status,
        error=None if fact.error is None else Error(fact.error),
        body_bytes=fact.body_bytes,
        evidence=evidence,
    )


class Tally:
    """What the live view shows: verdicts as far as each invocation decides its own."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._verdicts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._told = 0.0
        self._judged = 0  # since then

    def add(self, facts: Sequence[tuple[Batch, RawFact, Evidence, Row]]) -> None:
        """Count them, and say it to the CLI, not more often than people can read."""
        part = facts[: _JUDGED_AT_ONCE - self._judged]
        self._judged += len(part)
        judged = [invocation(batch, fact, evidence, self._order) for batch, fact, evidence, _ in part]
        ended = [one for one in judged if not one.unfinished]
        for one, judgement in zip(ended, judge(ended), strict=True):
            self._verdicts[one.target][judgement.verdict] += 1
        if monotonic() - self._told >= _PROGRESS_S:
            self._told, self._judged = monotonic(), 0
            self._tell()

    def _tell(self) -> None:
        verdicts = {target: dict(its) for target, its in self._verdicts.items()}
        message = Progress(verdicts=verdicts)
        try:
            os.write(1, frame(message))
        except BrokenPipeError:
            pass  # the CLI is gone; the facts are still worth keeping


if __name__ == "__main__":
    sys.exit(main())

"""`python -m coldbench.engine.writer SAMPLES_DB`: the one writer of a run's facts, on a core of its own.

Standard input brings the order and then batches of raw facts; its end means that the engine has finished
or is gone. Evidence is read here, off the hot path. Standard output takes a `Progress` a few times a second.
"""

import os
import signal
import sys
from collections import Counter, defaultdict
from pathlib import Path
from time import monotonic

import msgspec

from coldbench.core.invocation import Error, Invocation
from coldbench.core.judge import judge
from coldbench.core.messages import FrameReader, Order, Progress, RawFact, frame
from coldbench.evidence.headers import parse_head
from coldbench.evidence.read import read
from coldbench.runs.samples import SampleWriter

_READ_BYTES = 1 << 18
_PROGRESS_S = 0.25


def main() -> int:
    """Append every fact that comes, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    frames = FrameReader()
    order: Order | None = None
    decode_order = msgspec.msgpack.Decoder(Order).decode
    decode_batch = msgspec.msgpack.Decoder(list[RawFact]).decode
    tally = Tally()
    with SampleWriter(Path(sys.argv[1])) as samples:
        while data := os.read(0, _READ_BYTES):
            payloads = frames.feed(data)
            if order is None:
                first = next(payloads, None)
                if first is None:
                    continue
                order = decode_order(first)
            rows = [invocation(fact, order) for payload in payloads for fact in decode_batch(payload)]
            if rows:
                samples.append(rows)
                tally.add(rows)
                tally.tell()
    tally.tell(now=True)
    return 0


def invocation(fact: RawFact, order: Order) -> Invocation:
    """The facts with their evidence read."""
    target = order.targets[fact.target]
    return Invocation(
        seq=fact.seq,
        target=target.name,
        phase=order.plan.steps[fact.phase].phase,
        worker=fact.worker,
        intended_ns=fact.intended_ns,
        started_ns=fact.started_ns,
        sent_ns=fact.sent_ns,
        first_byte_ns=fact.first_byte_ns,
        end_ns=fact.end_ns,
        dns_ns=fact.dns_ns,
        connect_ns=fact.connect_ns,
        tls_ns=fact.tls_ns,
        reused=fact.reused,
        status=fact.status,
        error=None if fact.error is None else Error(fact.error),
        body_bytes=fact.body_bytes,
        evidence=read(
            parse_head(fact.head, fact.trailers),
            status=fact.status,
            cold_header=target.cold_header,
            instance_header=target.instance_header,
            body_start=fact.body_start,
        ),
    )


class Tally:
    """What the live view shows: verdicts as far as each invocation decides its own."""

    def __init__(self) -> None:
        self._rows = 0
        self._verdicts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._errors: Counter[str] = Counter()
        self._told = 0.0

    def add(self, rows: list[Invocation]) -> None:
        """Count them."""
        self._rows += len(rows)
        ended = [row for row in rows if not row.unfinished]
        for row, judgement in zip(ended, judge(ended), strict=True):
            self._verdicts[row.target][judgement.verdict] += 1
            if row.error is not None:
                self._errors[row.error] += 1

    def tell(self, *, now: bool = False) -> None:
        """Say it to the CLI, not more often than people can read."""
        if not now and monotonic() - self._told < _PROGRESS_S:
            return
        self._told = monotonic()
        verdicts = {target: dict(its) for target, its in self._verdicts.items()}
        message = Progress(rows=self._rows, verdicts=verdicts, errors=dict(self._errors))
        try:
            os.write(1, frame(message))
        except BrokenPipeError:
            pass  # the CLI is gone; the facts are still worth keeping


if __name__ == "__main__":
    sys.exit(main())

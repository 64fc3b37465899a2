"""A row an invocation: CSV, JSON lines, Parquet. The columns are those of `samples.db`, then what is derived
of them: `started_at` (UTC), `wait_ms`, `service_ms`, `response_ms`, and the verdict.
"""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from coldbench.core.summary import Run
from coldbench.runs.cells import inert
from coldbench.runs.export.judged import Facts, each, epoch_ns, needs, utc
from coldbench.runs.samples import Judged

if TYPE_CHECKING:
    from pyarrow import Schema

Row = dict[str, str | int | float | bool | None]

# The type of each column, in their order.
COLUMNS: dict[str, type] = {
    "run_id": str, "seq": int, "target": str, "phase": str, "worker": int, "started_at": str,
    "intended_ns": int, "started_ns": int, "sent_ns": int, "first_byte_ns": int, "end_ns": int,
    "dns_ns": int, "connect_ns": int, "tls_ns": int, "reused": bool,
    "status": int, "error": str, "bytes": int,
    "wait_ms": float, "service_ms": float, "response_ms": float,
    "verdict": str, "reason": str, "confidence": float, "cold_kind": str, "contradiction": str,
    "evidence_level": int, "cold_flag": bool, "init_ms": float, "exec_ms": float, "billed_ms": float,
    "instance": str, "instance_seq": int, "instance_age_ms": float, "request_id": str, "platform": str,
}  # fmt: skip
_ROWS_TOGETHER = 10_000


def rows(run: Run, facts: Facts) -> Iterator[Row]:
    """One after the other; None where nothing was observed."""
    for one in each(facts):
        yield dict(zip(COLUMNS, _values(run, one), strict=True))


def _values(run: Run, one: Judged) -> tuple[str | int | float | bool | None, ...]:
    i, j = one.invocation, one.judgement
    e = i.evidence
    started_at = None if i.started_ns is None else epoch_ns(run, i.started_ns)
    return (
        run.run_id, i.seq, i.target, i.phase, i.worker, None if started_at is None else utc(started_at),
        i.intended_ns, i.started_ns, i.sent_ns, i.first_byte_ns, i.end_ns,
        i.dns_ns, i.connect_ns, i.tls_ns, i.reused, i.status, i.error and i.error.value, i.body_bytes,
        _ms(i.wait_ns), _ms(i.service_ns), _ms(i.response_ns),
        *((None,) * 5 if j is None else (
            j.verdict.value, j.reason, j.confidence, j.cold_kind and j.cold_kind.value, j.contradiction,
        )),
        e.level, e.cold_flag, e.init_ms, e.exec_ms, e.billed_ms,
        e.instance, e.instance_seq, e.instance_age_ms, e.request_id, e.platform,
    )  # fmt: skip


def _ms(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else duration_ns / 1e6


def write_csv(run: Run, facts: Facts, to: IO[bytes]) -> None:
    """RFC 4180, UTF-8, with a line of heads; empty where nothing was observed."""
    text = io.TextIOWrapper(to, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows(run, facts):
        writer.writerow([inert(value) if isinstance(value, str) else value for value in row.values()])
    text.detach()


def write_jsonl(run: Run, facts: Facts, to: IO[bytes]) -> None:
    """An object a line, UTF-8; null where nothing was observed."""
    encode = msgspec.json.Encoder().encode
    for row in rows(run, facts):
        to.write(encode(row) + b"\n")


def write_parquet(run: Run, facts: Facts, to: Path) -> None:
    """A file of columns. Raises UsageError where pyarrow is not there."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise needs("parquet", "pyarrow") from error
    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema: Schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    its = rows(run, facts)
    with parquet.ParquetWriter(to, schema) as writer:
        while part := list(islice(its, _ROWS_TOGETHER)):
            writer.write_table(pa.Table.from_pylist(part, schema=schema))

"""`samples.db`: the facts of a run's invocations, in SQLite.

WAL from its beginning, so that what was appended survives any kill and no reader stops the writer; one
complete file when closed, as soon as nobody else reads it. Facts are appended and never changed; the table
`judged` is derived from them and may be made again at any time.

History of the format (`PRAGMA user_version`)
1: tables `invocation` and `judged`.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import Struct

from coldbench.core.errors import UsageError
from coldbench.core.invocation import AnsweredBy, Error, Evidence, Invocation
from coldbench.core.verdict import ColdKind, Judgement, Verdict

SAMPLES = "samples.db"
Row = tuple[Any, ...]
# What a row has where nothing was observed. SQLite has no NaN and keeps NULL (sqlite.org/floatingpoint.html).
# None would become the same, but `sqlite3` looks for an adapter of all that is not exactly an int, float or
# str, bool as well: with a dozen of them in it a row costs 8.5 us instead of 3.
NULL = float("nan")
_VERSION = 1
_WAL_PAGES = 16_000  # 64 MB
_PATIENCE_S = 60  # with another process that has the file for a moment
_COLUMNS = (
    "seq", "target", "phase", "worker",
    "intended_ns", "started_ns", "sent_ns", "first_byte_ns", "end_ns",
    "dns_ns", "connect_ns", "tls_ns", "reused", "status", "error", "bytes",
    "cold_flag", "init_ms", "exec_ms", "billed_ms", "instance", "instance_seq", "instance_age_ms",
    "request_id", "evidence",
)  # fmt: skip
_SCHEMA = f"""
    CREATE TABLE IF NOT EXISTS invocation (seq INTEGER PRIMARY KEY, {", ".join(_COLUMNS[1:])});
    CREATE TABLE IF NOT EXISTS judged
        (seq INTEGER PRIMARY KEY, verdict, reason, confidence, cold_kind, contradiction);
    PRAGMA user_version = {_VERSION};
"""
_INSERT = f"INSERT INTO invocation VALUES ({', '.join('?' * len(_COLUMNS))})"


class Judged(Struct, frozen=True):
    """An invocation and its judgement; None for one that was unfinished."""

    invocation: Invocation
    judgement: Judgement | None


class _Rest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `Evidence` has and no column holds; in the column `evidence`, as JSON."""

    level: int = 0
    init_is_per_instance: bool = False
    init_from_process_start: bool = False
    init_spans_ms: dict[str, float] = {}
    queue_ms: float | None = None
    container: str | None = None
    platform: str | None = None
    answered_by: AnsweredBy = AnsweredBy.UNSTATED
    answered_why: str | None = None
    raw: dict[str, str] = {}


_encode_rest = msgspec.json.Encoder().encode
_decode_rest = msgspec.json.Decoder(_Rest).decode


def create_samples(path: Path) -> None:
    """Make the tables in an empty file, and let it stay with a log beside it: killed before its first
    invocation, a run reads as one without any. Raises OSError where the file cannot be written.
    """
    try:
        with closing(_opened_with_log(path)) as connection:
            connection.executescript(_SCHEMA)
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error


class SampleWriter:
    """Appends invocations to `samples.db`; makes its tables in a new or empty one.

    Use as a context; leaving it makes the file complete.
    """

    def __init__(self, path: Path) -> None:
        self._connection = _opened_with_log(path)
        # In WAL mode this survives the death of any process; only a power cut may lose the last batches.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        # The log is folded in seldom: each time waits for the disk.
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        self._connection.executescript(_SCHEMA)

    def append(self, invocations: Iterable[Invocation]) -> None:
        """Append them in one transaction: when this returns they are kept."""
        self.append_rows(map(_row, invocations))

    def append_rows(self, rows: Iterable[Row]) -> None:
        """The same for rows in the order of the table's columns: facts, then `evidence_cells`.

        A cell is an int, a float, a str or `NULL`.
        """
        self._connection.execute("BEGIN")
        self._connection.executemany(_INSERT, rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Fold the write-ahead log into the one file."""
        _fold(self._connection)
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_invocations(path: Path) -> Iterator[Invocation]:
    """The facts in the order of `seq`; UsageError when the file is no `samples.db` of ours."""
    with open_samples(path) as samples:
        try:
            for row in samples.execute(f"SELECT {', '.join(_COLUMNS)} FROM invocation ORDER BY seq"):
                yield _invocation(row)
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            raise UsageError(f"not readable as samples: {error}", place=str(path)) from error


def read_judged(path: Path) -> Iterator[Judged]:
    """The facts in the order of `seq`, with their judgements as the file has them.

    Raises UsageError when the file is no `samples.db` of ours.
    """
    columns = ", ".join(f"i.{name}" for name in _COLUMNS)
    judged = "j.verdict, j.reason, j.confidence, j.cold_kind, j.contradiction"
    with open_samples(path) as samples:
        try:
            for row in samples.execute(
                f"SELECT {columns}, {judged} FROM invocation i LEFT JOIN judged j USING (seq) ORDER BY i.seq"
            ):
                fact, said = row[: len(_COLUMNS)], row[len(_COLUMNS) :]
                yield Judged(_invocation(fact), None if said[0] is None else _judgement(fact[0], *said))
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            raise UsageError(f"not readable as samples: {error}", place=str(path)) from error


def write_judgements(path: Path, judgements: Iterable[Judgement]) -> None:
    """Replace the table `judged`, all or nothing. Raises OSError where the folder cannot be written."""
    try:
        # With a log beside the file the facts can be read while the judgements are made of them.
        with closing(_opened_with_log(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM judged")
            connection.executemany(
                "INSERT INTO judged VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (j.seq, j.verdict, j.reason, j.confidence, j.cold_kind, j.contradiction)
                    for j in judgements
                ),
            )
            connection.execute("COMMIT")
            _fold(connection)
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error


def read_judgements(path: Path) -> list[Judgement]:
    """The table `judged` as it stands; UsageError when the file is no `samples.db` of ours."""
    with open_samples(path) as samples:
        try:
            return [_judgement(*row) for row in samples.execute("SELECT * FROM judged ORDER BY seq")]
        except ValueError as error:
            raise UsageError(f"not readable as judgements: {error}", place=str(path)) from error


def _opened_with_log(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _fold(connection: sqlite3.Connection) -> None:
    """Make the file complete without a log; while somebody reads it that cannot be, and the log stays."""
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


@contextmanager
def open_samples(path: Path) -> Iterator[sqlite3.Connection]:
    """For reading alone. UsageError when the file is no `samples.db` of ours, now or as it is read."""
    with closing(_open(path)) as samples:
        try:
            yield samples
        except sqlite3.Error as error:
            raise UsageError(f"not readable as samples: {error}", place=str(path)) from error


def _open(path: Path) -> sqlite3.Connection:
    """Read-only. Where even the log's index cannot be made, the file is read without its log."""
    if not path.is_file():
        raise UsageError("there are no samples", place=str(path))
    failure: Exception | None = None
    for mode in ("mode=ro", "immutable=1"):
        try:
            connection, version = _connected(path, mode)
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter: of SQLite's own words for it
            failure = error
            continue
        if version > _VERSION:
            connection.close()
            raise UsageError(
                f"written by a newer coldbench (format {version})", place=str(path), hint="update coldbench"
            )
        return connection
    raise UsageError(f"not readable as samples: {failure}", place=str(path)) from failure


def _connected(path: Path, mode: str) -> tuple[sqlite3.Connection, int]:
    """And the version of its format."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute("SELECT count(*) FROM (SELECT 1 FROM invocation LIMIT 1)")
    except (sqlite3.Error, UnicodeDecodeError):
        connection.close()
        raise
    return connection, version


def evidence_cells(e: Evidence) -> Row:
    """The columns of a row that hold its evidence."""
    rest = _Rest(
        level=e.level,
        init_is_per_instance=e.init_is_per_instance,
        init_from_process_start=e.init_from_process_start,
        init_spans_ms=e.init_spans_ms,
        queue_ms=e.queue_ms,
        container=e.container,
        platform=e.platform,
        answered_by=e.answered_by,
        answered_why=e.answered_why,
        raw=e.raw,
    )
    return tuple(map(_cell, (
        e.cold_flag, e.init_ms, e.exec_ms, e.billed_ms, e.instance, e.instance_seq, e.instance_age_ms,
        e.request_id, _encode_rest(rest).decode(),
    )))  # fmt: skip


def _cell(value: bool | float | str | None) -> float | str:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return int(value)
    # A member of an enumeration is not exactly a str.
    return str(value) if isinstance(value, str) else value


def _row(i: Invocation) -> Row:
    return (
        *map(_cell, (
            i.seq, i.target, i.phase, i.worker,
            i.intended_ns, i.started_ns, i.sent_ns, i.first_byte_ns, i.end_ns,
            i.dns_ns, i.connect_ns, i.tls_ns, i.reused, i.status, i.error, i.body_bytes,
        )),
        *evidence_cells(i.evidence),
    )  # fmt: skip


def _judgement(
    seq: int,
    verdict: str,
    reason: str,
    confidence: float,
    cold_kind: str | None,
    contradiction: str | None,
) -> Judgement:
    return Judgement(
        seq=seq,
        verdict=Verdict(verdict),
        reason=reason,
        confidence=confidence,
        cold_kind=ColdKind(cold_kind) if cold_kind else None,
        contradiction=contradiction,
    )


def _invocation(row: tuple[Any, ...]) -> Invocation:
    (
        seq, target, phase, worker,
        intended_ns, started_ns, sent_ns, first_byte_ns, end_ns,
        dns_ns, connect_ns, tls_ns, reused, status, error, body_bytes,
        cold_flag, init_ms, exec_ms, billed_ms, instance, instance_seq, instance_age_ms,
        request_id, rest_json,
    ) = row  # fmt: skip
    rest = _decode_rest(rest_json)
    return Invocation(
        seq=seq,
        target=target,
        phase=phase,
        worker=worker,
        intended_ns=intended_ns,
        started_ns=started_ns,
        sent_ns=sent_ns,
        first_byte_ns=first_byte_ns,
        end_ns=end_ns,
        dns_ns=dns_ns,
        connect_ns=connect_ns,
        tls_ns=tls_ns,
        reused=None if reused is None else bool(reused),
        status=status,
        error=None if error is None else Error(error),
        body_bytes=body_bytes,
        evidence=Evidence(
            cold_flag=None if cold_flag is None else bool(cold_flag),
            init_ms=init_ms,
            exec_ms=exec_ms,
            billed_ms=billed_ms,
            instance=instance,
            instance_seq=instance_seq,
            instance_age_ms=instance_age_ms,
            request_id=request_id,
            level=rest.level,
            init_is_per_instance=rest.init_is_per_instance,
            init_from_process_start=rest.init_from_process_start,
            init_spans_ms=rest.init_spans_ms,
            queue_ms=rest.queue_ms,
            container=rest.container,
            platform=rest.platform,
            answered_by=rest.answered_by,
            answered_why=rest.answered_why,
            raw=rest.raw,
        ),
    )

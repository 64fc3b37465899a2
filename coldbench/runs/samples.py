"""`samples.db`: the facts of a run's invocations, in SQLite.

WAL from its beginning, so that what was appended survives any kill and no reader stops the writer; one
complete file when closed, as soon as nobody else reads it. Facts are appended and never changed; the table
`judged` is derived from them and may be made again at any time.

History of the format (`PRAGMA user_version`)
1: tables `invocation` and `judged`.
"""

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from coldbench.core.errors import UsageError
from coldbench.core.invocation import Invocation
from coldbench.core.verdict import Judgement
from coldbench.runs.row import COLUMNS, Row, invocation_of, judgement_of, row_of

SAMPLES = "samples.db"
_VERSION = 1
_WAL_PAGES = 16_000  # 64 MB
_PATIENCE_S = 60  # with another process that has the file for a moment
_SCHEMA = f"""
    CREATE TABLE IF NOT EXISTS invocation (seq INTEGER PRIMARY KEY, {", ".join(COLUMNS[1:])});
    CREATE TABLE IF NOT EXISTS judged
        (seq INTEGER PRIMARY KEY, verdict, reason, confidence, cold_kind, contradiction);
    PRAGMA user_version = {_VERSION};
"""
_INSERT = f"INSERT INTO invocation VALUES ({', '.join('?' * len(COLUMNS))})"


class Judged(Struct, frozen=True):
    """An invocation and its judgement; None for one that was unfinished."""

    invocation: Invocation
    judgement: Judgement | None


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
        self.append_rows(map(row_of, invocations))

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
            for row in samples.execute(f"SELECT {', '.join(COLUMNS)} FROM invocation ORDER BY seq"):
                yield invocation_of(row)
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            raise UsageError(f"not readable as samples: {error}", place=str(path)) from error


def read_judged(path: Path) -> Generator[Judged, None, None]:
    """The facts in the order of `seq`, with their judgements as the file has them.

    Raises UsageError when the file is no `samples.db` of ours.
    """
    columns = ", ".join(f"i.{name}" for name in COLUMNS)
    judged = "j.verdict, j.reason, j.confidence, j.cold_kind, j.contradiction"
    with open_samples(path) as samples:
        try:
            for row in samples.execute(
                f"SELECT {columns}, {judged} FROM invocation i LEFT JOIN judged j USING (seq) ORDER BY i.seq"
            ):
                fact, said = row[: len(COLUMNS)], row[len(COLUMNS) :]
                yield Judged(invocation_of(fact), None if said[0] is None else judgement_of(fact[0], *said))
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            raise UsageError(f"not readable as samples: {error}", place=str(path)) from error


def copy_samples(path: Path, to: Path) -> None:
    """All that can be read of them, to a new file. UsageError when they are no `samples.db` of ours."""
    with open_samples(path) as samples, closing(sqlite3.connect(to)) as copy:
        samples.backup(copy)


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
            return [judgement_of(*row) for row in samples.execute("SELECT * FROM judged ORDER BY seq")]
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

"""The run folder: what goes in comes out, and what is not ours is said."""

import os
import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.errors import UsageError
from coldbench.core.invocation import AnsweredBy, Error, Evidence, Invocation
from coldbench.core.summary import Run, State
from coldbench.core.verdict import ColdKind, Judgement, Verdict
from coldbench.runs.folder import RECORD, create, find_run, folders, read_record, write_record
from coldbench.runs.process import process_started
from coldbench.runs.samples import (
    SAMPLES,
    SampleWriter,
    open_samples,
    read_invocations,
    read_judgements,
    write_judgements,
)

NOW = datetime(2026, 11, 23, 10, 58, 3, tzinfo=UTC)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
NS = st.none() | st.integers(0, 2**62)
MS = st.none() | st.floats(0, 1e9)

EVIDENCE = st.builds(
    Evidence,
    level=st.integers(0, 3),
    cold_flag=st.none() | st.booleans(),
    init_ms=MS,
    init_is_per_instance=st.booleans(),
    init_from_process_start=st.booleans(),
    init_spans_ms=st.dictionaries(TEXT, st.floats(0, 1e6), max_size=2),
    exec_ms=MS,
    billed_ms=MS,
    queue_ms=MS,
    instance=st.none() | TEXT,
    instance_seq=st.none() | st.integers(1, 9),
    instance_age_ms=MS,
    request_id=st.none() | TEXT,
    platform=st.none() | TEXT,
    answered_by=st.sampled_from(AnsweredBy),
    answered_why=st.none() | TEXT,
    raw=st.dictionaries(TEXT, TEXT, max_size=3),
)
INVOCATION = st.builds(
    Invocation,
    seq=st.integers(0, 2**62),
    target=TEXT,
    phase=st.just("0:burst"),
    worker=st.integers(0, 9),
    intended_ns=st.integers(0, 2**62),
    started_ns=NS,
    sent_ns=NS,
    first_byte_ns=NS,
    end_ns=NS,
    dns_ns=NS,
    connect_ns=NS,
    tls_ns=NS,
    reused=st.none() | st.booleans(),
    status=st.none() | st.integers(100, 999),
    error=st.none() | st.sampled_from(Error),
    body_bytes=NS,
    evidence=EVIDENCE,
)


def run(**values: object) -> Run:
    return Run(
        run_id="r", command="run", name="burst", version="0", started_at="2026-11-23T10:00:00+00:00", **values
    )  # type: ignore[arg-type]


@given(st.lists(INVOCATION, unique_by=lambda i: i.seq, max_size=5))
def test_facts_come_out_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, invocations: list[Invocation]
) -> None:
    path = tmp_path_factory.mktemp("run") / SAMPLES
    with SampleWriter(path) as samples:
        samples.append(invocations)
    assert list(read_invocations(path)) == sorted(invocations, key=lambda i: i.seq)


def test_a_closed_file_is_one_file(tmp_path: Path) -> None:
    with SampleWriter(tmp_path / SAMPLES) as samples:
        samples.append([Invocation(seq=0, target="f", phase="0:burst", intended_ns=0)])
        assert (tmp_path / f"{SAMPLES}-wal").exists()
    assert os.listdir(tmp_path) == [SAMPLES]


@pytest.mark.promise(
    "somebody reads samples.db while it is written and closed",
    "neither waits, nothing is lost",
)
def test_a_reader_neither_stops_the_writer_nor_the_judgements(tmp_path: Path) -> None:
    path = create(tmp_path, "run", "r", NOW) / SAMPLES
    one = Invocation(seq=0, target="f", phase="0:burst", intended_ns=0)
    warm = Judgement(seq=0, verdict=Verdict.WARM, reason="r", confidence=1.0)
    with open_samples(path) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM invocation").fetchone()  # and it goes on holding what it saw
        with SampleWriter(path) as samples:
            samples.append([one])
        write_judgements(path, [warm])
    assert list(read_invocations(path)) == [one]
    assert read_judgements(path) == [warm]
    write_judgements(path, [])  # nobody looks any more: one file again
    assert os.listdir(path.parent) == [SAMPLES]


def test_judgements_are_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / SAMPLES
    SampleWriter(path).close()
    cold = Judgement(
        seq=1, verdict=Verdict.COLD, reason="r", confidence=0.9, cold_kind=ColdKind.IDLE, contradiction="c"
    )
    warm = Judgement(seq=2, verdict=Verdict.WARM, reason="r", confidence=1.0)
    write_judgements(path, [cold, warm])
    write_judgements(path, [cold])
    assert read_judgements(path) == [cold]


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_a_file_that_is_no_samples_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / SAMPLES
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not readable as samples"):
        list(read_invocations(path))


@pytest.mark.promise("samples.db from elsewhere with nonsense in it", "one line that names the file")
def test_hostile_rows_are_said(tmp_path: Path) -> None:
    path = tmp_path / SAMPLES
    with SampleWriter(path) as samples:
        samples.append([Invocation(seq=0, target="f", phase="0:burst", intended_ns=0)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE invocation SET error = 'nonsense'")
    connection.close()
    with pytest.raises(UsageError, match="not readable as samples"):
        list(read_invocations(path))


@pytest.mark.promise("samples.db of a newer coldbench", "said, not misread")
def test_samples_of_a_newer_format_are_said(tmp_path: Path) -> None:
    path = tmp_path / SAMPLES
    SampleWriter(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UsageError, match="newer coldbench"):
        list(read_invocations(path))


def test_names_of_folders(tmp_path: Path) -> None:
    made = [create(tmp_path, "run", name, NOW).name for name in ("burst", "burst", "a b/../c", "..")]
    assert made == [
        "20261123T105803Z_run_burst",
        "20261123T105803Z_run_burst-2",
        "20261123T105803Z_run_a-b-..-c",
        "20261123T105803Z_run_run",
    ]


def test_what_is_written_is_the_users_own(tmp_path: Path) -> None:
    folder = create(tmp_path / "reports", "run", "burst", NOW)
    write_record(folder, run())
    with SampleWriter(folder / SAMPLES) as samples:
        samples.append([Invocation(seq=0, target="f", phase="0:burst", intended_ns=0)])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_new_folder_reads_as_one_without_invocations(tmp_path: Path) -> None:
    samples = create(tmp_path / "reports", "run", "burst", NOW) / SAMPLES
    assert list(read_invocations(samples)) == []
    assert read_judgements(samples) == []


def test_a_root_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written") as raised:
        create(tmp_path / "file", "run", "burst", NOW)
    assert "--out" in str(raised.value)


def test_a_record_comes_out_as_it_went_in(tmp_path: Path) -> None:
    written = run(state=State.COMPLETE, notes=("a", "b"), profile={"stage": [{"kind": "burst"}]})
    write_record(tmp_path, written)
    assert read_record(tmp_path) == written
    assert os.listdir(tmp_path) == [RECORD]


def test_a_running_run_whose_process_is_gone_is_interrupted(tmp_path: Path) -> None:
    mine = process_started(os.getpid())
    write_record(tmp_path, run(pid=os.getpid(), pid_started=mine))
    assert read_record(tmp_path).state is State.RUNNING
    write_record(tmp_path, run(pid=os.getpid(), pid_started="another start"))
    assert read_record(tmp_path).state is State.INTERRUPTED
    write_record(tmp_path, run(pid=2**22 - 1, pid_started=mine))
    assert read_record(tmp_path).state is State.INTERRUPTED


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"schema": "other/9"}', b"\xff\xfe", b'{"run_id": 7}', b"null"]
)
def test_a_record_that_is_none_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / RECORD).write_bytes(content)
    with pytest.raises(UsageError, match=RECORD):
        read_record(tmp_path)


def test_finding_a_run(tmp_path: Path) -> None:
    older = create(tmp_path, "run", "one", NOW)
    newer = create(tmp_path, "run", "two", NOW.replace(hour=12))
    write_record(older, run())
    write_record(newer, run())
    create(tmp_path, "run", "without-record", NOW)
    assert list(folders(tmp_path)) == [newer, older]
    assert find_run(tmp_path, "latest") == newer
    assert find_run(tmp_path, older.name) == older
    assert find_run(tmp_path, older.name[:16]) == older
    assert find_run(tmp_path, str(older)) == older
    assert find_run(tmp_path, "burst") == newer  # by its name, the newest
    with pytest.raises(UsageError, match="no such run"):
        find_run(tmp_path, "elsewhere")
    with pytest.raises(UsageError, match="no runs yet"):
        find_run(tmp_path / "nothing", "latest")

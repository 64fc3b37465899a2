"""The run folder: `<out>/<UTC time>_<command>_<name>[-n]/`."""

import os
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

import msgspec
from msgspec.structs import replace

from coldbench.core.errors import UsageError
from coldbench.core.summary import SCHEMA, Run, State
from coldbench.runs.process import process_started
from coldbench.runs.samples import SAMPLES, create_samples
from coldbench.runs.whole import write_whole

RECORD = "run.json"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 60


def create(root: Path, command: str, name: str, now: datetime) -> Path:
    """Make a new run folder; UsageError when `root` cannot be written."""
    safe = _UNSAFE.sub("-", name).strip("-.")[:_LONGEST_NAME] or "run"
    base = f"{now:%Y%m%dT%H%M%SZ}_{command}_{safe}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            folder = root / (base if number == 1 else f"{base}-{number}")
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            # SQLite makes the file with the mode of the world; what is measured is the user's own.
            os.close(os.open(folder / SAMPLES, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            create_samples(folder / SAMPLES)
            return folder
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror or error}",
            place=str(root),
            hint="choose another folder with --out DIR",
        ) from error
    raise AssertionError("count() does not end")


def write_record(folder: Path, run: Run) -> None:
    """Write `run.json`, all or nothing: it is never seen half written. Raises OSError."""
    write_whole(folder / RECORD, encode_record(run))


def encode_record(run: Run) -> bytes:
    """The JSON of `run.json` and of `--json`."""
    return msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n"


def read_record(folder: Path) -> Run:
    """The record, with a run whose process is gone as `interrupted`; UsageError when it is none of ours."""
    path = folder / RECORD
    try:
        run = msgspec.json.decode(path.read_bytes(), type=Run)
    except OSError as error:
        raise UsageError(f"not a run folder: {error.strerror}", place=str(path)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"not readable as a run: {error}", place=str(path)) from error
    if run.schema != SCHEMA:
        raise UsageError(f"expected the schema {SCHEMA}, found {run.schema[:80]!r}", place=str(path))
    if wrong := _contradiction(run):
        raise UsageError(f"not readable as a run: {wrong}", place=str(path))
    if run.state is State.RUNNING and not _alive(run):
        return replace(run, state=State.INTERRUPTED)
    return run


def _contradiction(run: Run) -> str | None:
    """What no run of ours says."""
    names = {target.name for target in run.targets}
    of_results = {result.target for result in run.results} | {probed.target for probed in run.probe}
    if len(names) != len(run.targets) or not of_results <= names:
        return "its results are not of its targets"
    for instant in (run.started_at, run.started_at if run.finished_at is None else run.finished_at):
        try:
            if datetime.fromisoformat(instant).tzinfo is None:
                return f"no time zone in {instant[:40]!r}"
        except ValueError:
            return f"no instant: {instant[:40]!r}"
    return None


def folders(root: Path) -> Iterator[Path]:
    """The run folders under `root`, newest first."""
    if root.is_dir():
        yield from sorted((f for f in root.iterdir() if (f / RECORD).is_file()), reverse=True)


def find_run(root: Path, text: str) -> Path:
    """The folder that `text` means: a path, a folder's name or the start of one, a run's name, `latest`.

    Several folders that fit: the newest. UsageError when none does.
    """
    if (Path(text) / RECORD).is_file():
        return Path(text)
    known = list(folders(root))
    if text == "latest" and known:
        return known[0]
    for folder in known:
        if folder.name == text:
            return folder
    for folder in known:
        if text and (folder.name.startswith(text) or _name_in(folder) == text):
            return folder
    raise UsageError(
        f"no such run: {text}" if known else "there are no runs yet",
        place=str(root),
        hint="coldbench runs lists them" if known else "coldbench run makes one; --out DIR looks elsewhere",
    )


def _name_in(folder: Path) -> str | None:
    try:
        return read_record(folder).name
    except UsageError:
        return None


def _alive(run: Run) -> bool:
    return run.pid is not None and process_started(run.pid) == run.pid_started is not None

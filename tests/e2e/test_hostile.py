"""Hostile endpoints: each gets a named outcome in bounded time, and the run goes on."""

from pathlib import Path
from typing import Any

import pytest

from coldbench.runs.samples import read_invocations, read_judgements
from tests.e2e.cli import add_up, coldbench, only_folder, parsed
from tests.e2e.hostile import CASES, Case, serve

_NEVER = ("cold", "warm", "preinitialised", "cold_affected")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run against all of them at once; by target: the invocation, and its judgement."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "once.toml").write_text('[[stage]]\nkind = "rate"\nrate = 1\nduration = "1s"\n')
    with serve(CASES) as urls:
        flags = [flag for number, url in enumerate(urls) for flag in ("--url", f"case{number}={url}")]
        done = coldbench(
            "run", *flags, "--profile", "once.toml", "--timeout", "2s", "--json", "-", cwd=folder
        )
    run = only_folder(folder)
    judgements = {judgement.seq: judgement for judgement in read_judgements(run / "samples.db")}
    return {
        "done": done,
        "facts": {i.target: (i, judgements[i.seq]) for i in read_invocations(run / "samples.db")},
        "written": b"".join(path.read_bytes() for path in sorted(Path(run).iterdir())),
    }


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_each_has_a_named_outcome(number: int, seen: dict[str, Any]) -> None:
    case: Case = CASES[number]
    invocation, judgement = seen["facts"][f"case{number}"]
    outcome = invocation.error.value if invocation.error else str(invocation.status)
    assert outcome in case.outcome.split("|")
    assert judgement.verdict == ("discarded" if invocation.sent_ns is None else case.verdict), (
        judgement.reason
    )
    assert judgement.verdict not in _NEVER
    assert invocation.end_ns - invocation.started_ns < 8e9
    assert (invocation.body_bytes or 0) < 80 << 20


@pytest.mark.slow
def test_the_run_goes_on_and_adds_up(seen: dict[str, Any]) -> None:
    done = seen["done"]
    assert done.returncode == 4, done.stderr
    record = parsed(done)
    add_up(record)
    assert record["counts"]["intended"] == len(CASES)
    assert record["counts"]["dropped"] == record["counts"]["unfinished"] == 0


@pytest.mark.slow
def test_no_escape_sequence_reaches_the_terminal(seen: dict[str, Any]) -> None:
    said = seen["done"].stderr
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "Traceback" not in said

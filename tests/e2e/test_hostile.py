"""Hostile endpoints: each gets a named outcome in bounded time, and the run goes on."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns
from typing import Any

import pytest

from coldbench.core.invocation import Invocation
from coldbench.core.judge import judge
from coldbench.core.target import Target
from coldbench.core.verdict import Judgement
from coldbench.probe.invoke import Caller
from coldbench.runs.samples import read_invocations, read_judgements
from tests.e2e.cli import add_up, only_folder, parsed
from tests.e2e.hostile import CASES, Case, serve

_NEVER = ("cold", "warm", "preinitialised", "cold_affected")


Seen = tuple[Invocation, Judgement]

# The command under this tells how much memory the largest of its processes took, KiB.
_MEASURED = """
import resource, subprocess, sys
code = subprocess.call([sys.executable, "-c", "from coldbench.cli import main; main()", *sys.argv[1:]])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def promises(*, probe: bool) -> list[Any]:
    """A parameter for each case, with what is promised of it."""
    who = "probe" if probe else "engine"
    return [
        pytest.param(
            number,
            id=case.name,
            marks=pytest.mark.promise(
                f"{case.name} ({who})", f"{_outcome(case, probe=probe).replace('|', ' or ')}, {case.verdict}"
            ),
        )
        for number, case in enumerate(CASES)
    ]


def _outcome(case: Case, *, probe: bool) -> str:
    return case.by_probe or case.outcome if probe else case.outcome


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run against all of them at once; by target: the invocation, and its judgement."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "once.toml").write_text('[[stage]]\nkind = "rate"\nrate = 1\nduration = "1s"\n')
    with serve(CASES) as urls:
        flags = [flag for number, url in enumerate(urls) for flag in ("--url", f"case{number}={url}")]
        done = subprocess.run(
            [
                *(sys.executable, "-c", _MEASURED, "run", *flags),
                *("--profile", "once.toml", "--timeout", "2s", "--json", "-"),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
    run = only_folder(folder)
    judgements = {judgement.seq: judgement for judgement in read_judgements(run / "samples.db")}
    return {
        "done": done,
        "facts": {i.target: (i, judgements[i.seq]) for i in read_invocations(run / "samples.db")},
        "written": b"".join(path.read_bytes() for path in sorted(Path(run).iterdir())),
    }


@pytest.fixture(scope="module")
def probed() -> list[Seen]:
    """The probe's invocation of each, one after the other, and its judgement."""

    async def all_of_them(urls: list[str]) -> list[Invocation]:
        zero = monotonic_ns()
        found = []
        for number, url in enumerate(urls):
            target = Target(name=f"case{number}", url=url, endpoint=url, timeout_ns=10**9)
            async with Caller(target, "run", zero) as caller:
                due = monotonic_ns() - zero
                found.append(await caller.invoke(number, phase="0:first", intended_ns=due, fresh=True))
        return found

    with serve(CASES) as urls:
        invocations = asyncio.run(all_of_them(urls))
    return list(zip(invocations, judge(invocations), strict=True))


def held(case: Case, one: Seen, outcomes: str) -> str:
    """Checks what is promised of it; says what was seen."""
    invocation, judgement = one
    outcome = invocation.error.value if invocation.error else str(invocation.status)
    assert outcome in outcomes.split("|")
    # What was never sent (a certificate that is none) did not reach the function.
    assert judgement.verdict == ("discarded" if invocation.sent_ns is None else case.verdict), (
        judgement.reason
    )
    assert judgement.verdict not in _NEVER
    assert invocation.end_ns is not None
    assert invocation.started_ns is not None
    assert invocation.end_ns - invocation.started_ns < 8e9
    assert (invocation.body_bytes or 0) < 80 << 20
    return f"{outcome}, {judgement.verdict}"


@pytest.mark.slow
@pytest.mark.parametrize("number", promises(probe=False))
def test_each_has_a_named_outcome(
    number: int, seen: dict[str, Any], record_property: Callable[[str, object], None]
) -> None:
    case = CASES[number]
    record_property("seen", held(case, seen["facts"][f"case{number}"], case.outcome))


@pytest.mark.slow
@pytest.mark.parametrize("number", promises(probe=True))
def test_each_has_a_named_outcome_of_the_probe(
    number: int, probed: list[Seen], record_property: Callable[[str, object], None]
) -> None:
    case = CASES[number]
    record_property("seen", held(case, probed[number], _outcome(case, probe=True)))


@pytest.mark.slow
@pytest.mark.promise("all of these at once", "no process of ours takes more than 400 MB")
def test_memory_is_bounded(seen: dict[str, Any], record_property: Callable[[str, object], None]) -> None:
    most_mb = int(seen["done"].stderr.splitlines()[-1]) / 1024
    record_property("seen", f"{most_mb:.0f} MB")
    assert most_mb < 400


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

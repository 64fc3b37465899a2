"""How an instance's processes serve."""

from typing import Any

import pytest

from coldbench.core.invocation import Evidence, Invocation
from coldbench.evidence.headers import from_pairs
from coldbench.evidence.read import read
from coldbench.stats.processes import ProcessTally

MS = 1_000_000


def notes(calls: list[tuple[int, str | None, str | None]], **said: Any) -> list[str]:
    """Of calls of 10 ms: when each was sent, ms, its instance and container; `said` by the last one."""
    tally = ProcessTally()
    for seq, (sent_ms, instance, container) in enumerate(calls):
        sent = sent_ms * MS
        last = said if seq == len(calls) - 1 else {}
        evidence = Evidence(instance=instance, container=container, **last)
        tally.add(
            Invocation(
                seq=seq,
                target="f",
                phase="0:b",
                intended_ns=sent,
                sent_ns=sent,
                end_ns=sent + 10 * MS,
                evidence=evidence,
            )
        )
    return list(tally.notes())


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        (
            [(20 * n, f"p{n % 2}", "box") for n in range(10)],
            "2 processes answered in 1 of the platform's instances",
        ),
        ([(20 * n, f"p{n}", None) for n in range(10)], "no instance answered twice, though 9 calls"),
        ([(5 * n, f"p{n}", None) for n in range(10)], "no instance answered twice, though 8 calls"),
        ([(20 * n, "p", "box") for n in range(10)], None),
        ([(0, f"p{n}", f"box{n}") for n in range(10)], None),  # a burst: each needs one of its own
        ([(60_000 * n, f"p{n}", None) for n in range(10)], None),  # each may have died of age
        ([(20 * n, None, None) for n in range(10)], None),
    ],
)
def test_worker_processes_and_single_uses_are_told(
    calls: list[tuple[int, str | None, str | None]], said: str | None
) -> None:
    found = notes(calls)
    assert len(found) == (said is not None)
    assert all(said is not None and note.startswith(said) for note in found)


@pytest.mark.parametrize(
    ("said", "single"),
    [
        ({"instance_seq": 1, "cold_flag": True}, True),
        ({"instance_seq": 1}, True),
        ({"instance_seq": 109}, False),
        ({"cold_flag": False}, False),
    ],
)
def test_instances_that_were_used_before_are_no_single_uses(said: dict[str, Any], single: bool) -> None:
    found = notes([(20 * n, f"p{n}", None) for n in range(10)], **said)
    assert bool(found) is single


def test_the_platforms_id_is_kept_beside_the_shims() -> None:
    headers = from_pairs([("X-Instance-Id", "box"), ("Server-Timing", 'inst;desc="p1", seq;desc="1"')])
    evidence = read(headers, status=200, cold_header=None, instance_header=None)
    assert (evidence.instance, evidence.container) == ("p1", "box")

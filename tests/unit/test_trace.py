"""Recorded arrivals: what a trace's CSV says, and the arrivals that come of it."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack, structs
from scipy.stats import kstest

from coldbench.cli.profiles import find_recordings
from coldbench.core.errors import UsageError
from coldbench.core.profile import Profile, Trace, apply_settings, parse_profile
from coldbench.core.schedule import arrivals, invocations, plan, planned_duration_ns, planned_invocations
from coldbench.core.trace import Recording, parse_trace

S = 10**9
MINUTE = 60 * S
AZURE = "HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,f,http,2,0,1\no,a,g,timer,1,0,0\n"
PROFILE = Profile(name="x", stages=(Trace(file="t.csv"),))


def replay(recording: Recording, seed: int = 7, target: int = 0) -> list[int]:
    replayed = plan(PROFILE, target + 1, seed, {"t.csv": recording})
    return list(arrivals(replayed.steps[0], target, replayed.recordings))


@pytest.mark.parametrize(
    ("text", "offsets"),
    [
        ("offset_s\n0\n0.5\n2\n", [0, S // 2, 2 * S]),
        ("offset_ms\n0.001\n1e3\n", [1000, S]),
        ("offset_s\r\n3\r\n\r\n1\r\n", [S, 3 * S]),
        ("\ufeff offset_s \n 1 \n", [S]),
    ],
)
def test_offsets(text: str, offsets: list[int]) -> None:
    recording = parse_trace(text, "t.csv")
    assert replay(recording) == offsets
    assert recording.duration_ns == offsets[-1]
    assert recording.count == len(offsets)


def test_counts_per_minute_of_several_functions_are_added_up() -> None:
    recording = parse_trace(AZURE, "t.csv")
    assert recording.per_minute == (3, 0, 1)
    assert recording.duration_ns == 3 * MINUTE
    assert [offset // MINUTE for offset in replay(recording)] == [0, 0, 0, 2]


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("", "t.csv: line 1", "header"),
        ("seconds\n1\n", "t.csv: line 1", "header"),
        ("offset_s,offset_ms\n1,2\n", "t.csv: line 1", "header"),
        ("HashOwner,HashApp,HashFunction,Trigger\na,b,c,d\n", "t.csv: line 1", "header"),
        ("HashOwner,HashApp,HashFunction,Trigger,2,1\na,b,c,d,1,1\n", "t.csv: line 1", "header"),
        ("offset_s\n1\nx\n", "t.csv: line 3", "offset"),
        ("offset_s\n-1\n", "t.csv: line 2", "offset"),
        ("offset_s\nnan\n", "t.csv: line 2", "offset"),
        ("offset_s\n1e300\n", "t.csv: line 2", "offset"),
        ("offset_s\n1,2\n", "t.csv: line 2", "offset"),
        (AZURE + "o,a,f,http,1,2\n", "t.csv: line 4", "3 whole numbers"),
        (AZURE + "o,a,f,http,1,2,-3\n", "t.csv: line 4", "3 whole numbers"),
        (AZURE + "o,a,f,http,1,2,\n", "t.csv: line 4", "3 whole numbers"),
        ("offset_s\n", "t.csv", "no arrivals"),
        (AZURE.splitlines()[0] + "\no,a,f,http,0,0,0\n", "t.csv", "no arrivals"),
    ],
)
def test_what_is_no_trace_is_named_by_its_line(text: str, place: str, what: str) -> None:
    with pytest.raises(UsageError, match=what) as raised:
        parse_trace(text, "t.csv")
    assert raised.value.place == place


@given(st.lists(st.integers(0, 500), min_size=1, max_size=20).filter(any), st.integers(0, 9))
def test_counted_arrivals_ascend_and_are_as_many_as_counted(counts: list[int], target: int) -> None:
    recording = Recording(per_minute=tuple(counts))
    offsets = replay(recording, target=target)
    assert all(earlier <= later for earlier, later in pairwise(offsets))
    (step,) = plan(PROFILE, 10, 7, {"t.csv": recording}).steps
    assert len(offsets) * 10 == invocations(step)
    per_minute = [sum(i * MINUTE <= o <= (i + 1) * MINUTE for o in offsets) for i in range(len(counts))]
    assert all(found >= count for found, count in zip(per_minute, counts, strict=True))


def test_arrivals_within_a_minute_are_uniform_and_those_of_the_seed() -> None:
    recording = Recording(per_minute=(2000,))
    offsets = replay(recording)
    assert kstest(offsets, "uniform", args=(0, MINUTE)).pvalue > 0.01
    assert offsets == replay(recording)
    assert offsets != replay(recording, seed=8)
    assert offsets != replay(recording, target=1)


def test_a_million_offsets_are_eight_megabytes() -> None:
    recording = parse_trace("offset_ms\n" + "\n".join(map(str, range(10**6))), "t.csv")
    assert recording.count == 10**6
    assert len(recording.offsets) == 8 * 10**6


def test_a_recording_is_in_the_plan_once_however_often_it_is_replayed() -> None:
    recording = parse_trace("offset_ms\n" + "\n".join(map(str, range(10_000))), "t.csv")
    thrice = plan(structs.replace(PROFILE, repeat=3), 1, 0, {"t.csv": recording})
    assert planned_invocations(thrice) == 30_000
    assert len(msgpack.encode(thrice)) < 1.1 * len(recording.offsets)


def test_the_file_is_beside_its_profile(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("offset_s\n1\n")
    (tmp_path / "u.csv").write_text("offset_s\n2\n")
    place = str(tmp_path / "replay.toml")
    profile = parse_profile('[[stage]]\nkind = "trace"\nfile = "t.csv"\n', place)
    assert planned_duration_ns(plan(profile, 1, 0, find_recordings(profile, place))) == S
    profile = apply_settings(profile, ["trace.file=u.csv"])
    assert planned_duration_ns(plan(profile, 1, 0, find_recordings(profile, place))) == 2 * S
    profile = apply_settings(profile, ["file=gone.csv"])
    with pytest.raises(UsageError, match="cannot be read") as raised:
        find_recordings(profile, place)
    assert raised.value.place == str(tmp_path / "gone.csv")

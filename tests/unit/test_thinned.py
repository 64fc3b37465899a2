"""Bounded readings of the samples: what is left out, what never is, and what stands for the whole."""

from collections import Counter
from pathlib import Path

from coldbench.core.invocation import Error
from coldbench.core.verdict import ColdKind, Verdict
from coldbench.runs import thinned
from coldbench.runs.samples import open_samples
from coldbench.runs.thinned import Busy, Group, Instance, Point, Rank, Waits
from tests.unit.sampled import MS, call, judged, samples_in

COLD, WARM = Group("f", Verdict.COLD), Group("f", Verdict.WARM)


def test_each_kind_is_counted_and_what_is_in_flight_is_no_point(tmp_path: Path) -> None:
    facts = [
        call(0, at_ms=5, wait_ms=90),
        call(1, at_ms=6, wait_ms=10),
        call(2, target="g", first_byte_ns=None, end_ns=50 * MS, status=None, error=Error.TIMEOUT),
        call(3, first_byte_ns=None, end_ns=None, status=None),
        call(4, sent_ns=None, first_byte_ns=None, status=None, error=Error.REFUSED),
    ]
    verdicts = [
        judged(0, Verdict.COLD),
        judged(1, Verdict.WARM),
        judged(2, Verdict.UNKNOWN),
        judged(4, Verdict.DISCARDED),
    ]
    with open_samples(samples_in(tmp_path, facts, verdicts)) as samples:
        known = thinned.groups(samples)
        assert known == {COLD: 1, WARM: 1, Group("g", Verdict.UNKNOWN): 1}
        drawn = thinned.points(samples, dict.fromkeys(known, 10), known)
        assert thinned.end_ns(samples) == 95 * MS
    assert drawn == {
        COLD: [Point(5 * MS, 90 * MS)],
        WARM: [Point(6 * MS, 10 * MS)],
        Group("g", Verdict.UNKNOWN): [Point(0, 50 * MS)],  # given up
    }


def test_thinning_takes_its_share_from_everywhere_and_leaves_the_rare_ones_whole(tmp_path: Path) -> None:
    facts = [call(seq, at_ms=seq, target="fg"[seq % 2]) for seq in range(20_000)]
    verdicts = [judged(seq, Verdict.COLD if seq % 100 == 0 else Verdict.WARM) for seq in range(20_000)]
    with open_samples(samples_in(tmp_path, facts, verdicts)) as samples:
        known = thinned.groups(samples)
        most = {group: 1_000_000 if group.verdict is Verdict.COLD else 500 for group in known}
        drawn = thinned.points(samples, most, known)
    assert len(drawn[COLD]) == known[COLD] == 200
    for target in "fg":  # though the schedule took turns
        kept = drawn[Group(target, Verdict.WARM)]
        assert 450 <= len(kept) <= 550
        by_tenth = Counter(point.at_ns // (2_000 * MS) for point in kept)
        assert all(35 <= by_tenth[tenth] <= 65 for tenth in range(10))


def test_ranks_keep_both_ends_and_never_pool_kinds(tmp_path: Path) -> None:
    facts = [call(seq, wait_ms=1 + seq * 7 % 1000) for seq in range(1000)]
    verdicts = [judged(seq, Verdict.WARM) for seq in range(998)]
    verdicts += [judged(998, Verdict.COLD, ColdKind.IDLE), judged(999, Verdict.COLD, ColdKind.SCALEOUT)]
    with open_samples(samples_in(tmp_path, facts, verdicts)) as samples:
        ranks = thinned.ranks(samples, 10)
    warm = ranks[Waits("f", Verdict.WARM, None)]
    assert (warm[0].rank, warm[-1].rank, warm[-1].n) == (1, 998, 998)
    assert 10 <= len(warm) <= 13
    assert warm == sorted(warm)
    assert ranks[Waits("f", Verdict.COLD, ColdKind.IDLE)] == [Rank(1, 1, 987 * MS)]
    assert ranks[Waits("f", Verdict.COLD, ColdKind.SCALEOUT)] == [Rank(1, 1, 994 * MS)]


def test_instances_come_in_the_order_of_first_use(tmp_path: Path) -> None:
    facts = [
        call(0, at_ms=10, wait_ms=5, instance="b"),
        call(1, at_ms=0, wait_ms=5, instance="a"),
        call(2, at_ms=20, wait_ms=5, instance="a"),
        call(3, target="g", instance="c"),
        call(4),  # it did not say
    ]
    with open_samples(samples_in(tmp_path, facts)) as samples:
        assert thinned.instances(samples, "f") == [
            Instance("a", 0, 25 * MS, 2),
            Instance("b", 10 * MS, 15 * MS, 1),
        ]


def test_what_lies_near_together_on_an_instance_is_one(tmp_path: Path) -> None:
    sent_ms = (0, 4, 8, 12, 40, 41)
    facts = [call(seq, at_ms=at, wait_ms=3, instance="a") for seq, at in enumerate(sent_ms)]
    facts.append(call(9, at_ms=41, wait_ms=3, instance="b"))
    verdicts = [judged(0, Verdict.COLD), *(judged(seq, Verdict.WARM) for seq in (1, 2, 3, 4, 5, 9))]
    with open_samples(samples_in(tmp_path, facts, verdicts)) as samples:
        assert list(thinned.busy(samples, "f", ["a", "b"], 10 * MS)) == [
            Busy("a", Verdict.COLD, 0, 3 * MS),
            Busy("a", Verdict.WARM, 4 * MS, 15 * MS),
            Busy("a", Verdict.WARM, 40 * MS, 44 * MS),
            Busy("b", Verdict.WARM, 41 * MS, 44 * MS),
        ]
        assert list(thinned.busy(samples, "f", [], 10 * MS)) == []


def test_arrivals_are_counted_by_interval(tmp_path: Path) -> None:
    facts = [call(0), call(1, at_ms=5), call(2, at_ms=5, sent_ns=12 * MS), call(3, at_ms=31, sent_ns=None)]
    with open_samples(samples_in(tmp_path, facts)) as samples:
        found = thinned.arrivals(samples, 10 * MS)
    assert found.intended == {0: 3, 3: 1}
    assert found.sent == {0: 2, 1: 1}


def test_a_run_without_invocations_has_nothing(tmp_path: Path) -> None:
    with open_samples(samples_in(tmp_path, [])) as samples:
        assert thinned.end_ns(samples) == 0
        assert thinned.points(samples, {}, thinned.groups(samples)) == {}
        assert thinned.ranks(samples, 10) == {}

"""Runs and targets against one another: who is compared with whom, what is told, what is doubted."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldbench.analysis import compare, open_run
from coldbench.core.change import parse_change
from coldbench.core.comparison import Comparison, Difference, Group, Side, Told
from coldbench.core.errors import UsageError
from coldbench.core.summary import Interval, Outcome
from coldbench.report.comparison import comparison_csv, comparison_words
from coldbench.report.html.comparison import comparison_page
from coldbench.report.text import comparison_markdown, comparison_text
from coldbench.runs.folder import write_record
from tests.unit.measured import measured

THREE = {"node": 100.0, "python": 103.0, "custom": 300.0}


def compared(
    *folders: Path, baseline: Path | None = None, by: str | None = None, fail_if: Sequence[str] = ()
) -> Comparison:
    return compare(folders, baseline, by, lambda t: [parse_change(text, t) for text in fail_if]).comparison


def told(group: Group, field: str) -> dict[str, Told]:
    return {each.side: each.told for each in group.differences if each.field == field}


def test_targets_of_a_run_are_ranked_and_told_apart(tmp_path: Path) -> None:
    [group] = compared(measured(tmp_path, "r", THREE)).comparison
    assert group.tiers == (("node", "python"), ("custom",))
    assert told(group, "startup_ms") == {"python": Told.ALIKE, "custom": Told.SLOWER}
    assert told(group, "wait_warm_ms") == {"python": Told.ALIKE, "custom": Told.ALIKE}
    [custom] = [each for each in group.differences if (each.side, each.field) == ("custom", "startup_ms")]
    low, high = custom.difference_ms.low, custom.difference_ms.high
    assert low is not None
    assert high is not None
    assert low < 200 < high
    assert custom.longer_in_pct == pytest.approx(100)
    assert custom.times_as_many is None


def test_in_words_it_says_what_is_slower_by_how_much_and_in_which_part(tmp_path: Path) -> None:
    said = list(comparison_words(compared(measured(tmp_path, "r", THREE | {"python": 106.0}))))
    assert said[0] == "by startup, shortest first: node ~ python < custom (~: not distinguishable)"
    [starts] = [line for line in said if line.startswith("custom starts")]
    assert "ms slower than node, 95 % interval" in starts
    assert "ms in platform overhead, not your code" in starts
    assert "ms in init" in starts
    [alike] = [line for line in said if line.startswith("python and node: their starts")]
    assert "not distinguishable" in alike
    assert "times as many rounds" in alike


def test_a_larger_part_that_may_be_chance_is_not_left_out_beside_a_smaller_one_that_is_told() -> None:
    def of(field: str, value: float, verdict: Told) -> Difference:
        low, high = (value - 5, value + 5) if verdict is Told.SLOWER else (-value, 3 * value)
        found = Interval(value=value, low=low, high=high)
        return Difference(field=field, side="node", reference="custom", told=verdict, difference_ms=found)

    differences = (
        of("startup_ms", 160.0, Told.SLOWER),
        of("platform_ms", 37.2, Told.SLOWER),
        of("init_ms", 108.0, Told.ALIKE),
    )
    sides = tuple(Side(name=name, run="r", target=name) for name in ("custom", "node"))
    group = Group(name="", sides=sides, differences=differences)
    said = next(line for line in comparison_words(Comparison(comparison=(group,))) if "starts" in line)
    assert said.endswith(
        ": +37.2 ms in platform overhead, not your code (medians); +108 ms in init may be chance"
    )


def test_targets_of_one_name_are_compared_across_runs(tmp_path: Path) -> None:
    before = measured(tmp_path, "main", {"node": 100.0, "go": 50.0})
    after = measured(tmp_path, "pr", {"node": 150.0, "go": 50.0}, seed=7)
    found = compared(after, before, baseline=before)
    assert [group.name for group in found.comparison] == ["node", "go"]
    node, go = found.comparison
    assert told(node, "startup_ms") == {"pr": Told.SLOWER}
    assert told(go, "startup_ms") == {"pr": Told.ALIKE}
    assert {each.reference for each in node.differences} == {"main"}
    assert any("not interleaved" in warning for warning in found.warnings)


def test_one_target_a_run_is_compared_by_the_name_of_the_run(tmp_path: Path) -> None:
    folders = [measured(tmp_path, name, {"f": 100.0}, seed=n) for n, name in enumerate(("a", "b", "c"))]
    [group] = compared(*folders).comparison
    assert {side.name for side in group.sides} == {"a", "b", "c"}


def test_a_factor_is_compared_among_targets_that_are_alike_but_for_it(tmp_path: Path) -> None:
    labels = {
        "a": {"memory": "512", "region": "eu"},
        "b": {"memory": "1024", "region": "eu"},
        "c": {"memory": "512", "region": "us"},
    }
    folder = measured(tmp_path, "r", {"a": 200.0, "b": 100.0, "c": 200.0, "d": 90.0}, labels=labels)
    run = msgspec.json.decode((folder / "run.json").read_bytes())
    for target in run["targets"]:
        target["runtime"] = "node"
    (folder / "run.json").write_bytes(msgspec.json.encode(run))
    [group] = compared(folder, by="memory").comparison
    assert group.name == "node region=eu"
    assert [side.name for side in group.sides] == ["memory=1024", "memory=512"]
    with pytest.raises(UsageError, match="labels there: memory, region"):
        compared(folder, by="colour")


def test_a_single_target_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fewer than two targets"):
        compared(measured(tmp_path, "r", {"f": 100.0}))


def test_with_too_few_rounds_nothing_is_told(tmp_path: Path) -> None:
    found = compared(measured(tmp_path, "r", THREE, rounds=2))
    [group] = found.comparison
    assert {each.told for each in group.differences} == {Told.TOO_FEW}
    assert group.tiers == (("node", "python", "custom"),)
    assert any("too few rounds" in line for line in comparison_words(found))


def test_what_makes_runs_differ_is_said(tmp_path: Path) -> None:
    one = measured(tmp_path, "a", {"f": 100.0})
    other = measured(tmp_path, "b", {"f": 100.0}, rounds=5, started_at="2026-11-24T10:00:00+00:00")
    said = " ".join(compared(one, other).warnings)
    assert "they differ in the profile: repeat" in said
    assert "times of day differ" in said
    assert compared(measured(tmp_path, "c", THREE)).warnings == ()


def test_another_deployment_is_said(tmp_path: Path) -> None:
    folders = [measured(tmp_path, name, {"f": 100.0}) for name in "abc"]
    for folder, told in zip(
        folders, ({"code": "1", "region": "x"}, {"code": "2", "region": "x"}, {}), strict=True
    ):
        run = open_run(folder)
        write_record(folder, replace(run, targets=(replace(run.targets[0], deployment=told),)))
    assert "they differ in the deployed code: 1 and 2" in compared(folders[0], folders[1]).warnings
    assert not [
        text for text in compared(folders[0], folders[2]).warnings if "code" in text or "region" in text
    ]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("startup_ms.p50 > +10%", Outcome.FAILED),
        ("startup_ms.p50 > +100%", Outcome.PASSED),
        ("startup_ms.p50 > +50%", Outcome.TOO_FEW),  # what it is
        ("startup_ms.p50 > +10", Outcome.FAILED),  # ms
        ("startup_ms.p50 < -10%", Outcome.PASSED),
        ("startup_ms.p99 > +10%", Outcome.TOO_FEW),  # withheld
        ("node.wait_warm_ms.p50 > +20%", Outcome.PASSED),
        ("service_ms.mean > +1000%", Outcome.PASSED),
    ],
)
def test_a_change_fails_passes_or_is_not_decided(tmp_path: Path, text: str, outcome: Outcome) -> None:
    before = measured(tmp_path, "main", {"node": 100.0})
    after = measured(tmp_path, "pr", {"node": 150.0}, seed=7)
    [check] = compared(after, before, baseline=before, fail_if=[text]).checks
    assert check.outcome is outcome
    assert check.target == "node"


def test_a_change_needs_a_baseline(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no baseline"):
        compared(measured(tmp_path, "r", THREE), fail_if=["startup_ms.p50 > +10%"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "startup_ms.p50",
        "startup_ms.p50 > 10%",
        "startup_ms.p50 = +10%",
        "counts.errors > +10%",
        "p50 > +1%",
    ],
)
def test_what_is_no_change_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="--fail-if"):
        parse_change(text, ["node"])


@given(st.text(max_size=40))
def test_any_text_is_read_as_a_change_or_refused(text: str) -> None:
    try:
        parse_change(text, ["node"])
    except UsageError:
        pass


HOSTILE = "=cmd()<script>\x1b[31m"


def test_a_hostile_name_is_text_on_every_face(tmp_path: Path) -> None:
    found = compare([measured(tmp_path, "r", {HOSTILE: 100.0, "b": 200.0})], None, None, lambda targets: [])
    written = {row["reference"] for row in csv.DictReader(io.StringIO(comparison_csv(found.comparison)))}
    assert written == {f"'{HOSTILE}"}
    page = comparison_page(found.comparison, found.samples)
    for face in (comparison_text(found.comparison), comparison_markdown(found.comparison), page):
        assert "\x1b" not in face
    assert "<script>\\x1b" not in page
    assert "cmd()&lt;script&gt;" in page


def test_the_csv_has_each_difference(tmp_path: Path) -> None:
    found = compared(measured(tmp_path, "r", THREE))
    differences: list[Difference] = [each for group in found.comparison for each in group.differences]
    rows = list(csv.DictReader(io.StringIO(comparison_csv(found))))
    assert [(row["field"], row["side"], float(row["difference_ms"])) for row in rows] == [
        (each.field, each.side, each.difference_ms.value) for each in differences
    ]

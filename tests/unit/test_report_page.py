"""The page: what it shows, and that nothing a server said can act in it."""

import base64
import hashlib
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from coldbench.core.keepwarm import Keepwarm, Round
from coldbench.core.summary import CurvePoint, Lifetime, Run, State, TargetInfo
from coldbench.core.verdict import ColdKind, Verdict
from coldbench.report.html import experiments, figures, instances
from coldbench.report.html.page import PAGE, page, read_page, write_page
from coldbench.runs.events import EventLog
from coldbench.runs.samples import open_samples
from tests.unit.report_runs import NODE, PYTHON, run_of
from tests.unit.sampled import call, judged, samples_in

HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">{{7*7}}\x1b[31m\u202e'
ATTRIBUTES_THAT_FETCH = {"src", "href", "srcset", "action", "data", "poster", "background"}


class Parsed(HTMLParser):
    """Elements, the text of scripts, and all other text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.text = ""
        self._script: str | None = None
        self._inside: str | None = None
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs).get("type"), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            kind, before = self.scripts[-1]
            self.scripts[-1] = (kind, before + data)
        elif self._inside != "style":
            self.text += data

    @property
    def options(self) -> list[dict[str, Any]]:
        """Of the pictures."""
        return [json.loads(text) for kind, text in self.scripts if kind == "application/json"]


def shown(run: Run, path: Path) -> Parsed:
    with open_samples(path) as samples:
        return Parsed(page(run, samples))


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Of the target python: two cold starts on instances of their own, then warm calls on one of them."""
    facts = [call(seq, at_ms=seq, wait_ms=80, target="python", instance=f"i{seq}") for seq in range(2)]
    facts += [call(seq, at_ms=100 * seq, target="python", instance="i0") for seq in range(2, 12)]
    verdicts = [judged(seq, Verdict.COLD, ColdKind.IDLE) for seq in range(2)]
    verdicts += [judged(seq, Verdict.WARM) for seq in range(2, 12)]
    return samples_in(tmp_path, facts, verdicts)


def test_each_question_has_its_picture_its_table_and_its_words(samples: Path) -> None:
    found = shown(run_of(PYTHON), samples)
    assert found.tags.count("figure") == len(found.options) == 5
    over_time, waits, startup, instances, arrivals = found.options
    assert [its["name"] for its in over_time["series"]] == ["warm", "cold"]
    assert over_time["series"][1]["data"] == [[0.0, 80.0], [0.001, 80.0]]
    assert [its["name"] for its in waits["series"]] == ["python cold", "python warm"]
    assert waits["series"][0]["data"] == [[80.0, 0.0], [80.0, 50.0], [80.0, 100.0]]
    assert [(its["name"], its["data"]) for its in startup["series"]] == [
        ("network", [0.5]),
        ("platform overhead", [6.6]),
        ("init", [64.4]),
        ("execution", [5.1]),
    ]
    rows = {its["name"]: its["data"] for its in instances["series"]}
    assert rows["cold"] == [[0.0, 1], [0.08, 1], [None, None], [0.001, 2], [0.081, 2], [None, None]]
    assert {row for _, row in rows["warm"]} == {1, None}
    assert sum(number for _, number in arrivals["series"][0]["data"]) == 12
    words = " ".join(found.text.split())
    assert "a cold start costs its caller 71.3 ms" in words
    assert "n = 12. All are drawn." in words
    assert "n = 2 instances." in words
    assert found.tags.count("table") == 5
    assert ("data-print", None) not in found.attributes


def test_what_a_server_says_is_text(tmp_path: Path) -> None:
    result = replace(PYTHON, target=HOSTILE, first_response=HOSTILE, notes=(HOSTILE,))
    target = TargetInfo(name=HOSTILE, url=HOSTILE, runtime=HOSTILE, platform=HOSTILE, evidence_level=2)
    run = run_of(result, name=HOSTILE, targets=(target,), notes=(HOSTILE,), profile={"x": HOSTILE})
    facts = [call(0, target=HOSTILE, instance=HOSTILE), call(1, target=HOSTILE)]
    path = samples_in(tmp_path, facts, [judged(0, Verdict.COLD), judged(1, Verdict.WARM)])
    plain = shown(run_of(PYTHON), samples_in(_folder(tmp_path / "plain"), []))
    found = shown(run, path)
    assert set(found.tags) <= {*plain.tags, "figure", "figcaption", "h3", "div", "strong"}
    assert not {name for name, _ in found.attributes if name.startswith("on")}
    assert len(found.scripts) == len(found.options) + 2
    assert "<script>alert(1)</script>" in found.text
    assert "{{7*7}}" in found.text
    assert not {"\x1b", "\u202e"} & set(found.text)


def test_nothing_is_fetched_and_only_our_scripts_run(samples: Path) -> None:
    found = shown(run_of(PYTHON, NODE), samples)
    assert {value for name, value in found.attributes if name in ATTRIBUTES_THAT_FETCH} == {"data:,"}
    (policy,) = [value for name, value in found.attributes if value and value.startswith("default-src")]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind, text in found.scripts:
        if kind is None:
            assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy


def test_a_run_under_way_has_its_pictures(tmp_path: Path) -> None:
    run = replace(run_of(), state=State.RUNNING, judge_version=None, targets=run_of(PYTHON).targets)
    path = samples_in(tmp_path, [call(seq, at_ms=seq, target="python") for seq in range(5)])
    found = shown(run, path)
    assert found.options[0]["series"][0]["name"] == "not judged yet"
    assert "This run goes on" in found.text


def test_thinning_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "_MOST_POINTS", 100)
    monkeypatch.setattr(instances, "_MOST_ROWS", 3)
    facts = [call(seq, at_ms=seq, target="python", instance=f"i{seq % 7}") for seq in range(1000)]
    verdicts = [judged(seq, Verdict.COLD if seq < 150 else Verdict.WARM) for seq in range(1000)]
    found = shown(run_of(PYTHON), samples_in(tmp_path, facts, verdicts))
    warm, cold = (len(its["data"]) for its in found.options[0]["series"])
    assert cold == 150
    words = " ".join(found.text.split())
    assert f"Drawn are {warm} of 850 warm, each with the same chance, and all of the others." in words
    assert "The first 3 of 7 are drawn." in words


def test_the_page_is_written_whole_and_for_its_user_alone(samples: Path) -> None:
    written = write_page(samples.parent, run_of(PYTHON))
    assert written == samples.parent / PAGE
    assert written.stat().st_mode & 0o777 == 0o600
    assert written.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert sorted(path.name for path in samples.parent.iterdir()) == [PAGE, samples.name]


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_a_lifetime_has_its_curve_and_its_trials(samples: Path) -> None:
    curve = (
        CurvePoint(gap_s=1.0, cold=False, probability=0.0),
        CurvePoint(gap_s=3.0, cold=True, probability=0.5),
        CurvePoint(gap_s=4.0, cold=False, probability=0.5),
        CurvePoint(gap_s=9.0, cold=True, probability=1.0),
    )
    run = run_of(PYTHON, command="lifetime", lifetime=Lifetime(trials=4, cold=2, warm=2, curve=curve))
    line, cold, warm = shown(run, samples).options[0]["series"]
    assert line["data"] == [[1.0, 0.0], [3.0, 50.0], [4.0, 50.0], [9.0, 100.0]]
    assert (cold["data"], warm["data"]) == ([[3.0, 100.0], [9.0, 100.0]], [[1.0, 0.0], [4.0, 0.0]])


def test_rounds_of_pings_have_their_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "_MOST_ROUNDS", 2)
    with EventLog[Round](tmp_path) as log:
        for number, reached in enumerate((3, 2, 3, 3)):
            log.append(round_of(number, reached))
    run = run_of(
        PYTHON, command="keepwarm", keepwarm=Keepwarm(asked=3, reached=3, rounds=4, coverage_pct=75.0)
    )
    samples_in(tmp_path, [])
    found = Parsed(read_page(tmp_path, run))
    reached, asked = found.options[0]["series"]
    assert reached["data"] == [[0.0, 2], [20.0, 3]]  # of two rounds the one that reached fewest
    assert asked["data"] == [[0.0, 3], [20.0, 3]]
    assert "Of each 2 rounds the one that reached fewest is drawn." in found.text


def round_of(number: int, reached: int) -> Round:
    return Round(
        target="python", number=number, at_s=10.0 * number, asked=3, reached=reached, estimated=False,
        pings=3, hold_ms=50.0, spread_ms=1.0, cold=0, recycled=False, answers=3, took_s=0.1, every_s=10.0,
    )  # fmt: skip

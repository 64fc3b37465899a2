"""Calls that timed out in comparisons: they are slow calls, not missing ones."""

from pathlib import Path

import numpy as np
import pytest

from coldbench.analysis import Compared, compare
from coldbench.core.change import parse_change
from coldbench.core.summary import Outcome
from coldbench.report.comparison import comparison_words
from coldbench.report.html.comparison import comparison_page
from coldbench.report.text import comparison_text
from coldbench.stats.cut_off import quantile
from tests.unit.measured import answered_or_not

INF = float("inf")


def against(tmp_path: Path, base: tuple[float, int], new: tuple[float, int], *fail_if: str) -> Compared:
    """Two runs of calls that wait so long, ms; so many of 20 time out."""
    folders = [
        answered_or_not(tmp_path, name, {"f": wait_ms}, timeouts, seed=seed)
        for seed, (name, (wait_ms, timeouts)) in enumerate((("base", base), ("new", new)))
    ]
    return compare(folders, folders[0], None, lambda t: [parse_change(text, t) for text in fail_if])


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([3.0, 1.0, 2.0, 4.0], 0.5, 2.5),
        ([1.0, 2.0, INF], 0.5, 2.0),  # numpy: nan
        ([1.0, 2.0, INF, INF], 0.5, INF),
        ([INF, INF], 0.5, INF),
        ([1.0], 0.9, 1.0),
    ],
)
def test_a_quantile_is_beyond_where_it_depends_on_what_was_cut_off(
    values: list[float], part: float, expected: float
) -> None:
    assert quantile(np.array(values), part) == expected


def test_it_is_numpys_own_where_nothing_was_cut_off() -> None:
    values = np.random.default_rng(0).exponential(size=57)
    for part in (0.1, 0.5, 0.9, 0.99, 1.0):
        assert quantile(values, part) == pytest.approx(np.quantile(values, part))


def test_who_times_out_is_not_the_faster_one(tmp_path: Path) -> None:
    found = against(tmp_path, (53.0, 0), (47.0, 12))
    [group] = found.comparison.comparison
    assert [side.name for side in group.sides] == ["base", "new"]
    assert group.tiers == (("base",), ("new",))
    figure = group.sides[1].figures["service_ms"]
    assert (figure.n, figure.cut_off, figure.p50, figure.beyond) == (200, 120, None, True)
    assert not [each for each in group.differences if each.field == "service_ms"]
    [said] = [line for line in comparison_words(found.comparison) if "timed out" in line]
    assert "new: 120 of 200 calls timed out" in said
    [doubt] = [line for line in found.comparison.warnings if "failed" in line]
    assert "base 0.0 %, new 60.0 %" in doubt
    for face in (comparison_text(found.comparison), comparison_page(found.comparison, found.samples)):
        assert "inf" not in face.replace("info", "").lower().split()


@pytest.mark.parametrize(
    ("base", "new", "text", "outcome"),
    [
        ((53.0, 0), (47.0, 12), "service_ms.p50 > +10%", Outcome.FAILED),
        ((53.0, 0), (47.0, 12), "response_ms.p50 > +10", Outcome.FAILED),
        ((53.0, 0), (47.0, 12), "service_ms.p50 < -10%", Outcome.PASSED),
        ((53.0, 0), (47.0, 4), "service_ms.p90 > +10%", Outcome.FAILED),
        ((53.0, 0), (47.0, 4), "service_ms.p50 > +10%", Outcome.PASSED),  # the timeouts are few
        ((53.0, 0), (47.0, 12), "service_ms.mean > +10%", Outcome.TOO_FEW),
        ((53.0, 12), (47.0, 12), "service_ms.p50 > +10%", Outcome.TOO_FEW),  # nobody knows
        ((53.0, 12), (47.0, 0), "service_ms.p50 > +10%", Outcome.TOO_FEW),
        ((50.0, 0), (70.0, 0), "response_ms.p50 > +10%", Outcome.FAILED),
        ((50.0, 0), (50.0, 0), "dns_ms.p50 > +10%", Outcome.TOO_FEW),  # nothing was observed
    ],
)
def test_a_gate_knows_of_timeouts(
    tmp_path: Path, base: tuple[float, int], new: tuple[float, int], text: str, outcome: Outcome
) -> None:
    [check] = against(tmp_path, base, new, text).comparison.checks
    assert check.outcome is outcome
    if check.n:
        assert check.n == 200


def test_every_field_has_samples_and_those_of_all_calls_have_what_was_cut_off(tmp_path: Path) -> None:
    samples = against(tmp_path, (50.0, 0), (50.0, 3)).samples["f"]
    assert {"response_ms", "dns_ms", "connect_ms", "tls_ms"} < set(samples["new"])
    for field in ("service_ms", "response_ms"):
        values = [value for its in samples["new"][field].values() for value in its]
        assert (len(values), values.count(INF)) == (200, 30)

"""`coldbench lifetime` against the lab."""

from pathlib import Path

import pytest

from tests.e2e.cli import add_up, coldbench, only_folder, parsed


@pytest.mark.slow
@pytest.mark.promise("a lifetime experiment is cut off and resumed", "no trial is counted twice")
def test_the_lab_s_timeout_is_found_and_a_resumed_run_counts_nothing_twice(tmp_path: Path) -> None:
    url = "lab:python?idle=600ms"
    asked = ("lifetime", "--url", url, "--seed", "1", "--json", "-")
    first = parsed(coldbench(*asked, "--samples", "4", cwd=tmp_path))
    add_up(first)
    assert first["lifetime"]["trials"] == 4
    again = parsed(
        coldbench(*asked, "--samples", "14", "--precision", "1%", "--resume", "latest", cwd=tmp_path)
    )
    add_up(again)
    assert only_folder(tmp_path).name.endswith("_lifetime_python")
    assert again["run_id"] == first["run_id"]
    found = again["lifetime"]
    assert found["trials"] == 18
    assert len(found["curve"]) == found["cold"] + found["warm"] == 18 - found["voided"] - found["unknown"]
    # Its instances are found by their timeout, which a busy machine may be late to act on.
    assert found["p50"]["low"] <= 0.8
    assert found["p50"]["high"] >= 0.6
    assert all(point["cold"] for point in found["curve"] if point["gap_s"] > 1.2)
    # A gap counts from the answer as it was seen, which a busy machine may see late.
    assert not any(point["cold"] for point in found["curve"] if point["gap_s"] < 0.4)


@pytest.mark.accept
@pytest.mark.timeout(300)
@pytest.mark.parametrize("evidence", ["full", "headers", "none"])
def test_a_timeout_of_three_seconds_is_found_within_five_percent(evidence: str, tmp_path: Path) -> None:
    url = f"lab:python?idle=3s&evidence={evidence}"
    run = coldbench(
        "lifetime",
        "--url",
        url,
        "--precision",
        "5%",
        "--max-gap",
        "8s",
        "--json",
        "-",
        cwd=tmp_path,
        within_s=280,
    )
    assert parsed(run)["lifetime"]["p50"]["value"] == pytest.approx(3.0, rel=0.05)


def test_the_plan_is_shown_and_nothing_is_sent(tmp_path: Path) -> None:
    shown = coldbench("lifetime", "--url", "https://f.example/", "--dry-run", cwd=tmp_path)
    assert "at most 60 trials" in shown.stdout
    assert not (tmp_path / "reports").exists()


def test_a_run_of_another_command_is_not_gone_on_with(tmp_path: Path) -> None:
    url = "lab:python"
    coldbench("probe", "--url", url, "--samples", "1", cwd=tmp_path)
    refused = coldbench("lifetime", "--url", url, "--resume", "latest", cwd=tmp_path)
    assert refused.returncode == 2
    assert "not of lifetime" in refused.stderr

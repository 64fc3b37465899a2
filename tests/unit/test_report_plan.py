"""The plan in words, before anything is sent."""

import pytest

from coldbench.core.profile import parse_profile
from coldbench.core.schedule import plan
from coldbench.core.target import Target
from coldbench.report.plan import plan_lines

BURSTS = """
repeat = 3
[[stage]]
kind = "idle"
duration = "30s"
[[stage]]
kind = "burst"
size = 100
"""


def said(text: str, *names: str) -> list[str]:
    profile = parse_profile(text, "profiles/mine.toml")
    targets = [Target(name=name, url="http://x/", endpoint="http://x/") for name in names]
    return list(plan_lines(profile, plan(profile, len(targets), 7), targets))


def test_bursts_against_two_targets() -> None:
    head, stages, seed = said(BURSTS, "python", "node")
    assert "600 invocations to python, node (300 each), about 1m 30s" in head
    assert stages.strip() == "3 rounds of: 30s of silence, then a burst of 100, to each target"
    assert seed.strip() == "seed 7"


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ('kind = "rate"\nrate = 20\nduration = "1m"', "20/s evenly for 1m"),
        (
            'kind = "rate"\nrate = 0.5\nduration = "1m"\narrivals = "poisson"',
            "0.5/s at random (Poisson) for 1m",
        ),
        ('kind = "ramp"\nfrom = 1\nto = 50\nduration = "2m"', "1/s to 50/s over 2m"),
        ('kind = "users"\nusers = 10\nduration = "30s"', "10 users for 30s"),
    ],
)
def test_each_kind_of_stage(stage: str, words: str) -> None:
    assert said(f"[[stage]]\n{stage}\n", "python")[1].strip() == words


def test_users_are_paced_by_the_answers() -> None:
    head = said('[[stage]]\nkind = "users"\nusers = 10\nduration = "30s"\n', "a\x1b[2J")[0]
    assert "as many invocations as the answers allow to a\\x1b[2J, about 30s" in head

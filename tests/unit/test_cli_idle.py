"""Silences against how long unused instances live."""

from functools import partial

import pytest

from coldbench.cli.idle import auto_idle_ns, idle_lines
from coldbench.cli.targets import TargetOptions, read_targets
from coldbench.core.errors import UsageError
from coldbench.core.profile import Idle, Profile, apply_settings, parse_profile, with_idle
from coldbench.core.target import Target

SECOND = 10**9
LAMBDA = "https://abc.lambda-url.eu-west-1.on.aws/"
BURSTS = """
[[stage]]
kind = "idle"
duration = "auto"
[[stage]]
kind = "burst"
size = 1
"""


def targets(*urls: str) -> list[Target]:
    named = [url if url.startswith("lab:") else f"t{number}={url}" for number, url in enumerate(urls)]
    return list(read_targets(TargetOptions(url=named)))


def silence(*urls: str) -> int:
    profile = with_idle(parse_profile(BURSTS, "p.toml"), partial(auto_idle_ns, targets(*urls)))
    (idle,) = (stage for stage in profile.stages if isinstance(stage, Idle))
    return idle.duration_ns


@pytest.mark.parametrize(
    ("urls", "seconds"),
    [
        ((LAMBDA,), 504),
        (("lab:python?idle=5s",), 6),
        ((LAMBDA, "lab:python?idle=5s"), 504),
        # By its scheme: the host is that of other versions, too.
        (("fc:hello?account=123&region=cn-hangzhou",), 360),
    ],
)
def test_auto_outlasts_the_instances_of_all_targets(urls: tuple[str, ...], seconds: int) -> None:
    assert silence(*urls) == seconds * SECOND


def test_auto_without_a_known_platform_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"idle\.duration = auto.*coldbench lifetime"):
        silence("https://f.example/")


def lines(duration: str, *urls: str) -> list[str]:
    profile: Profile = apply_settings(parse_profile(BURSTS, "p.toml"), [f"idle.duration={duration}"])
    return list(idle_lines(profile, targets(*urls)))


def test_a_silence_that_is_too_short_is_said_before_anything_is_sent() -> None:
    (line,) = lines("30s", LAMBDA, "https://f.example/")
    assert line.strip() == (
        "idle 30s is below the 5m to 7m that unused instances of t0 live: "
        "use --set idle.duration=auto, or --prepare"
    )
    assert not lines("8m", LAMBDA)
    assert not lines("30s", "lab:python?idle=5s")

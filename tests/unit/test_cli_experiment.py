"""From the options of `probe` to its experiment."""

from typing import Any

import pytest

from coldbench.cli import run
from coldbench.cli.experiment import read_experiment
from coldbench.core.errors import ExitCode, UsageError
from coldbench.core.rounds import Experiment, Provocation
from coldbench.core.target import Target

SECOND = 10**9


def experiment(*urls: str, **options: Any) -> Experiment:
    asked: dict[str, Any] = dict.fromkeys(
        ("gap", "prepare", "force", "connect_ahead", "samples", "precision", "max_time")
    )
    targets = [Target(name=url, url=url, endpoint=url) for url in urls or ("https://f.example/",)]
    return read_experiment(targets, seed=1, **(asked | options))


def test_the_lab_says_itself_how_long_to_wait_and_the_longest_wait_is_everybodys() -> None:
    assert experiment("lab:python?idle=10s").gap_ns == (12 * SECOND, 16 * SECOND)
    assert experiment("lab:python?idle=1s", "lab:node?idle=10s").gap_ns == (12 * SECOND, 16 * SECOND)
    assert experiment("lab:python", "https://f.example/").gap_ns == experiment().gap_ns
    assert experiment().gap_ns == (360 * SECOND, 600 * SECOND)


def test_a_platform_known_by_its_host_says_how_long_to_wait() -> None:
    assert experiment("https://abc.lambda-url.eu-west-1.on.aws/").gap_ns == (504 * SECOND, 672 * SECOND)


@pytest.mark.parametrize(
    ("options", "provocation", "gap_ns"),
    [
        ({"gap": "5s"}, Provocation.GAP, (5 * SECOND, 5 * SECOND)),
        ({"gap": "5s-15s"}, Provocation.GAP, (5 * SECOND, 15 * SECOND)),
        ({"prepare": "true"}, Provocation.PREPARE, (0, 0)),
        ({"force": "burst"}, Provocation.BURST, (0, 0)),
    ],
)
def test_one_way_to_make_it_cold(
    options: dict[str, str], provocation: Provocation, gap_ns: tuple[int, int]
) -> None:
    found = experiment(**options)
    assert (found.provocation, found.gap_ns) == (provocation, gap_ns)


def test_precision_lets_it_go_on_for_longer() -> None:
    assert experiment().samples == 10
    assert experiment(precision="2.5%").precision == 0.025
    assert experiment(precision="5%").samples > 10
    assert experiment(precision="5%", samples=30).samples == 30
    assert experiment(max_time="2m").max_time_ns == 120 * SECOND


def test_without_the_package_http2_is_a_usage_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("coldbench.cli.probe.find_spec", lambda name: None)
    assert run(["probe", "--url", "https://f.example/", "--http2"]) == ExitCode.USAGE
    assert "pip install 'coldbench[http2]'" in capsys.readouterr().err


def test_a_bare_connection_comes_so_long_before_a_call() -> None:
    assert experiment().connect_ahead_ns == 0
    assert experiment(connect_ahead="20s").connect_ahead_ns == 20 * SECOND
    with pytest.raises(UsageError, match="expected a duration above 0"):
        experiment(connect_ahead="0s")

"""From the command line to the probe's experiment."""

import re
from collections.abc import Sequence

from coldbench.cli.idle import lifetime_ns
from coldbench.core.durations import parse_duration
from coldbench.core.errors import UsageError
from coldbench.core.rounds import Experiment, Provocation
from coldbench.core.target import Target

_SAMPLES = 10
# With --precision alone: where the estimate would not become so precise in a time that anybody waits.
_MOST_SAMPLES = 200
_FEWEST_WITH_CONNECTIONS = 3
# Longer than most platforms keep an unused instance (1 to 15 minutes).
_UNKNOWN_GAP_NS = (6 * 60 * 10**9, 10 * 60 * 10**9)
_MARGIN = (1.2, 1.6)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")


def read_experiment(
    targets: Sequence[Target],
    *,
    gap: str | None,
    prepare: str | None,
    force: str | None,
    connect_ahead: str | None,
    samples: int | None,
    precision: str | None,
    max_time: str | None,
    seed: int,
) -> Experiment:
    """What the options ask for; UsageError where they contradict one another."""
    ways = {"--gap": gap, "--prepare": prepare, "--force": force}
    given = [option for option, value in ways.items() if value is not None]
    if len(given) > 1:
        raise UsageError("choose one way to make the target cold", place=" ".join(given))
    if force not in (None, "burst"):
        raise UsageError(f"expected burst, got {force!r}", place="--force")
    if connect_ahead is not None and (force or prepare is not None):
        raise UsageError(
            "it is a silence that a connection may end; here there is none",
            place="--connect-ahead",
            hint=f"leave out {given[0]}",
        )
    if samples is not None and samples < 1:
        raise UsageError("expected at least 1", place=f"--samples {samples}")
    if connect_ahead is not None and samples is not None and samples < _FEWEST_WITH_CONNECTIONS:
        raise UsageError(
            "no round with a connection and one without",
            place=f"--samples {samples}",
            hint=f"--connect-ahead needs at least {_FEWEST_WITH_CONNECTIONS}, and ten to tell much",
        )
    provocation = (
        Provocation.BURST if force else Provocation.PREPARE if prepare is not None else Provocation.GAP
    )
    return Experiment(
        provocation=provocation,
        gap_ns=_gap(gap, targets) if provocation is Provocation.GAP else (0, 0),
        samples=samples or (_SAMPLES if precision is None else _MOST_SAMPLES),
        seed=seed,
        connect_ahead_ns=0 if connect_ahead is None else _ahead(connect_ahead),
        precision=None if precision is None else read_part(precision),
        max_time_ns=None if max_time is None else parse_duration(max_time, place="--max-time"),
    )


def _ahead(text: str) -> int:
    ahead_ns = parse_duration(text, place="--connect-ahead")
    if not ahead_ns:
        raise UsageError("expected a duration above 0", place=f"--connect-ahead {text}")
    return ahead_ns


def _gap(text: str | None, targets: Sequence[Target]) -> tuple[int, int]:
    if text is None:
        return max(_own_gap(target) for target in targets)
    shortest, dash, longest = text.partition("-")
    low = parse_duration(shortest, place="--gap")
    high = parse_duration(longest, place="--gap") if dash else low
    if high < low:
        raise UsageError(f"the longest is shorter than the shortest: {text}", place="--gap")
    return low, high


def _own_gap(target: Target) -> tuple[int, int]:
    lives = lifetime_ns(target)
    if lives is None:
        return _UNKNOWN_GAP_NS
    low, high = (round(margin * lives[1]) for margin in _MARGIN)
    return low, high


def read_part(text: str) -> float:
    """A part of one from `5%`, the value of `--precision`; UsageError for anything else."""
    percent = _PERCENT.fullmatch(text)
    if percent is None or not 0 < float(percent[1]) < 100:
        raise UsageError(f"expected a part such as 5%, got {text!r}", place="--precision")
    return float(percent[1]) / 100

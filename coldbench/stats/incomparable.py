"""What differs between runs beside what is compared: each is a reason to doubt the comparison."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from coldbench.core.summary import Run, State
from coldbench.stats.comparison import Contender, Sampled

_FAR_APART = timedelta(hours=1)
# Round trips that differ by more than this, and by more than half of the longer one.
_FAR_MS = 5.0
# Answers that are a failure; numbers of failures that are less likely by chance are told to differ.
_BAD_STATUS = 400
_CHANCE = 0.01
_NAMES = ("name", "description")  # of a profile: they change nothing


def doubts(runs: Sequence[Sampled], groups: Sequence[Sequence[Contender]]) -> Iterator[str]:
    """In words, the weightiest first."""
    records = [sampled.run for sampled in runs]
    for sampled in runs:
        if sampled.run.state is not State.COMPLETE:
            yield f"{sampled.folder} is {sampled.run.state}: its figures may be of a part, or of the machine"
    for contenders in groups:
        yield from _of_sides(contenders)
    if len(records) > 1:
        yield from _of_runs(records)


def _of_sides(contenders: Sequence[Contender]) -> Iterator[str]:
    names = ", ".join(one.side.name for one in contenders)
    kinds = {one.side.cold_kind for one in contenders if one.side.cold_kind}
    if len(kinds) > 1:
        yield f"{names}: cold starts of different kinds ({_and(kinds)}) are not compared"
    yield from _failing(contenders)
    trips = [one.result.round_trip_ms for one in contenders if one.result.round_trip_ms is not None]
    if trips and max(trips) - min(trips) > max(_FAR_MS, max(trips) / 2):
        yield f"{names}: round trips of {min(trips):.1f} to {max(trips):.1f} ms are in the waits"


def _failing(contenders: Sequence[Contender]) -> Iterator[str]:
    """Where the parts of calls that failed differ by more than chance: what failed is no slow call."""
    numbers = {one.side.name: (_failed(one), sum(one.result.verdicts.values())) for one in contenders}
    known = sorted((its for its in numbers.values() if its[1]), key=lambda its: its[0] / its[1])
    if not known or not _unlike(known[0], known[-1]):
        return
    said = ", ".join(f"{name} {100 * bad / n:.1f} %" for name, (bad, n) in numbers.items() if n)
    yield (
        f"calls that failed (no whole answer, or a status of 400 or more): {said}; "
        "they are missing among the times, or look quick"
    )


def _failed(one: Contender) -> int:
    refused = sum(number for status, number in one.result.statuses.items() if int(status) >= _BAD_STATUS)
    return sum(one.result.errors.values()) + refused


def _unlike(least: tuple[int, int], most: tuple[int, int]) -> bool:
    """By Fisher's exact test, of numbers that failed among so many."""
    from scipy.stats import fisher_exact

    return float(fisher_exact([[bad, n - bad] for bad, n in (least, most)]).pvalue) < _CHANCE


def _of_runs(records: Sequence[Run]) -> Iterator[str]:
    yield (
        "the runs were not interleaved: what changed between them is in the differences too; one that may be "
        "less than 10 % is not told (targets of one run are compared without this margin)"
    )
    begun = [datetime.fromisoformat(run.started_at) for run in records]
    if max(begun) - min(begun) > _FAR_APART:
        first, last = (f"{at:%Y-%m-%d %H:%M}" for at in (min(begun), max(begun)))
        yield f"the first began at {first}, the last at {last} UTC: times of day differ"
    if keys := _differing([run.profile or {} for run in records]):
        yield f"they differ in the profile: {', '.join(keys)}"
    for what, of in _ALIKE.items():
        found = {said for run in records if (said := of(run))}
        if len(found) > 1:
            yield f"they differ in {what}: {_and(found)}"


def _of_targets(field: str) -> Callable[[Run], str]:
    return lambda run: "/".join(sorted({str(getattr(target, field)) for target in run.targets}))


def _deployed(kind: str) -> Callable[[Run], str]:
    return lambda run: "/".join(sorted({target.deployment.get(kind, "") for target in run.targets} - {""}))


def _of_machine(key: str) -> Callable[[Run], str]:
    return lambda run: str(run.machine.get(key))


_ALIKE: dict[str, Callable[[Run], str]] = {
    "the command": lambda run: run.command,
    "the connections": _of_targets("connections"),
    "the method": _of_targets("method"),
    "the evidence level": _of_targets("evidence_level"),
    "the deployed code": _deployed("code"),
    "the deployed version": _deployed("version"),
    "the memory, MB": _deployed("memory_mb"),
    "the region": _deployed("region"),
    "the machine's system": _of_machine("system"),
    "the machine's processor": _of_machine("processor"),
    "the machine's cores": _of_machine("cores"),
    "the version of coldbench": lambda run: run.version,
}


def _differing(profiles: Sequence[Mapping[str, object]]) -> list[str]:
    keys = dict.fromkeys(key for profile in profiles for key in profile if key not in _NAMES)
    return [key for key in keys if any(its.get(key) != profiles[0].get(key) for its in profiles)]


def _and(found: set[str]) -> str:
    return " and ".join(sorted(found))

"""What answers tell of the deployment behind them: alike in all of a run, unless it was changed meanwhile."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from coldbench.core.invocation import Evidence
from coldbench.evidence.platforms import platforms
from coldbench.evidence.readings import member

# In the reports that logs end with (`log_tail`).
_MEMORY = re.compile(r"Memory Size: (\d+) MB")
_LOG_TAILS = ("x-amz-log-result", "x-fc-log-result")
_MOST = 8  # values of one kind; more are not one deployment's


class DeploymentTally:
    """Of one target: add the evidence of its answers, then ask."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, None]] = {}

    def add(self, evidence: Evidence) -> None:
        """One more; of a platform of the user's own table nothing is known here."""
        for kind, header, read in _of_platform(evidence.platform):
            value = evidence.raw.get(header)
            said = None if value is None else read(value)
            if said:
                values = self._told.setdefault(kind, {})
                if len(values) < _MOST:
                    values[said] = None

    def deployment(self) -> dict[str, str]:
        """By `code`, `version`, `memory_mb` and `region`: what was told; several values in their order."""
        return {kind: ", ".join(values) for kind, values in sorted(self._told.items())}

    def notes(self) -> Iterator[str]:
        """What was not alike in all of the run."""
        for kind, values in sorted(self._told.items()):
            if len(values) > 1:
                yield f"answers name several deployments, by {kind}: {', '.join(values)}"


_Reading = tuple[str, str, Callable[[str], str | None]]


@lru_cache
def _of_platform(platform: str | None) -> tuple[_Reading, ...]:
    known = platforms().get(platform or "")
    if known is None:
        return ()
    told: list[_Reading] = [
        (field.deployment, field.name.lower(), str if field.key is None else member(field.key))
        for field in known.fields
        if field.deployment is not None and field.verified != "no"
    ]
    return (*told, *(("memory_mb", header, _memory) for header in _LOG_TAILS))


def _memory(report: str) -> str | None:
    found = _MEMORY.search(report)
    return None if found is None else found.group(1)

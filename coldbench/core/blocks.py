"""Which invocations share what happened to them: the unit that intervals resample."""

from collections.abc import Mapping, Sequence
from typing import Any

from coldbench.core.invocation import Invocation

# Parts of a stage's time, as many as the method of batch means advises: fewer would leave little to resample,
# more would depend on one another (Law, Simulation Modeling and Analysis, 2015, 9.5.3).
_PARTS = 20


class Blocks:
    """The rounds of a run. Where it has only one: its bursts, and parts of the time of its other stages."""

    def __init__(self, profile: Mapping[str, Any] | None) -> None:
        """`profile` is that of `run.json`."""
        stages: Sequence[Mapping[str, int]] = (profile or {}).get("stages") or [{}]
        self._stages = len(stages)
        self._part_ns = [stage.get("duration_ns", 0) // _PARTS for stage in stages]
        self._one_round = (profile or {}).get("repeat") == 1

    def stage_of(self, invocation: Invocation) -> int:
        """The place of its stage in the profile, from 0."""
        return _number(invocation) % self._stages

    def of(self, invocation: Invocation) -> int:
        """The number of its block."""
        phase = _number(invocation)
        if not self._one_round:
            return phase // self._stages
        part_ns = self._part_ns[phase % self._stages]
        part = invocation.intended_ns // part_ns if part_ns else 0
        return part * self._stages + phase


def _number(invocation: Invocation) -> int:
    """Phases count the stages through all rounds."""
    return int(invocation.phase.partition(":")[0])

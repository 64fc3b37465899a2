"""What calls waited in each stage of a profile, over all rounds, whatever they met there."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from coldbench.core.blocks import Blocks
from coldbench.core.invocation import Invocation
from coldbench.core.judge import function_answered
from coldbench.core.schedule import Kind
from coldbench.core.summary import Interval, StageWaits
from coldbench.stats.intervals import difference_of_medians
from coldbench.stats.values import Values


class StageTally:
    """Of one target."""

    def __init__(self, profile: Mapping[str, Any] | None, blocks: Blocks) -> None:
        """`profile` and `blocks` are those of the run; a profile without stages has none to tell of."""
        self._profile: list[Mapping[str, Any]] = list((profile or {}).get("stages") or ())
        self._blocks = blocks
        self._waits: defaultdict[int, Values] = defaultdict(Values)
        self._cut_off: Counter[int] = Counter()

    def add(self, invocation: Invocation, block: int) -> None:
        """One that was answered; errors that nobody signed may be the platform's, and are no waits of the
        function's."""
        if self._profile and invocation.wait_ns is not None and function_answered(invocation):
            self._waits[self._blocks.stage_of(invocation)].add(invocation.wait_ns / 1e6, block)

    def cut_off(self, invocation: Invocation) -> None:
        """One that was given up: it waited longer than those that were not."""
        if self._profile:
            self._cut_off[self._blocks.stage_of(invocation)] += 1

    def waits(self, seed: int) -> tuple[StageWaits, ...]:
        """Of each stage in which something was sent; `seed` decides what is resampled."""
        return tuple(
            StageWaits(
                stage=stage,
                kind=str(self._profile[stage].get("kind")),
                silence_s=self._silence_s(stage),
                wait_ms=self._waits[stage].all.quantiles(self._cut_off[stage]),
                over_next_ms=self._over_next(stage, seed),
            )
            for stage in sorted({*self._waits, *self._cut_off})
        )

    def _silence_s(self, stage: int) -> float | None:
        before = self._profile[stage - 1] if stage else {}
        return before.get("duration_ns", 0) / 1e9 if before.get("kind") == Kind.IDLE else None

    def _over_next(self, stage: int, seed: int) -> Interval | None:
        """Only where the next one is like it, but for the silence, and no wait of either was cut off."""
        alike = self._profile[stage : stage + 1] == self._profile[stage + 1 : stage + 2]
        if not self._silence_s(stage) or not alike or self._cut_off[stage] or self._cut_off[stage + 1]:
            return None
        first, second = (self._waits[its].sample.by_block() for its in (stage, stage + 1))
        return difference_of_medians(first, second, seed)

"""One execution of keepwarm: a keeper for each target, and what they share."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import monotonic_ns, time_ns

from msgspec.structs import replace

from coldbench.cli.record import Asked as Stop
from coldbench.cli.record import now
from coldbench.core.invocation import Invocation
from coldbench.core.keepwarm import Round, together
from coldbench.core.summary import Run, State
from coldbench.core.target import Target
from coldbench.probe.boot import boot_clock_ns
from coldbench.probe.keepwarm import Keeper
from coldbench.probe.kept import Asked
from coldbench.report.keeping import InstanceRow, KeepingView
from coldbench.report.metrics import Metrics
from coldbench.runs.events import EventLog
from coldbench.runs.samples import SampleWriter
from coldbench.stats.cost import Budget
from coldbench.stats.spent import SpentSoFar

_TICK_S = 0.2
# A clock that goes on during sleep has moved so much more than one that does not.
_ASLEEP_NS = 2 * 10**9


class Keeping:
    """One execution: a keeper for each target, and what they share."""

    def __init__(
        self,
        run: Run,
        targets: Sequence[Target],
        asked: Sequence[Asked],
        before: Mapping[str, Round],
        *,
        writer: SampleWriter,
        events: EventLog[Round],
        view: KeepingView,
        metrics: Metrics | None,
        awake: Callable[[], bool],
    ) -> None:
        self._zero_ns = monotonic_ns()
        self._run = replace(run, zero_epoch_ns=time_ns())
        self._view = view
        self._metrics = metrics
        self._writer = writer
        self._events = events
        self._seq = 0
        self._spent: SpentSoFar | None = None
        self._cut_off = False  # rounds under way, by a second request
        self._keepers = [
            Keeper(
                target,
                its,
                run_id=run.run_id,
                zero_ns=self._zero_ns,
                next_seqs=self._next_seqs,
                append=self._append,
                tell=self._tell,
                awake=awake,
                seed=run.seed + place,
                before=before.get(target.name),
            )
            for place, (target, its) in enumerate(zip(targets, asked, strict=True))
        ]

    async def until(self, end_ns: int | None, stop: Stop, budget: Budget) -> list[str]:
        """Keep until the time is over, the money is spent or somebody asks for the end; what there is to say.

        The first request ends it after the rounds under way, a second one at once.
        """
        notes: list[str] = []
        self._spent = None if budget.rates is None else SpentSoFar(budget.rates)
        tasks = [
            # Staggered: the rounds of several targets do not meet.
            asyncio.create_task(keeper.keep(place * keeper.asked.every_ns / 1e9 / len(self._keepers)))
            for place, keeper in enumerate(self._keepers)
        ]
        slept = _slept_ns()
        while not all(task.done() for task in tasks):
            await asyncio.wait(tasks, timeout=_TICK_S, return_when=asyncio.FIRST_EXCEPTION)
            for task in tasks:
                if task.done() and not task.cancelled() and (error := task.exception()):
                    raise error
            spent_all = budget.spent(0.0 if self._spent is None else self._spent.usd)
            if spent_all:
                notes.append(f"ended by --max-cost: about {budget.most_usd:g} USD are spent")
            if stop.count or spent_all or (end_ns is not None and time_ns() >= end_ns):
                for keeper in self._keepers:
                    keeper.stop()
            if stop.count > 1:
                self._cut_off = True
                for task in tasks:
                    task.cancel()
            if _slept_ns() - slept > _ASLEEP_NS:
                notes.append("this machine slept, and nothing was pinged meanwhile")
                slept = _slept_ns()
            self._view.instances((monotonic_ns() - self._zero_ns) / 1e9, self._rows())
        return list(dict.fromkeys(notes))

    def record(self, notes: Sequence[str]) -> Run:
        """The record; counts and results are the analysis's."""
        kept = [keeper.kept for keeper in self._keepers]
        return replace(
            self._run,
            finished_at=now(),
            state=State.INTERRUPTED if self._cut_off else State.COMPLETE,
            planned=self._seq,
            keepwarm=together(kept),
            notes=(*notes, *(f"{its.target}: {note}" for its in kept for note in its.notes)),
        )

    def _next_seqs(self, number: int) -> int:
        first = self._seq
        self._seq += number
        return first

    def _append(self, invocations: Sequence[Invocation]) -> None:
        self._writer.append(invocations)
        if self._spent is not None:
            self._spent.add(invocations)
        if self._metrics:
            self._metrics.invocations(invocations)

    def _tell(self, done: Round) -> None:
        self._events.append(done)
        if self._metrics:
            self._metrics.round(done)
        self._view.round(done)

    def _rows(self) -> dict[str, list[InstanceRow]]:
        at_ns = monotonic_ns() - self._zero_ns
        return {
            keeper.target.name: [
                InstanceRow(
                    name=instance,
                    seen_for_s=(seen.last_ns - seen.first_ns) / 1e9,
                    last_seen_s=(at_ns - seen.last_ns) / 1e9,
                    pings=seen.pings,
                )
                for instance, seen in keeper.instances.by_id.items()
            ]
            for keeper in self._keepers
        }


def _slept_ns() -> int:
    """How long this machine has slept since it started, where it can be known."""
    return boot_clock_ns() - monotonic_ns()

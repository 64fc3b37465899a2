"""What the trials of all targets come to: they are alike, so that they are one sample."""

from collections import Counter
from collections.abc import Sequence

from msgspec.structs import replace

from coldbench.core.lifetime import Trial
from coldbench.core.summary import CurvePoint, Lifetime
from coldbench.stats.recycling import recycled
from coldbench.stats.survival import Survival


def lifetime(trials: Sequence[Trial]) -> Lifetime:
    """The estimate, and what became of each trial; no points before there are cold and warm trials."""
    too_old = recycled(trials)
    telling = sorted(
        (trial for trial in trials if trial.decided and trial not in too_old), key=lambda trial: trial.gap_s
    )
    undecided = [trial for trial in trials if trial.void is None and trial.gone is None]
    found = Lifetime(
        trials=len(trials),
        cold=sum(trial.gone is True for trial in telling),
        warm=sum(trial.gone is False for trial in telling),
        voided=sum(trial.void is not None for trial in trials),
        void_reasons=dict(Counter(trial.void for trial in trials if trial.void is not None)),
        unknown=len(undecided),
        unknown_gaps_s=tuple(trial.gap_s for trial in undecided),
        recycled=len(too_old),
        recycled_after_s=min((trial.age_s for trial in too_old if trial.age_s is not None), default=None),
        waited_s=sum(trial.gap_s for trial in trials),
    )
    if not telling:
        return found
    survival = Survival([trial.gap_s for trial in telling], [trial.gone is True for trial in telling])
    return replace(
        found,
        p10=survival.quantile(0.1),
        p50=survival.quantile(0.5),
        p90=survival.quantile(0.9),
        curve=tuple(
            CurvePoint(gap_s=trial.gap_s, cold=trial.gone is True, probability=float(probability))
            for trial, probability in zip(telling, survival.curve(), strict=True)
        ),
    )

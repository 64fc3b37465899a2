"""Tells instances that were replaced for their age from idle ones: platforms do that to those in use, too."""

from collections.abc import Sequence

from coldbench.core.lifetime import Trial

# So many instances have to end older than any that answered, though others survived longer gaps; and that
# they were older by accident has to be as unlikely as this.
_FEWEST_SIGNS = 3
_ACCIDENT = 0.001


def recycled(trials: Sequence[Trial]) -> list[Trial]:
    """Those whose instance may have been too old rather than too long unused; in doubt none.

    Among trials whose gap does not decide, since others ended after a shorter one or survived a longer one,
    the age before the gap tells nothing of an idle lifetime, but all of a recycling one: Mann and Whitney's
    test (Ann. Math. Stat. 18, 1947). Once that is so, no end at an age that none survived tells of idleness.
    """
    from scipy.stats import mannwhitneyu

    known = [trial for trial in trials if trial.decided and trial.age_s is not None]
    survived = [trial for trial in known if not trial.gone]
    ended = [trial for trial in known if trial.gone]
    if not survived or not ended:
        return []
    shortest_s = min(trial.gap_s for trial in ended)
    longest_s = max(trial.gap_s for trial in survived)
    oldest_s = max(trial.age_s or 0.0 for trial in survived)
    too_old = [trial for trial in ended if (trial.age_s or 0.0) > oldest_s]
    if sum(trial.gap_s < longest_s for trial in too_old) < _FEWEST_SIGNS:
        return []
    before = [
        [(trial.age_s or 0.0) - trial.gap_s for trial in side if shortest_s <= trial.gap_s <= longest_s]
        for side in (ended, survived)
    ]
    if not all(before) or mannwhitneyu(*before, alternative="greater").pvalue > _ACCIDENT:
        return []
    return too_old

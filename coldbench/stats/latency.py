"""Learns from a run's own waits what cold and warm look like, where nothing else tells."""

from typing import TYPE_CHECKING, NamedTuple

from coldbench.core.calls import NOT_OBSERVED, Calls
from coldbench.core.latency_model import (
    DEGREES_OF_FREEDOM,
    STRAYS,
    Component,
    LatencyModel,
    Models,
    excess,
)

if TYPE_CHECKING:
    from coldbench.core.calls import Ints
    from coldbench.core.latency_model import Floats

_FEWEST = 10  # lone calls of one kind of connection
_FEWEST_SLOW = 3
_MOST = 20_000  # more are not looked at: no better model, and no second longer
_STEPS = 30
# Where the search for the two kinds starts: these quantiles of the waits.
_CUTS = (0.2, 0.5, 0.8, 0.9, 0.95, 0.99)
_NARROWEST = 0.02  # of a component: 2 %, so that a handful of equal waits is no certainty
# Slow calls wait at least this much longer (log scale: 1.5 times). Less is not told from a slow spell.
_LEAST_APART = 0.4
_SCALES_APART = 3.0  # and by this many scales of either kind: wider is a mixture of kinds, or a tail
_ALIKE = 3.0  # scales between the quick calls of two kinds of connection that are one
_MORE_OFTEN = 3.0  # than elsewhere: as often as that is no stray
_PARTS = 3.0  # of the way from quick to slow calls: further up again are not the same cold starts
# That slow calls come after longer gaps is no accident at this level; two targets in a thousand deceive.
_ACCIDENT = 0.001


def fit(calls: Calls, round_trip_ns: int) -> Models:
    """By kind of connection, the models of one target's lone calls where two kinds of wait are found.

    Where all waits are alike there is no model: whether each call was warm or each was cold is not known.
    If the other kind's calls have one and its quick ones wait like these, it is lent: a wait begins behind
    the handshake, so that it is the same function's.
    """
    import numpy as np

    lone = calls.lone & calls.of_function
    usable = lone & (calls.gap_ns != NOT_OBSERVED)
    models, mixed = {}, set()
    for dialled in (True, False):
        its = usable & (calls.dialled == dialled)
        model = _fit_kind(excess(calls.wait_ns[its], round_trip_ns), calls.gap_ns[its])
        every = lone & (calls.dialled == dialled)  # the first call may be the only one that was cold
        if model is None:
            continue
        if _third_kind(excess(calls.wait_ns[every], round_trip_ns), calls.gap_ns[every], model):
            mixed.add(dialled)
        else:
            models[dialled] = model
    for dialled in (True, False):
        its = usable & (calls.dialled == dialled)
        lender = models.get(not dialled)
        if dialled not in models and dialled not in mixed and lender is not None:
            x = excess(calls.wait_ns[its], round_trip_ns)
            if len(x) >= _FEWEST and abs(np.median(x) - lender.quick.location) <= _ALIKE * lender.quick.scale:
                models[dialled] = lender
    return models


def _fit_kind(x: "Floats", gaps: "Ints") -> LatencyModel | None:
    """A mixture of two t distributions, slow calls being more frequent after longer gaps; None without two.

    Kept only if the two are well apart, BIC prefers them to one (Fraley and Raftery 1998) *and* slow calls
    come after longer gaps than the others (Mann-Whitney, one-sided): a tail alone makes two components too.
    """
    import numpy as np
    from scipy.stats import mannwhitneyu

    if len(x) < _FEWEST:
        return None
    kept = _by_gap(gaps)
    x, gaps = x[kept], gaps[kept]
    spread = float(np.ptp(x)) + _NARROWEST
    cuts = [*np.quantile(x, _CUTS), _widest_jump(x)]
    mixtures = [found for cut in cuts if (found := _mixture(x, gaps, spread, (x > cut).astype(float)))]
    mixtures = [one for one in mixtures if one.apart >= max(_LEAST_APART, _SCALES_APART * one.widest)]
    if not mixtures:
        return None
    best = max(mixtures, key=lambda mixture: mixture.log_likelihood)
    parameters = 4 + len(set(best.prior.tolist()))
    alone = float(np.log(_with_strays(x, _component(x, np.ones_like(x)), spread)).sum())
    if best.log_likelihood - alone <= (parameters - 2) * np.log(len(x)) / 2:
        return None
    is_slow = best.share > 0.5
    if mannwhitneyu(gaps[is_slow], gaps[~is_slow], alternative="greater").pvalue > _ACCIDENT:
        return None
    steps = np.flatnonzero(np.diff(best.prior, prepend=-1.0))
    return LatencyModel(
        quick=best.quick,
        slow=best.slow,
        spread=spread,
        gaps_ns=tuple(int(gap) for gap in gaps[steps]),
        slow_share=tuple(float(share) for share in best.prior[steps]),
        tail_share=float(is_slow[best.prior == best.prior[0]].mean()),
    )


def _third_kind(x: "Floats", gaps: "Ints", model: LatencyModel) -> bool:
    """Whether the slow calls after gaps as long are two kinds themselves.

    Then the slower ones may be the cold starts, and the others warm calls after a gap. They are two kinds if
    they stand as far apart as slow calls must from quick ones, and a third as far as the lower ones do
    (cold starts differ, too), and if waits as long as those of either are rarer by far where no long gap
    was; the first call, before which nobody may have called for long, is a kind alone. One that stands
    further above the others than these above the quick ones is a kind in a small run; a stray among many is
    none.
    """
    import numpy as np

    is_first = gaps == NOT_OBSERVED
    slow = x > (model.quick.location + model.slow.location) / 2
    shares = np.asarray(model.slow_share)
    # Long are gaps from which on slow calls are half as frequent as after those that most of them came after.
    of_slow = shares[np.maximum(0, np.searchsorted(model.gaps_ns, gaps[slow & ~is_first], side="right") - 1)]
    if not len(of_slow):
        return False
    long_ns = model.gaps_ns[int(np.argmax(shares >= np.median(of_slow) / 2))]
    after = is_first | (gaps >= long_ns)
    its = after & slow
    order = np.argsort(x[its])
    waits, is_first = x[its][order], is_first[its][order]
    for place in np.flatnonzero(np.diff(waits) >= _LEAST_APART) + 1:
        lower, upper = waits[:place], waits[place:]
        apart, above = upper[0] - lower[-1], np.median(lower) - model.quick.location
        kinds = _often(lower, x[after], x[~after]) and (
            _often(upper, x[after], x[~after]) or is_first[place:].all()
        )
        if kinds and apart >= max(above / _PARTS, _SCALES_APART * _scale(lower, upper)):
            return True
        if apart > above and len(upper) > STRAYS * len(waits):
            return True
    return False


def _often(kind: "Floats", after_long: "Floats", others: "Floats") -> bool:
    """Whether several calls are of that kind, and waits as long are rarer by far where no long gap was."""
    import numpy as np

    elsewhere = (1 + np.sum(others >= kind[0])) / (1 + len(others))
    return bool(len(kind) > 1 and len(kind) / len(after_long) > _MORE_OFTEN * elsewhere)


def _scale(*kinds: "Floats") -> float:
    """Of values about the medians of their kinds: that of a normal distribution of the same median deviation
    (Rousseeuw and Croux 1993)."""
    import numpy as np

    return 1.4826 * float(np.median(np.concatenate([np.abs(kind - np.median(kind)) for kind in kinds])))


def _widest_jump(x: "Floats") -> float:
    """The value below the widest space between two neighbours: slow calls too rare for any quantile."""
    import numpy as np

    ordered = np.sort(x)[: len(x) - _FEWEST_SLOW + 1]
    return float(ordered[np.argmax(np.diff(ordered))])


def _by_gap(gaps: "Ints") -> "Ints":
    """The places of the gaps, ascending; of very many, all of the longest and every nth of the others.

    The choice is by gap alone, so that what a wait says at a given gap is not changed by it.
    """
    import numpy as np

    order = np.argsort(gaps, kind="stable")
    short = order[: -_MOST // 2]
    step = -(-len(short) // (_MOST // 2)) if len(short) else 1
    places: Ints = np.append(short[::step], order[-_MOST // 2 :])
    return places


class _Mixture(NamedTuple):
    """`share` and `prior` are P(slow) of each call, after and before its wait was seen."""

    quick: Component
    slow: Component
    share: "Floats"
    prior: "Floats"
    log_likelihood: float

    @property
    def apart(self) -> float:
        return self.slow.location - self.quick.location

    @property
    def widest(self) -> float:
        return max(self.quick.scale, self.slow.scale)


def _mixture(x: "Floats", gaps: "Ints", spread: float, share: "Floats") -> _Mixture | None:
    """From a first guess of each call's share; None when one side runs empty.

    The EM algorithm for t mixtures (Peel and McLachlan, "Robust mixture modelling using the t
    distribution", 2000) with a uniform part for stray quick calls (Banfield and Raftery 1993); the weight
    is the isotonic regression of the shares on the gap.
    """
    import numpy as np

    for _ in range(_STEPS):
        if min(share.sum(), (1 - share).sum()) < _FEWEST_SLOW:
            return None
        quick, slow = _component(x, 1 - share), _component(x, share)
        prior = _prior(share, gaps)
        # Outside the two locations as at the nearer one: as `LatencyModel.probabilities` has it.
        between = np.clip(x, quick.location, slow.location) if slow.location > quick.location else x
        slow_part = prior * slow.density(between)
        quick_part = (1 - prior) * _with_strays(between, quick, spread)
        share = slow_part / (slow_part + quick_part)
    if not 0 < (share > 0.5).sum() < len(x):
        return None
    whole = prior * slow.density(x) + (1 - prior) * _with_strays(x, quick, spread)
    return _Mixture(quick, slow, share, prior, float(np.log(whole).sum()))


def _with_strays(x: "Floats", quick: Component, spread: float) -> "Floats":
    """The density of quick calls."""
    return (1 - STRAYS) * quick.density(x) + STRAYS / spread


def _component(x: "Floats", weight: "Floats") -> Component:
    """The t distribution of weighted values: location and scale by the fixed point of its EM."""
    import numpy as np

    location = float(np.average(x, weights=weight))
    scale = max(_NARROWEST, float(np.sqrt(np.average((x - location) ** 2, weights=weight))))
    nu = DEGREES_OF_FREEDOM
    for _ in range(5):
        trust = (nu + 1) / (nu + ((x - location) / scale) ** 2) * weight
        location = float(np.average(x, weights=trust))
        scale = max(_NARROWEST, float(np.sqrt((trust * (x - location) ** 2).sum() / weight.sum())))
    return Component(location, scale)


def _prior(share: "Floats", gaps: "Ints") -> "Floats":
    """P(cold) at each gap (ascending): never falling, never 0 or 1 (somebody else may have called).

    Equal gaps are one. Two calls of even odds are added to each step (Agresti and Coull 1998).
    """
    import numpy as np
    from scipy.optimize import isotonic_regression

    _, group = np.unique(gaps, return_inverse=True)
    weights = np.bincount(group)
    steps = isotonic_regression(np.bincount(group, share) / weights, weights=weights)
    parts = np.repeat(np.arange(len(steps.blocks) - 1), np.diff(steps.blocks))
    sums = np.bincount(parts, steps.x * weights)
    sizes = np.bincount(parts, weights)
    # What was added may have put a small step above the next one: they are one step then.
    smoothed = isotonic_regression((sums + 1) / (sizes + 2), weights=sizes)
    prior: Floats = smoothed.x[parts][group]
    return prior

"""How many pings reach N instances, and how long they are held."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.reach import Limits, Met, Reach, covered, escalated, first_reach, resumed

MS = 1_000_000
LIMITS = Limits(pings=200, hold_ns=2000 * MS)


class Platform:
    """Places overlapping pings as the lab does: on the instance used last that has room, else a new one.

    A new instance takes its ping too late to hold it with the others: that ping has queued.
    """

    def __init__(self, per_instance: int, most: int = 1000) -> None:
        self._per_instance = per_instance
        self._most = most
        self._instances: OrderedDict[int, None] = OrderedDict()

    def ping(self, reach: Reach, spread_ns: int) -> tuple[int, bool]:
        """How many instances answered, and whether some pings queued."""
        # Pings that come after the first ones have gone find room again: they overlap in groups.
        overlapping = (
            reach.pings if reach.hold_ns >= spread_ns else max(1, reach.pings * reach.hold_ns // spread_ns)
        )
        wanted = -(-overlapping // self._per_instance)
        here = len(self._instances)
        for number in range(here, min(wanted, self._most)):
            self._instances[number] = None
        return min(wanted, here) if here else 1, wanted > here


def settle(platform: Platform, wanted: int, spread_ns: int, limits: Limits = LIMITS) -> tuple[Reach, bool]:
    """After as many attempts as ten rounds may have; whether the last one reached all."""
    reach = first_reach(wanted, limits)
    reached = 0
    for _ in range(40):
        reached, waited = platform.ping(reach, spread_ns)
        if reached >= wanted:
            reach = covered(reach, reached, wanted, spread_ns)
            continue
        met = Met.GROWING if waited else Met.PACKED
        more = escalated(reach, reached, wanted, spread_ns=spread_ns, met=met, limits=limits)
        if more is None:
            break
        reach = more
    return reach, reached >= wanted


@given(st.integers(1, 20), st.integers(1, 8), st.integers(0, 300))
def test_enough_pings_are_found_for_any_concurrency_and_spread(
    wanted: int, per_instance: int, spread_ms: int
) -> None:
    reach, reached = settle(Platform(per_instance), wanted, spread_ms * MS)
    assert reached
    assert reach.hold_ns >= min(spread_ms * MS, reach.hold_ns)
    # as many as the platform's packing needs, and not many more
    least = (wanted - 1) * per_instance + 1
    assert least <= reach.pings <= least + per_instance


def test_a_limit_of_the_platform_is_not_run_against_for_ever() -> None:
    reach, reached = settle(Platform(1, most=3), 5, 5 * MS)
    assert not reached
    assert reach.pings == 5  # the others queued: more pings would only queue too


def test_nothing_beyond_the_limits_is_sent() -> None:
    limits = Limits(pings=6, hold_ns=100 * MS)
    reach, reached = settle(Platform(4), 5, 1 * MS, limits)
    assert not reached
    assert (reach.pings, reach.hold_ns) == (6, 100 * MS)


def test_a_shorter_hold_is_tried_and_never_again_one_that_missed() -> None:
    reach = Reach(pings=5, hold_ns=200 * MS, missed_hold_ns=150 * MS)
    for _ in range(100):
        reach = covered(reach, 5, 5, MS)
    assert 150 * MS < reach.hold_ns <= 200 * MS


def test_late_pings_are_held_longer_and_a_hold_is_not_cut_below_their_spread() -> None:
    reach = Reach(pings=17, hold_ns=25 * MS)
    longer = escalated(reach, 3, 5, spread_ns=2 * MS, met=Met.LATE, limits=LIMITS)
    assert longer is not None
    assert (longer.pings, longer.hold_ns, longer.missed_hold_ns) == (17, 50 * MS, 25 * MS)
    reach = Reach(pings=5, hold_ns=100 * MS)
    for number in range(100):
        reach = covered(reach, 5, 5, 20 * MS if number % 7 == 0 else MS)
    assert reach.hold_ns == 60 * MS


def test_a_restart_goes_on_with_what_was_found() -> None:
    fresh = first_reach(5, LIMITS)
    assert (resumed(fresh, 17, 120.0, LIMITS).pings, resumed(fresh, 17, 120.0, LIMITS).hold_ns) == (
        17,
        120 * MS,
    )
    small = Limits(pings=9, hold_ns=50 * MS)
    assert (resumed(fresh, 17, 120.0, small).pings, resumed(fresh, 17, 120.0, small).hold_ns) == (9, 50 * MS)

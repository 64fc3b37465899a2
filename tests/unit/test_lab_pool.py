"""What the lab's policies do with calls that find no room."""

import asyncio
from typing import Any

import pytest

from coldbench.core.function_spec import FunctionSpec, Policy
from coldbench.lab.pool import Pool, Use


class Fake:
    """As much of an instance as the pool looks at."""

    def __init__(self) -> None:
        self.in_flight = self.uses = 0

    def kill(self) -> None:
        pass

    def age_ns(self) -> int:
        return 0


async def busy(policy: Policy) -> tuple[Pool, list[Any], "asyncio.Task[Use]"]:
    """One instance with its only room taken, and a call that has come behind it."""
    started: list[Any] = []

    def start() -> Any:
        started.append(Fake())
        return started[-1]

    pool = Pool(FunctionSpec(runtime="r", folder="/f", policy=policy), start)
    first = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    pool.became_ready(started[0])
    await first
    second = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    return pool, started, second


@pytest.mark.parametrize("policy", [Policy.EITHER, Policy.QUEUE])
def test_room_is_taken_by_who_waits(policy: Policy) -> None:
    async def play() -> None:
        pool, started, second = await busy(policy)
        assert len(started) == (1 if policy is Policy.QUEUE else 2)
        pool.release(started[0])
        assert (await second).instance is started[0]
        assert len(started) == (1 if policy is Policy.QUEUE else 2)

    asyncio.run(play())


def test_with_scale_who_waits_gets_the_instance_started_for_it() -> None:
    async def play() -> None:
        pool, started, second = await busy(Policy.SCALE)
        pool.release(started[0])
        await asyncio.sleep(0)
        assert not second.done()
        pool.became_ready(started[1])
        assert (await second).instance is started[1]

    asyncio.run(play())


def test_an_instance_takes_no_more_calls_than_its_uses() -> None:
    async def play() -> None:
        started: list[Any] = []

        def start() -> Any:
            started.append(Fake())
            return started[-1]

        pool = Pool(FunctionSpec(runtime="r", folder="/f", concurrency=2, uses=1), start)
        calls = [asyncio.create_task(pool.acquire()) for _ in range(2)]
        await asyncio.sleep(0)
        pool.became_ready(started[0])
        pool.release((await calls[0]).instance)
        pool.ended(started[0], "")
        await asyncio.sleep(0)
        assert not calls[1].done()
        pool.became_ready(started[1])
        assert (await calls[1]).instance is started[1]

    asyncio.run(play())


def test_a_soft_limit_is_passed_at_once_and_another_instance_is_started_beside() -> None:
    async def play() -> None:
        pool, started, second = await busy(Policy.SOFT)
        assert (await second).instance is started[0]
        assert [one.in_flight for one in started] == [2, 0]
        third = await pool.acquire()
        assert third.instance is started[0]
        assert len(started) == 3
        pool.became_ready(started[1])
        assert (await pool.acquire()).instance is started[1]
        assert len(started) == 3

    asyncio.run(play())


def test_who_waits_for_a_first_instance_goes_to_it_beyond_a_soft_limit() -> None:
    async def play() -> None:
        started: list[Any] = []

        def start() -> Any:
            started.append(Fake())
            return started[-1]

        pool = Pool(FunctionSpec(runtime="r", folder="/f", policy=Policy.SOFT), start)
        calls = [asyncio.create_task(pool.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        assert len(started) == 3
        pool.became_ready(started[0])
        assert {(await call).instance for call in calls} == {started[0]}

    asyncio.run(play())


def test_who_connects_wakes_a_pool_without_an_instance_once() -> None:
    async def play() -> None:
        started: list[Any] = []

        def start() -> Any:
            started.append(Fake())
            return started[-1]

        pool = Pool(FunctionSpec(runtime="r", folder="/f"), start)
        pool.wake()
        pool.wake()
        assert len(started) == 1
        pool.became_ready(started[0])
        pool.wake()
        assert (await pool.acquire()).number == 1
        pool.wake()
        assert len(started) == 1

    asyncio.run(play())

"""Few connections: the most urgent goes next, and nobody's leaving loses one."""

import asyncio

from offload.sync.lanes import Lanes


async def test_the_most_urgent_at_that_moment_goes_next() -> None:
    lanes, ranks, order = Lanes(1), {"old": 3, "new": 1, "chosen": 2}, list[str]()

    async def carry(name: str) -> None:
        async with lanes.taken(lambda: (ranks[name],)):
            order.append(name)

    async with asyncio.TaskGroup() as group, lanes.taken(lambda: (9,)):
        for name in ranks:
            group.create_task(carry(name))
        await asyncio.sleep(0)
        ranks["chosen"] = 0  # A person chose while all were waiting.
    assert order == ["chosen", "new", "old"]


async def test_who_leaves_while_waiting_or_just_given_one_loses_none() -> None:
    lanes = Lanes(2)

    async def hold() -> None:
        async with lanes.taken(lambda: (1,)):
            await asyncio.sleep(60)

    for _round in range(5):
        tasks = [asyncio.create_task(hold()) for _ in range(6)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    async with lanes.taken(lambda: (1,)), lanes.taken(lambda: (1,)):
        pass

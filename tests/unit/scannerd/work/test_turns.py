import asyncio

import pytest

from scannerd.commands import CommandRefused
from scannerd.work.turns import Turns


async def test_turns_come_one_at_a_time_and_in_order() -> None:
    turns, done = Turns(), []

    async def errand(number: int) -> int:
        done.append(number)
        await asyncio.sleep(0)
        done.append(number)
        return number

    async with asyncio.TaskGroup() as group:
        serving = group.create_task(turns.serve())
        answers = await asyncio.gather(*(turns.run("count", lambda n=n: errand(n)) for n in range(3)))
        serving.cancel()
    assert answers == [0, 1, 2]
    assert done == [0, 0, 1, 1, 2, 2]


async def test_what_an_errand_raises_is_raised_where_it_was_handed_in_and_the_desk_goes_on() -> None:
    turns = Turns()

    async def fails() -> None:
        raise ValueError("torn")

    async with asyncio.TaskGroup() as group:
        serving = group.create_task(turns.serve())
        with pytest.raises(ValueError, match="torn"):
            await turns.run("tear", fails)
        await turns.ping()
        serving.cancel()


async def test_what_waits_at_the_end_is_refused() -> None:
    turns = Turns()
    forever = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(turns.serve())
        first = group.create_task(_refused(turns.run("first", forever.wait)))
        second = group.create_task(_refused(turns.run("second", forever.wait)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        turns.close()
        serving.cancel()
    assert first.result() == "first: the daemon is going down"
    assert second.result() == "second: the daemon is going down"
    await turns.ping()
    with pytest.raises(CommandRefused):
        await turns.run("late", forever.wait)


async def _refused(waiting: object) -> str:
    try:
        await waiting  # type: ignore[misc]
    except CommandRefused as refusal:
        return str(refusal)
    return "not refused"

"""The table leaves while a photo is copied, and is where it should be whatever becomes of the photo."""

import asyncio

import pytest

from drivers.protocols import DriverError
from scannerd.scan.head_start import HeadStart
from scannerd.scan.plan import Viewpoint

NEXT = Viewpoint(index=3, angle_deg=18.0)


class Table:
    def __init__(self) -> None:
        self.turned: list[int] = []
        self.may_arrive = asyncio.Event()
        self.fault: Exception | None = None

    async def turn(self, viewpoint: Viewpoint) -> float:
        await self.may_arrive.wait()
        if self.fault is not None:
            raise self.fault
        self.turned.append(viewpoint.index)
        return viewpoint.angle_deg


async def test_it_sets_out_at_once_and_is_waited_for_later() -> None:
    table = Table()
    async with asyncio.TaskGroup() as group:
        head_start = HeadStart(table.turn)
        head_start.run_in(group)
        assert head_start.begin(NEXT)
        assert not head_start.begin(NEXT), "one move at a time"
        table.may_arrive.set()
        assert await head_start.end() == (NEXT, 18.0)
        assert await head_start.end() is None
    assert table.turned == [3]


async def test_without_a_group_nothing_sets_out() -> None:
    head_start = HeadStart(Table().turn)
    assert not head_start.begin(NEXT)
    assert await head_start.end() is None


async def test_a_fault_comes_out_where_somebody_waits_and_ends_nothing_else() -> None:
    table = Table()
    table.fault = DriverError("turntable: stopped")
    table.may_arrive.set()
    async with asyncio.TaskGroup() as group:
        head_start = HeadStart(table.turn)
        head_start.run_in(group)
        head_start.begin(NEXT)
        await asyncio.sleep(0)
        with pytest.raises(DriverError, match="stopped"):
            await head_start.end()
        assert await head_start.end() is None


async def test_a_group_that_is_cancelled_takes_the_move_along() -> None:
    table = Table()

    async def scan() -> None:
        async with asyncio.TaskGroup() as group:
            head_start = HeadStart(table.turn)
            head_start.run_in(group)
            head_start.begin(NEXT)
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await scan()
    assert table.turned == []

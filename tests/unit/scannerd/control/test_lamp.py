"""The lamp at the far end of its wire, read as a person reads it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from lamp_reader import changes, mood_of, wait_until
from virtual_time import in_virtual_time

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.lamp_gpio import GpioLamp
from drivers.options import LampGpioOptions
from drivers.protocols import DriverError
from scannerd.board.state import Mood
from scannerd.control.lamp import LampControl
from scannerd.control.lamp_patterns import PATTERNS


@pytest.fixture
def bench() -> Iterator[Bench]:
    with install_bench(GreyCard()) as installed:
        yield installed


class MoodRing:
    """Somebody whose mood can be set."""

    mood = Mood.IDLE

    def __call__(self) -> Mood:
        return self.mood


@asynccontextmanager
async def playing(bench: Bench, control: LampControl) -> AsyncIterator[None]:
    bench.world.lamp.now_s = asyncio.get_running_loop().time
    async with asyncio.TaskGroup() as group:
        task = group.create_task(control.run())
        yield
        task.cancel()


def seen(bench: Bench, since: int = 0) -> str:
    return mood_of(changes(bench)[since:])


@pytest.mark.parametrize("mood", Mood)
@in_virtual_time
async def test_each_mood_can_be_read_from_the_lamp(bench: Bench, mood: Mood) -> None:
    lamp, ring = GpioLamp(LampGpioOptions()), MoodRing()
    ring.mood = mood
    async with playing(bench, LampControl(lamp, ring)):
        await asyncio.sleep(2.6 * max(PATTERNS[mood].cycle_s, 0.5))
        assert seen(bench) == mood.value
    assert not bench.world.lamp.lit, "dark at the end"
    lamp.close()


@in_virtual_time
async def test_a_new_mood_shows_at_once_and_the_same_mood_does_not_begin_anew(bench: Bench) -> None:
    lamp, ring = GpioLamp(LampGpioOptions()), MoodRing()
    control = LampControl(lamp, ring)
    async with playing(bench, control):
        ring.mood = Mood.SCANNING
        for _ in range(40):
            control.look()
            await asyncio.sleep(0.05)
        assert len(bench.world.lamp.flashes()) in (2, 3), "2 s of one second each, however much happens meanwhile"
        ring.mood = Mood.FAULT
        before = len(bench.world.lamp.flashes())
        control.look()
        await asyncio.sleep(1.4)
        assert seen(bench, before) == "fault"
    lamp.close()


@in_virtual_time
async def test_a_mood_that_ends_by_itself_is_noticed(bench: Bench) -> None:
    lamp, ring = GpioLamp(LampGpioOptions()), MoodRing()
    ring.mood = Mood.DONE
    async with playing(bench, LampControl(lamp, ring)):
        await asyncio.sleep(0.1)
        ring.mood = Mood.FAULT
        before = len(bench.world.lamp.flashes())
        await asyncio.sleep(2)
        assert seen(bench, before) == "fault"
    lamp.close()


@in_virtual_time
async def test_a_warning_is_over_a_code_and_a_code_over_the_mood(bench: Bench) -> None:
    lamp, ring = GpioLamp(LampGpioOptions()), MoodRing()
    control = LampControl(lamp, ring)
    async with playing(bench, control):
        control.show_code("111111")
        control.warn(True)
        await asyncio.sleep(0.8)
        assert seen(bench) == "warning"
        control.warn(False)
        await asyncio.sleep(0.1)
        assert bench.world.lamp.lit, "the code begins with a long flash"
        ring.mood = Mood.FAULT
        before = len(bench.world.lamp.flashes())
        control.look()
        await asyncio.sleep(1.4)
        assert seen(bench, before) == "fault", "what happens meanwhile is more important than a code"
    lamp.close()


@in_virtual_time
async def test_another_lamp_goes_on_and_a_lamp_that_fails_stops_nothing(bench: Bench) -> None:
    class Broken:
        def set_on(self, on: bool) -> None:
            raise DriverError("lamp: the pin is gone")

        def close(self) -> None: ...

    lamp = GpioLamp(LampGpioOptions())
    control = LampControl(Broken(), MoodRing())
    async with playing(bench, control):
        await asyncio.sleep(0.05)
        control.use(lamp)
        await wait_until(lambda: bench.world.lamp.lit, 60)
        control.use(None)
        lamp.close()
        await asyncio.sleep(1.2)
    assert not bench.world.lamp.lit

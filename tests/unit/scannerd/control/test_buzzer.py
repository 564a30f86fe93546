"""What a person hears, at the far end of the buzzer's wire."""

import asyncio
from collections.abc import Iterator

import pytest
from virtual_time import in_virtual_time

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.pins import BenchWiring
from drivers.lamp_gpio import GpioLamp
from drivers.protocols import DriverError
from scannerd.board.state import Mood
from scannerd.config_panel import BuzzerSection
from scannerd.control.buzzer import BuzzerControl


@pytest.fixture
def bench() -> Iterator[Bench]:
    with install_bench(GreyCard(), wiring=BenchWiring(buzzer_pin=12)) as installed:
        yield installed


@pytest.mark.parametrize(
    ("mood", "beeps"), [(Mood.DONE, 2), (Mood.ASKING, 3), (Mood.FAULT, 1), (Mood.PAUSED, 0), (Mood.SCANNING, 0)]
)
@in_virtual_time
async def test_it_beeps_once_for_what_a_person_should_know(bench: Bench, mood: Mood, beeps: int) -> None:
    buzzer = GpioLamp(BuzzerSection(driver="gpio").buzzer_options())
    now = Mood.IDLE
    control = BuzzerControl(buzzer, lambda: now)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(control.run())
        control.look()
        await asyncio.sleep(1)
        assert not bench.world.buzzer.flashes(), "nothing has changed"
        now = mood
        for _ in range(3):
            control.look()
            await asyncio.sleep(2)
        task.cancel()
    buzzer.close()
    assert sum(flash.lit for flash in bench.world.buzzer.flashes()) == beeps
    assert not bench.world.buzzer.lit


def test_a_pin_that_is_taken_is_named(bench: Bench) -> None:
    first = GpioLamp(BuzzerSection(driver="gpio").buzzer_options())
    with pytest.raises(DriverError, match=r"buzzer: .*check \[buzzer\] pin"):
        GpioLamp(BuzzerSection(driver="gpio").buzzer_options())
    first.close()

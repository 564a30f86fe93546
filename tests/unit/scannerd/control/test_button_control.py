"""The button's own logic, pressed at the far end of its wire; the lamp is read at the far end of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from lamp_reader import changes, code_of, mood_of, wait_until
from virtual_time import in_virtual_time

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.button_gpio import GpioButton
from drivers.lamp_gpio import GpioLamp
from drivers.options import ButtonGpioOptions, LampGpioOptions
from scannerd.board.state import Mood
from scannerd.commands import Cancel, Command, Pause, Resume, Retake, StartScan
from scannerd.config import ButtonSection
from scannerd.control.button import ButtonControl, press_times, short_press_means
from scannerd.control.lamp import LampControl
from scannerd.control.presses import PressTimes
from scannerd.events import Event, PressFailed, Warned
from scannerd.requests import Answer, AnswerStatus, Request
from scannerd.scan.phases import Phase

TIMES = PressTimes(debounce_s=0.02, hold_s=0.4, warn_s=0.5, stuck_s=1.4, double_s=0.0)
DEADLINE_S = 60.0


@dataclass
class Scanner:
    """A daemon that only remembers what it was asked."""

    phase: Phase = Phase.IDLE
    running: str | None = None
    interrupted: str | None = None
    latest_photo: int | None = None
    status: AnswerStatus = AnswerStatus.ACCEPTED
    asked: list[Request] = field(default_factory=list)

    @property
    def commands(self) -> list[Command]:
        return [request.command for request in self.asked]

    async def ask(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(request.command_id, self.status, reason="busy with something else")


@dataclass
class Rig:
    bench: Bench
    scanner: Scanner
    lamp: LampControl
    events: list[Event] = field(default_factory=list)
    idle_long_presses: int = 0
    mood: Mood = Mood.IDLE

    async def press(self, seconds: float) -> None:
        self.bench.finger.down()
        await asyncio.sleep(seconds)
        self.bench.finger.up()
        # Any sooner would be a bounce.
        await asyncio.sleep(2 * TIMES.debounce_s)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once it holds."""
        await wait_until(holds, DEADLINE_S)

    @property
    def warnings(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Warned)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with install_bench(GreyCard()) as installed:
        yield installed


@asynccontextmanager
async def pressed(bench: Bench, scanner: Scanner | None = None, times: PressTimes = TIMES) -> AsyncIterator[Rig]:
    """A button and a lamp on the bench, obeyed."""
    clock = asyncio.get_running_loop().time
    button, lamp = GpioButton(ButtonGpioOptions(), clock), GpioLamp(LampGpioOptions())
    bench.world.lamp.now_s = clock
    rig = Rig(bench, scanner or Scanner(), LampControl(lamp, lambda: rig.mood))

    def idle_long_press() -> None:
        rig.idle_long_presses += 1
        rig.lamp.show_code("121111")

    control = ButtonControl(button, rig.lamp, rig.scanner, times, rig.events.append, idle_long_press)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(control.run()), group.create_task(rig.lamp.run())]
        await asyncio.sleep(0)
        yield rig
        for task in tasks:
            task.cancel()
    assert not bench.world.lamp.lit
    button.close()
    lamp.close()


@pytest.mark.parametrize(
    ("phase", "interrupted", "command"),
    [
        (Phase.IDLE, None, StartScan()),
        (Phase.IDLE, "cup", Resume()),
        (Phase.PAUSED, None, Resume()),
        (Phase.MOVING, None, Pause()),
        (Phase.CAPTURING, None, Pause()),
        (Phase.SEALING, None, Pause()),
    ],
)
def test_a_short_press_is_the_one_thing_a_person_can_want(
    phase: Phase, interrupted: str | None, command: Command
) -> None:
    assert short_press_means(phase, interrupted) == command


def test_the_configuration_says_how_long_is_long() -> None:
    assert press_times(ButtonSection()) == PressTimes()


@in_virtual_time
async def test_short_presses_are_commands_of_their_own_in_order(bench: Bench) -> None:
    async with pressed(bench) as rig:
        await rig.press(0.06)
        await rig.until(lambda: len(rig.scanner.asked) == 1)
        rig.scanner.phase = Phase.MOVING
        await rig.press(0.06)
        await rig.until(lambda: len(rig.scanner.asked) == 2)
    assert rig.scanner.commands == [StartScan(), Pause()]
    assert len({request.command_id for request in rig.scanner.asked}) == 2
    assert {request.source for request in rig.scanner.asked} == {"button"}
    assert rig.events == []


@in_virtual_time
async def test_a_refusal_is_published_since_nobody_can_be_answered(bench: Bench) -> None:
    async with pressed(bench, Scanner(status=AnswerStatus.REFUSED)) as rig:
        await rig.press(0.06)
        await rig.until(lambda: bool(rig.events))
    assert rig.events == [PressFailed("StartScan", "busy with something else")]


@in_virtual_time
async def test_a_long_press_cancels_after_a_warning_that_the_lamp_blinks(bench: Bench) -> None:
    times = PressTimes(hold_s=0.4, warn_s=1.2, stuck_s=5.0)
    async with pressed(bench, Scanner(Phase.MOVING, running="cup"), times) as rig:
        rig.mood = Mood.SCANNING
        rig.lamp.look()
        finger = asyncio.create_task(rig.press(1.9))
        await rig.until(lambda: len(rig.bench.world.lamp.flashes()) > 8)
        assert rig.scanner.asked == [], "nothing is cancelled while it warns"
        await rig.until(lambda: bool(rig.scanner.asked))
        await finger
    assert rig.scanner.commands == [Cancel("cup")]
    quick = [change for change, later in pairwise(changes(bench)) if later[0] - change[0] < 0.2]
    assert mood_of(quick) == "warning"


@in_virtual_time
async def test_letting_go_during_the_warning_means_nothing(bench: Bench) -> None:
    async with pressed(bench, Scanner(Phase.MOVING, running="cup")) as rig:
        rig.mood = Mood.SCANNING
        await rig.press(0.65)
        await rig.press(0.06)
        await rig.until(lambda: bool(rig.scanner.asked))
        assert rig.scanner.commands == [Pause()]
        bench_lamp = bench.world.lamp
        count = len(bench_lamp.flashes())
        await asyncio.sleep(0.6)
        assert len(bench_lamp.flashes()) - count <= 2, "it blinks quickly no more"


@in_virtual_time
async def test_a_scan_that_ends_during_the_warning_is_not_cancelled_nor_the_next_one(bench: Bench) -> None:
    async with pressed(bench, Scanner(Phase.MOVING, running="cup")) as rig:
        finger = asyncio.create_task(rig.press(1.1))
        await rig.until(lambda: len(rig.bench.world.lamp.flashes()) > 4)
        rig.scanner.running = "jug"
        await finger
        await rig.press(0.06)
        await rig.until(lambda: bool(rig.scanner.asked))
    assert rig.scanner.commands == [Pause()]


@in_virtual_time
async def test_a_long_press_gives_an_interrupted_scan_up(bench: Bench) -> None:
    async with pressed(bench, Scanner(interrupted="cup")) as rig:
        await rig.press(1.1)
        await rig.until(lambda: bool(rig.scanner.asked))
    assert rig.scanner.commands == [Cancel("cup")]


@in_virtual_time
async def test_a_long_press_while_idle_blinks_the_code_and_a_press_ends_that(bench: Bench) -> None:
    async with pressed(bench) as rig:
        await rig.press(0.6)
        await rig.until(lambda: rig.idle_long_presses == 1)
        assert rig.scanner.asked == []
        await rig.until(lambda: len(rig.bench.world.lamp.flashes()) >= 4)
        assert not rig.warnings
        await rig.press(0.06)
        await rig.until(lambda: bool(rig.scanner.asked))
        assert rig.scanner.commands == [StartScan()]
        await rig.until(lambda: rig.bench.world.lamp.lit)
        count = len(bench.world.lamp.flashes())
        await asyncio.sleep(1.2)
        assert len(bench.world.lamp.flashes()) == count, "steady again: idle"


@in_virtual_time
async def test_the_code_can_be_read_from_the_lamp(bench: Bench) -> None:
    async with pressed(bench) as rig:
        rig.lamp.show_code("213645")
        await wait_until(lambda: len(code_of(changes(bench))) == 6, 60)
    assert code_of(changes(bench)) == "213645"


@in_virtual_time
async def test_a_button_that_sticks_is_reported_ignored_and_works_again_when_freed(bench: Bench) -> None:
    async with pressed(bench) as rig:
        bench.finger.down()
        await rig.until(lambda: bool(rig.warnings))
        assert "held down for more than 1.4 s" in rig.warnings[0]
        bench.finger.up()
        await rig.until(lambda: len(rig.warnings) == 2)
        assert rig.warnings[1] == "button: works again"
        assert rig.scanner.asked == []
        await rig.press(0.06)
        await rig.until(lambda: bool(rig.scanner.asked))
    assert rig.scanner.commands == [StartScan()]


@pytest.mark.parametrize(
    ("phase", "latest", "commands"),
    [
        (Phase.MOVING, 4, [Pause(), Retake(4), Resume()]),
        (Phase.PAUSED, 4, [Resume(), Retake(4), Resume()]),
        (Phase.MOVING, None, [Pause(), Pause()]),
        (Phase.IDLE, None, [StartScan(), StartScan()]),
    ],
)
@in_virtual_time
async def test_two_presses_take_the_latest_photo_again(
    bench: Bench, phase: Phase, latest: int | None, commands: list[Command]
) -> None:
    scanner = Scanner(phase, latest_photo=latest)
    async with pressed(bench, scanner, replace(TIMES, double_s=0.4)) as rig:
        await rig.press(0.1)
        await rig.until(lambda: len(scanner.commands) == 1)
        await rig.press(0.1)
        await rig.until(lambda: len(scanner.commands) == len(commands))
    assert scanner.commands == commands

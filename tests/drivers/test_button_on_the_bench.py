import threading
import time
from collections.abc import Iterator

import pytest
from gpiozero import Button as GpiozeroButton

from drivers.bench.install import Bench
from drivers.button_gpio import GpioButton
from drivers.options import ButtonGpioOptions
from drivers.protocols import DriverError

HOLD_S = 0.15
DEADLINE_S = 5.0


class Presses:
    """What the button reported, in order."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.long_seen = threading.Event()

    def short(self) -> None:
        self.seen.append("short")

    def long(self) -> None:
        self.seen.append("long")
        self.long_seen.set()


@pytest.fixture
def presses(bench: Bench) -> Iterator[Presses]:
    button, heard = GpioButton(ButtonGpioOptions(hold_s=HOLD_S)), Presses()
    button.on_short_press(heard.short)
    button.on_long_press(heard.long)
    yield heard
    button.close()
    button.close()


def test_a_short_press_is_reported_when_it_is_let_go(bench: Bench, presses: Presses) -> None:
    bench.finger.press(0.01)
    bench.finger.press(0.01)
    assert presses.seen == ["short", "short"]


def test_a_long_press_is_reported_while_it_is_held_and_never_as_short(bench: Bench, presses: Presses) -> None:
    released_at_s: list[float] = []
    finger = threading.Thread(target=lambda: (bench.finger.press(HOLD_S * 4), released_at_s.append(time.monotonic())))
    finger.start()
    assert presses.long_seen.wait(DEADLINE_S)
    seen_while_held = list(presses.seen)
    finger.join()
    assert seen_while_held == ["long"]
    assert presses.seen == ["long"]
    bench.finger.press(0.01)
    assert presses.seen == ["long", "short"]


def test_a_pin_in_use_is_named(bench: Bench) -> None:
    taken = GpiozeroButton(23)
    with pytest.raises(DriverError, match=r"button: .*GPIO23"):
        GpioButton(ButtonGpioOptions())
    taken.close()

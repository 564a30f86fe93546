import time
from collections.abc import Iterator

import pytest
from gpiozero import Button as GpiozeroButton

from drivers.bench.install import Bench
from drivers.button_gpio import GpioButton
from drivers.options import ButtonGpioOptions
from drivers.protocols import DriverError


@pytest.fixture
def button(bench: Bench) -> Iterator[GpioButton]:
    button = GpioButton(ButtonGpioOptions())
    yield button
    button.close()
    button.close()


def test_every_edge_is_told_with_its_time_bounces_and_all(bench: Bench, button: GpioButton) -> None:
    edges: list[tuple[bool, float]] = []
    button.on_edge(lambda closed, at_s: edges.append((closed, at_s)))
    began_s = time.monotonic()
    for _ in range(3):
        bench.finger.press(0.002)
    ended_s = time.monotonic()
    assert [closed for closed, _ in edges] == [True, False] * 3
    times_s = [at_s for _, at_s in edges]
    assert times_s == sorted(times_s)
    assert began_s <= times_s[0] + 1e-3
    assert times_s[-1] <= ended_s
    assert times_s[1] - times_s[0] == pytest.approx(0.002, abs=0.05)


def test_the_contact_is_read_as_it_is(bench: Bench, button: GpioButton) -> None:
    assert not button.closed_contact
    bench.finger.down()
    assert button.closed_contact
    bench.finger.up()
    assert not button.closed_contact


def test_a_button_that_sticks_from_the_start_is_seen_closed(bench: Bench) -> None:
    bench.finger.down()
    button = GpioButton(ButtonGpioOptions())
    assert button.closed_contact
    button.close()


def test_nobody_is_told_any_more_after_that_was_asked_for(bench: Bench, button: GpioButton) -> None:
    edges: list[bool] = []
    button.on_edge(lambda closed, _: edges.append(closed))
    bench.finger.down()
    button.on_edge(None)
    bench.finger.up()
    assert edges == [True]
    button.close()
    button.on_edge(None)


def test_a_pin_in_use_is_named(bench: Bench) -> None:
    taken = GpiozeroButton(23)
    with pytest.raises(DriverError, match=r"button: .*GPIO23"):
        GpioButton(ButtonGpioOptions())
    taken.close()

"""What a person at the device touches, sees and hears: button, lamp, buzzer, light and emergency stop."""

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

from scannerd.board.board import Board
from scannerd.config import Config
from scannerd.control.button import ButtonControl, PressedScanner, press_times
from scannerd.control.buzzer import BuzzerControl
from scannerd.control.emergency_stop import EmergencyStopControl
from scannerd.control.lamp import LampControl
from scannerd.control.lighting import Lighting, SignalLamp
from scannerd.event_bus import EventBus
from scannerd.events import EmergencyStopChanged, LightChanged
from scannerd.hardware import Hardware


class PanelledScanner(PressedScanner, Protocol):
    """The daemon as its panel sees it."""

    events: EventBus
    board: Board
    new_pairing_code: Callable[[], str] | None

    @property
    def hardware(self) -> Hardware:
        """The devices in use."""


class Panel:
    """Uses the devices that there are now: other settings may have some of them built anew."""

    def __init__(self, scanner: PanelledScanner) -> None:
        """Nothing is heard and nothing shines before `listen_to_emergency_stop` and `start`."""
        self._scanner = scanner
        self._publish = scanner.events.publish
        self._lamp = LampControl(scanner.hardware.lamp, lambda: scanner.board.mood)
        self._buzzer = BuzzerControl(scanner.hardware.buzzer, lambda: scanner.board.mood)
        self.lighting = Lighting()
        self._signals = LampControl(SignalLamp(self.lighting, lambda: scanner.board.mood), lambda: scanner.board.mood)
        self._emergency: EmergencyStopControl | None = None
        self._button: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        scanner.events.follow(lambda _: self._look())
        scanner.events.follow(self.lighting.follow)

    def listen_to_emergency_stop(self) -> EmergencyStopControl:
        """Hear it from now on, before anything can move. Call it in the event loop's thread."""
        self._emergency = EmergencyStopControl(lambda: self._scanner.hardware.motors, self._publish)
        self._emergency.use(self._scanner.hardware.emergency_stop)
        return self._emergency

    def start(self, config: Config, group: asyncio.TaskGroup) -> None:
        """Show, sound and listen until `stop`."""
        self._tasks = [
            group.create_task(self._lamp.run(), name="lamp"),
            group.create_task(self._buzzer.run(), name="buzzer"),
            group.create_task(self.lighting.run(), name="light"),
            group.create_task(self._signals.run(), name="signals"),
        ]
        self._listen_to_button(config, group)
        self._tell_light(config)
        self.lighting.use(self._scanner.hardware.light, config.light)

    def stop(self) -> None:
        """Hear no presses any more, and leave lamp and buzzer dark and silent."""
        for task in self._tasks:
            task.cancel()
        if self._button is not None:
            self._button.cancel()

    def let_go(self) -> None:
        """Use no device: some are about to be closed."""
        self._use(None)
        self.lighting.hold(None)

    def use_anew(self, config: Config, sections: Collection[str], group: asyncio.TaskGroup) -> None:
        """Use the devices that there are now; those of these sections may be others."""
        hardware = self._scanner.hardware
        self._use(hardware)
        self._listen_to_button(config, group)
        if "light" in sections:
            self._tell_light(config)
            self.lighting.use(hardware.light, config.light)
        else:
            self.lighting.hold(hardware.light)
        if hardware.emergency_stop is None and self._scanner.board.state().emergency_stop is not None:
            self._publish(EmergencyStopChanged(None))

    def _use(self, hardware: Hardware | None) -> None:
        self._lamp.use(hardware.lamp if hardware else None)
        self._buzzer.use(hardware.buzzer if hardware else None)
        if self._emergency is not None:
            self._emergency.use(hardware.emergency_stop if hardware else None)

    def _look(self) -> None:
        self._lamp.look()
        self._buzzer.look()
        self._signals.look()

    def _listen_to_button(self, config: Config, group: asyncio.TaskGroup) -> None:
        """Hear the button that there is now; another one's presses are heard no more."""
        if self._button is not None:
            self._button.cancel()
            self._button = None
        button = self._scanner.hardware.button
        if button is not None:
            times = press_times(config.button)
            control = ButtonControl(button, self._lamp, self._scanner, times, self._publish, self._show_pairing_code)
            self._button = group.create_task(control.run(), name="button")

    def _tell_light(self, config: Config) -> None:
        """A light shines as configured, once it is lit; other settings may have taken it away."""
        light = self._scanner.hardware.light
        if light is not None:
            colour = config.light.colour if light.has_colours else None
            self._publish(LightChanged(config.light.level, colour))
        elif self._scanner.board.state().light_level is not None:
            self._publish(LightChanged(None))

    def _show_pairing_code(self) -> None:
        if self._scanner.new_pairing_code is not None:
            self._lamp.show_code(self._scanner.new_pairing_code())

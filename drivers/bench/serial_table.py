"""A turntable or a lift on a real pseudo-terminal: a controller at one end, and everything that befalls a cable."""

import fcntl
import os
import select
import struct
import threading
import tty
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from drivers.bench.grbl_firmware import GrblFirmware
from drivers.bench.grbl_settings import GrblBuild
from drivers.bench.marlin_firmware import MarlinBuild, MarlinFirmware
from drivers.bench.serial_firmware import SerialFirmware
from drivers.bench.serial_motors import MotorBuild
from drivers.bench.table_firmware import TableBuild, TableFirmware
from drivers.bench.world import World

LOOK_MS = 1
IDLE_MS = 10
TCGETS2 = 0x802C542A
OSPEED = slice(40, 44)

Kind = Literal["grbl", "marlin", "table"]


Moves = Literal["platter", "lift"]


@dataclass(frozen=True)
class SecondAxis:
    """Another motor of the same controller: the one that raises the camera."""

    letter: str = "Y"
    units_per_turn: float = 360.0
    """For 360° of the camera."""
    turns: int = 1
    """-1: a motor coil is connected the other way round."""


@dataclass(frozen=True)
class SerialWiring:
    """What controller turns the platter or raises the camera, and where its port is."""

    kind: Kind
    port: Path
    """A link to the pseudo-terminal, as udev would make it; gone while the cable is out."""
    letter: str = "X"
    units_per_turn: float = 360.0
    turns: int = 1
    """-1: a motor coil is connected the other way round."""
    baud: int = 0
    """What it listens at, where that matters; at others it hears and says noise."""
    speed_deg_s: float = 60.0
    acceleration_deg_s2: float = 180.0
    homing: bool = False
    moves: Moves = "platter"
    """What its motor moves."""
    beside: SecondAxis | None = None
    """What raises the camera, where the platter's controller has a motor for it, too."""


class SerialTable:
    """Runs a controller in a thread of its own until `close`. Faults come by method, from any thread."""

    def __init__(self, world: World, wiring: SerialWiring) -> None:
        """Plug it in."""
        self._world = world
        self._wiring = wiring
        self._lock = threading.RLock()
        self.firmware = _firmware(world, wiring)
        self._line: int | None = None
        self._is_open = False
        self._ending = False
        self._drop_to_controller = self._drop_to_host = self._garble_to_host = 0
        self._drop_at: float | None = None
        self._pending: deque[tuple[float, bytes]] = deque()
        """What is said, and from when on it is heard."""
        self.reply_delay_s = 0.0
        """What it takes longer for each answer."""
        self.bytes_lost = 0
        self.plug_in()
        self._thread = threading.Thread(target=self._run, name="serial table")
        self._thread.start()

    @property
    def enabled(self) -> bool:
        """Whether the motor has current."""
        return self.firmware.enabled

    @property
    def lift_enabled(self) -> bool:
        """Whether its second motor has current, where there is one."""
        beside = self._wiring.beside
        return beside is not None and self.firmware.motors.by_letter[beside.letter].enabled

    @property
    def plugged_in(self) -> bool:
        """Whether the cable is."""
        return self._line is not None

    def unplug(self) -> None:
        """Pull the cable, which also feeds the controller: motor off, count lost."""
        with self._lock:
            if self._line is not None:
                os.close(self._line)
            self._line = None
            self._is_open = False
            self._wiring.port.unlink(missing_ok=True)
            self.firmware.power_on()
            self.firmware.advance()

    def plug_in(self) -> None:
        """Put the cable back: another pseudo-terminal, the same link."""
        with self._lock:
            if self._line is not None:
                return
            self._line, far_end = os.openpty()
            tty.setraw(far_end)
            name = os.ttyname(far_end)
            os.close(far_end)
            self._wiring.port.unlink(missing_ok=True)
            self._wiring.port.parent.mkdir(parents=True, exist_ok=True)
            self._wiring.port.symlink_to(name)

    def drop_byte(self, to: Literal["controller", "host"] = "host", share: float | None = None) -> None:
        """Lose a byte of what is sent next that way: the first to the host, the middle one to the controller.

        `share`, 0 to 1, takes another place of it.
        """
        self._drop_at = share
        if to == "host":
            self._drop_to_host += 1
        else:
            self._drop_to_controller += 1

    def garble_byte(self) -> None:
        """Change a byte of what the controller sends next."""
        self._garble_to_host += 1

    def reset(self) -> None:
        """Push its reset button."""
        with self._lock:
            self.firmware.reset()

    def alarm(self) -> None:
        """Have a limit switch met, or whatever stops this kind."""
        with self._lock:
            self.firmware.alarm()

    def close(self) -> None:
        """End it; safe to call twice."""
        self._ending = True
        self._thread.join()
        self.unplug()

    def _run(self) -> None:
        while not self._ending:
            line = self._line
            if line is None:
                threading.Event().wait(IDLE_MS / 1000)
                continue
            with suppress(OSError):
                self._serve(line)

    def _serve(self, line: int) -> None:
        """Once round: hear, let time pass, speak."""
        poll = select.poll()
        poll.register(line, select.POLLIN)
        ready = poll.poll(LOOK_MS)
        with self._lock:
            if self._line != line:
                return
            hung_up = any(event & select.POLLHUP for _, event in ready)
            if hung_up == self._is_open:
                self._is_open = not hung_up
                if self._is_open:
                    self.firmware.opened()
            if any(event & select.POLLIN for _, event in ready) and (data := os.read(line, 512)):
                self.firmware.receive(self._to_controller(line, data))
            out = self._delayed(self._to_host(line, self.firmware.advance()))
            if out and self._is_open:
                os.write(line, out)
        if not ready or hung_up:
            threading.Event().wait(LOOK_MS / 1000)

    def _to_controller(self, line: int, data: bytes) -> bytes:
        if not self._understood(line):
            return bytes(byte ^ 0xA5 for byte in data)
        if self._drop_to_controller and len(data) > 2:
            self._drop_to_controller -= 1
            return self._without_one(data, 0.5)
        return data

    def _to_host(self, line: int, data: bytes) -> bytes:
        if data and not self._understood(line):
            return bytes(byte ^ 0xA5 for byte in data)
        middle = len(data) // 2
        if self._drop_to_host and len(data) > 2:
            self._drop_to_host -= 1
            # Without its first byte no line is what it was.
            return self._without_one(data, 0.0)
        if self._garble_to_host and len(data) > 2:
            self._garble_to_host -= 1
            self.bytes_lost += 1
            return data[:middle] + bytes([data[middle] ^ 0x88]) + data[middle + 1 :]
        return data

    def _without_one(self, data: bytes, usual: float) -> bytes:
        self.bytes_lost += 1
        share = usual if self._drop_at is None else self._drop_at
        place = min(len(data) - 1, int(share * len(data)))
        return data[:place] + data[place + 1 :]

    def _delayed(self, data: bytes) -> bytes:
        now_s = self._world.clock.now_s()
        if data:
            self._pending.append((now_s + self.reply_delay_s, data))
        out = b""
        while self._pending and self._pending[0][0] <= now_s:
            out += self._pending.popleft()[1]
        return out

    def _understood(self, line: int) -> bool:
        """Whether both ends speak equally fast."""
        if not self._wiring.baud:
            return True
        settings = fcntl.ioctl(line, TCGETS2, bytes(44))
        return int(struct.unpack("I", settings[OSPEED])[0]) == self._wiring.baud


def _firmware(world: World, wiring: SerialWiring) -> SerialFirmware:
    now_s = world.clock.now_s
    motor = _motor(world, wiring.moves, wiring.letter, wiring.units_per_turn, wiring.turns)
    second = wiring.beside
    beside = () if second is None else (_motor(world, "lift", second.letter, second.units_per_turn, second.turns),)
    per_deg = wiring.units_per_turn / 360
    if wiring.kind == "grbl":
        speed_min, acceleration = wiring.speed_deg_s * per_deg * 60, wiring.acceleration_deg_s2 * per_deg
        axes = 4 if wiring.letter == "A" else 3
        grbl = GrblBuild(
            wiring.letter, motor.steps_per_unit, speed_min, acceleration, wiring.units_per_turn, wiring.homing,
            axes=axes, beside=beside,
        )  # fmt: skip
        return GrblFirmware(now_s, motor.pulse, grbl, motor.at_switch)
    if wiring.kind == "marlin":
        marlin = MarlinBuild(wiring.letter, motor.steps_per_unit, wiring.homing, beside)
        return MarlinFirmware(now_s, motor.pulse, marlin, motor.at_switch)
    table = TableBuild(motor.steps_per_unit, wiring.speed_deg_s, wiring.acceleration_deg_s2)
    return TableFirmware(now_s, motor.pulse, table)


def _motor(world: World, moves: Moves, letter: str, units_per_turn: float, turns: int) -> MotorBuild:
    """Connect a motor of the controller with what it moves."""
    if moves == "platter":

        def turn(way: int, at_s: float, enabled: bool) -> None:
            world.pulse_table(way * turns, enabled, at_s)

        return MotorBuild(letter, world.platter.mechanics.steps_per_turn / units_per_turn, turn, world.was_at_index)
    assert world.lift is not None, "a motor that raises the camera needs an arm"

    def climb(way: int, at_s: float, enabled: bool) -> None:
        world.pulse_lift(way * turns, enabled)

    return MotorBuild(
        letter, 360 / world.lift.mechanics.step_deg / units_per_turn, climb, lambda _: world.at_switch()
    )

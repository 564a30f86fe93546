"""What can go wrong on the bench while a demo scans, by name: how it begins, and what a hand does about it.

Everything happens in the bench's world. The daemon finds out by itself, or is none the wiser.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.bench.flicker import LightFlicker
from drivers.bench.install import Bench
from drivers.bench.radio_link import LINKS
from drivers.bench.rotor import MotorMake
from drivers.bench.sd_card import CARDS
from drivers.bench.serial_table import SerialTable
from drivers.bench.supply import SimulatedSupply
from scannerd.store.durable import free_bytes_at


class Disk:
    """The disk of the store, which somebody may fill."""

    def __init__(self) -> None:
        self.is_full = False

    def free_bytes(self, folder: Path) -> int:
        """Return what is free, as the daemon is told."""
        return 0 if self.is_full else free_bytes_at(folder)


@dataclass(frozen=True)
class Surroundings:
    """What a fault can reach."""

    bench: Bench
    supply: SimulatedSupply
    disk: Disk

    @property
    def cable(self) -> SerialTable:
        """Of the serial turntable."""
        if self.bench.table is None:
            raise ValueError("this bench's turntable hangs on GPIO pins; a fault of its cable needs a serial one")
        return self.bench.table

    def push_platter(self, by_deg: float) -> None:
        """Turn the platter against its motor."""
        self.bench.world.platter.turn_by_hand(by_deg, self.bench.clock.now_s())


Deed = Callable[[Surroundings], None]


def nothing(_: Surroundings) -> None:
    """Some faults are there from the start, or are over by themselves."""


@dataclass(frozen=True)
class DemoFault:
    """One of them."""

    name: str
    says: str
    strike: Deed = nothing
    """What happens after a photo; with `restarts`, while the daemon is down."""
    heal: Deed = nothing
    """What a hand does once it is asked, or the daemon has given up."""
    table: Mapping[str, Any] = field(default_factory=dict)
    """How the turntable is built from the start (`PlatterMechanics`)."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What is set from the start, by section."""
    card: str = ""
    """What the store lies on from the start, of `drivers.bench.sd_card`; empty: the laptop's own disk."""
    gloss: float = 0.0
    """Of the object's surface (`SceneObject`)."""
    link: str = ""
    """What is between device and service from the start, of `drivers.bench.radio_link`; empty: loopback."""
    at_start: bool = False
    restarts: bool = False
    """The daemon ends and is started again."""
    on_serial: bool = False
    """It befalls the cable of a serial turntable, or its controller."""


def _world(name: str, value: object) -> Deed:
    return lambda around: setattr(around.bench.world, name, value)


FAULTS = {
    fault.name: fault
    for fault in (
        DemoFault("lose-steps", "the motor misses 60 pulses", lambda around: around.bench.world.motor.lose(60)),
        DemoFault(
            "weak-motor",
            "the motor misses a tenth of the pulses of fast moves",
            lambda around: around.bench.world.motor.stall_above(20.0, 0.1),
            lambda around: around.bench.world.motor.recover(),
        ),
        DemoFault(
            "heavy-object",
            "an object of 10 kg stands on the platter, too heavy for its motor",
            table={"object_kg": 10.0, "motor": MotorMake()},
            at_start=True,
        ),
        DemoFault(
            "hasty-profile",
            "speed and acceleration were set five times too high for the motor",
            table={"motor": MotorMake()},
            settings={"turntable": {"max_speed_deg_s": 300.0, "acceleration_deg_s2": 900.0}},
            at_start=True,
        ),
        DemoFault("jam", "something holds the platter", _world("jammed", True), _world("jammed", False)),
        DemoFault("turn-platter", "a hand turns the platter by 25°", lambda around: around.push_platter(25.0)),
        DemoFault("belt-slip", "the belt jumps: the platter falls 3° back", lambda around: around.push_platter(-3.0)),
        DemoFault(
            "askew-platter",
            "the platter sits askew on its shaft: it leans by 1°, to the same side of itself always",
            table={"wobble_deg": 1.0},
            at_start=True,
        ),
        DemoFault(
            "bearing-wobble",
            "the bearing has two high spots: the axis leans by 0.3°, twice around in a turn",
            table={"wobble_deg": 0.3, "wobble_waves": 2},
            at_start=True,
        ),
        DemoFault(
            "eccentric-pulley",
            "the platter's pulley sits off its centre: angles err by 0.5°, once a turn",
            table={"eccentricity_deg": 0.5},
            at_start=True,
        ),
        DemoFault(
            "sliding-object",
            "the object stands on a narrow, smooth foot, and slides on the mat whenever it is jerked",
            table={"friction": 0.2, "foot_radius_mm": 8.0},
            at_start=True,
        ),
        DemoFault("glossy-object", "the object is glazed, and mirrors the lights", gloss=0.04, at_start=True),
        DemoFault("backlash", "belt or gear has 1° of play", table={"backlash_deg": 1.0}, at_start=True),
        DemoFault(
            "camera-hang",
            "the camera falls silent until it is started anew",
            lambda around: around.bench.world.hang_camera_until_restarted(),
        ),
        DemoFault(
            "camera-unplugged",
            "the camera falls silent until its cable is plugged in again",
            _world("camera_hangs", True),
            _world("camera_hangs", False),
        ),
        DemoFault("late-frame", "a frame comes 3 s late", lambda around: around.bench.world.delay_next_frame(3.0)),
        DemoFault(
            "defocus",
            "somebody has turned the lens",
            _world("lens_turned_dioptres", 6.0),
            _world("lens_turned_dioptres", None),
        ),
        DemoFault(
            "wrong-exposure",
            "the exposure was set by hand, three times too long",
            settings={"camera": {"metering": "configured", "exposure_us": 60_000}},
            at_start=True,
        ),
        DemoFault(
            "flicker",
            "lamps flicker with mains of 50 Hz",
            _world("flicker", LightFlicker(mains_hz=50)),
            at_start=True,
        ),
        DemoFault(
            "emergency-stop",
            "somebody pushes the emergency stop",
            lambda around: around.bench.emergency_stop.push(),
            lambda around: around.bench.emergency_stop.release(),
            settings={"emergency_stop": {"driver": "gpio"}},
        ),
        DemoFault(
            "low-voltage",
            "the supply's voltage sags",
            lambda around: around.supply.set_low(True),
            lambda around: around.supply.set_low(False),
        ),
        DemoFault(
            "disk-full",
            "the disk is full",
            lambda around: setattr(around.disk, "is_full", True),
            lambda around: setattr(around.disk, "is_full", False),
        ),
        DemoFault("slow-card", f"the store lies on {CARDS['class10'].says}", card="class10", at_start=True),
        DemoFault("worn-card", f"the store lies on {CARDS['worn'].says}", card="worn", at_start=True),
        DemoFault("wifi-shop", f"service behind {LINKS['shop'].says}", link="shop", at_start=True),
        DemoFault("wifi-far-corner", f"service behind {LINKS['far-corner'].says}", link="far-corner", at_start=True),
        DemoFault("wifi-cuts", f"service behind {LINKS['cuts'].says}", link="cuts", at_start=True),
        DemoFault(
            "restart",
            "the daemon is stopped and started again, and a hand turns the platter by 40° meanwhile",
            lambda around: around.push_platter(40.0),
            restarts=True,
        ),
        DemoFault(
            "unplug",
            "the serial turntable's cable is pulled, which feeds it, too",
            lambda around: around.cable.unplug(),
            lambda around: around.cable.plug_in(),
            on_serial=True,
        ),
        DemoFault(
            "drop-byte", "a byte of its answers is lost", lambda on: on.cable.drop_byte("host"), on_serial=True
        ),
        DemoFault(
            "drop-order", "a byte of an order is lost", lambda on: on.cable.drop_byte("controller"), on_serial=True
        ),
        DemoFault(
            "garble-byte", "a byte of its answers is changed", lambda on: on.cable.garble_byte(), on_serial=True
        ),
        DemoFault("reset-table", "its controller is reset", lambda on: on.cable.reset(), on_serial=True),
        DemoFault("table-alarm", "its controller stops by itself", lambda on: on.cable.alarm(), on_serial=True),
        DemoFault(
            "slow-replies",
            "it answers 0.3 s late",
            lambda around: setattr(around.cable, "reply_delay_s", 0.3),
            lambda around: setattr(around.cable, "reply_delay_s", 0.0),
            on_serial=True,
        ),
    )
}


def faults_named(names: Sequence[str]) -> tuple[DemoFault, ...]:
    """Return the faults of these names, once each. Raises ValueError for a name that there is not."""
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no fault; `--fault list` prints those that there are")
    return tuple(FAULTS[name] for name in dict.fromkeys(names))

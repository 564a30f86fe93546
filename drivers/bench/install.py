"""Putting the bench beneath the drivers, in this process, and taking it away again."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from gpiozero import Device

from drivers import spi_device, v4l2_bus, v4l2_device, v4l2_session
from drivers.bench.bench_clock import BenchClock
from drivers.bench.camera_rig import CameraRig, PictureSource, ReadyPictures
from drivers.bench.dma_heap import BenchDmaHeap
from drivers.bench.led_ring import LedRing
from drivers.bench.lift import Lift, LiftMechanics
from drivers.bench.pins import BenchWiring, RingWiring, SimulatedEmergencyStop, SimulatedFinger, wire_up
from drivers.bench.platter import PlatterMechanics
from drivers.bench.render_process import RenderProcess
from drivers.bench.scene import Scene
from drivers.bench.sensor_models import IMX477, SensorModel
from drivers.bench.serial_table import SerialTable, SerialWiring
from drivers.bench.usb_bus import UsbBus
from drivers.bench.video_device import BenchVideo
from drivers.bench.video_kernel import BenchKernel
from drivers.bench.world import World

SITE = Path(__file__).parent / "site"
"""Holds the packages that a Pi has from apt and that the bench simulates: libcamera, pykms, prctl."""


@dataclass(frozen=True)
class OtherBenchCamera:
    """A further camera that looks at the same table, from another height and the same side."""

    elevation_deg: float
    on_usb: bool = False
    """Else on a ribbon cable; those are counted from 1, the first camera being 0."""


def install_bench(
    pictures: Scene | PictureSource | ReadyPictures,
    speed: float = 1.0,
    wiring: BenchWiring | None = None,
    mechanics: PlatterMechanics | None = None,
    lift: LiftMechanics | None = None,
    sensor: SensorModel = IMX477,
    turntable: SerialWiring | None = None,
    lift_controller: SerialWiring | None = None,
    others: Sequence[OtherBenchCamera] = (),
) -> "Bench":
    """Simulate a scanner beneath gpiozero and picamera2 until `Bench.close`.

    `pictures` is the scene in front of the camera, rendered by a process of its own, or anything that computes what
    the camera sees, or holds it ready; `speed` is how much faster than the system's time the bench's runs; `lift` is
    how the arm is built that `wiring.lift` leads to, `sensor` what the camera has inside; `turntable` is a controller
    on a serial line that turns the platter, and no pins do,
    `lift_controller` one that raises the camera; `others` are further cameras. Build the drivers
    afterwards, with `Bench.clock` as their clock, and close them before the bench. Raises RuntimeError where a bench
    is installed already, or where this process has loaded the real libcamera.
    """
    mechanics, lift = mechanics or PlatterMechanics(), lift or LiftMechanics()
    return Bench(
        pictures, speed, wiring or BenchWiring(), mechanics, lift, sensor, turntable, lift_controller, others
    )


class Bench:
    """The simulated scanner, installed. `world` is the truth to test against."""

    def __init__(
        self,
        pictures: Scene | PictureSource | ReadyPictures,
        speed: float,
        wiring: BenchWiring,
        mechanics: PlatterMechanics,
        lift: LiftMechanics,
        sensor: SensorModel,
        turntable: SerialWiring | None,
        lift_controller: SerialWiring | None,
        others: Sequence[OtherBenchCamera],
    ) -> None:
        """Build the world and connect it; see `install_bench`."""
        self.clock = BenchClock(speed)
        by_table = turntable is not None and turntable.beside is not None
        arm = Lift(lift) if wiring.lift is not None or lift_controller is not None or by_table else None
        self.world = World(
            self.clock, mechanics, light_fitted=wiring.light_pin is not None or wiring.ring is not None, lift=arm
        )
        self.pins, self.board, self.lift_board = wire_up(self.world, wiring)
        self.finger = SimulatedFinger(self.pins, wiring.button_pin)
        self.emergency_stop = SimulatedEmergencyStop(self.world, self.pins, wiring.emergency_stop_pin)
        self.renderer: RenderProcess | None = None
        """The process that renders the scene, where a scene was given."""
        with ExitStack() as connections:
            self._connect_cameras(connections, self._picture_source(connections, pictures), sensor, others)
            self._connect_pins(connections)
            self.ring = self._connect_ring(connections, wiring.ring)
            self.table = self._plug_in(connections, turntable)
            self.lift_table = self._plug_in(connections, lift_controller)
            """The lift's own controller."""
            self._connections = connections.pop_all()

    @property
    def angle_deg(self) -> float:
        """Where the platter truly is at this moment."""
        return self.world.angle_deg

    @property
    def step_deg(self) -> float:
        """Angle of one STEP pulse at the platter."""
        return self.world.platter.mechanics.step_deg

    @property
    def motor_enabled(self) -> bool:
        """Whether what turns the platter has current."""
        return self.board.enabled if self.table is None else self.table.enabled

    @property
    def lift_enabled(self) -> bool:
        """Whether what raises the camera has current."""
        if self.lift_board is not None:
            return self.lift_board.enabled
        if self.lift_table is not None:
            return self.lift_table.enabled
        return self.table is not None and self.table.lift_enabled

    def close(self) -> None:
        """Unplug everything and give gpiozero and picamera2 back what they had; safe to call twice.

        The simulated libcamera stays loaded, as modules do, and has no cameras.
        """
        self._connections.close()

    def __enter__(self) -> "Bench":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _picture_source(
        self, connections: ExitStack, pictures: Scene | PictureSource | ReadyPictures
    ) -> PictureSource | ReadyPictures:
        if not isinstance(pictures, Scene):
            return pictures
        self.renderer = connections.enter_context(RenderProcess(pictures))
        return self.renderer.render_into

    def _connect_ring(self, connections: ExitStack, wiring: RingWiring | None) -> LedRing | None:
        if wiring is None:
            return None
        ring = LedRing(self.world.light, wiring.device, wiring.count)
        ring.install(spi_device)
        connections.callback(ring.remove)
        return ring

    def _plug_in(self, connections: ExitStack, wiring: SerialWiring | None) -> SerialTable | None:
        if wiring is None:
            return None
        controller = SerialTable(self.world, wiring)
        connections.callback(controller.close)
        return controller

    def _connect_pins(self, connections: ExitStack) -> None:
        connections.callback(setattr, Device, "pin_factory", Device.pin_factory)
        connections.callback(self.pins.close)
        Device.pin_factory = self.pins

    def _connect_cameras(
        self,
        connections: ExitStack,
        pictures: PictureSource | ReadyPictures,
        sensor: SensorModel,
        others: Sequence[OtherBenchCamera],
    ) -> None:
        sys.path.insert(0, str(SITE))
        connections.callback(sys.path.remove, str(SITE))
        libcamera = _simulated_libcamera()
        heap = BenchDmaHeap(importlib.import_module("picamera2.dma_heap"))
        heap.install(importlib.import_module("picamera2.allocators.dmaallocator"))
        connections.callback(heap.remove)
        prepare = self.renderer.prepare if self.renderer is not None else None
        first = CameraRig(self.world, pictures, heap, prepare, sensor)
        rigs = [
            CameraRig(self.world, pictures, heap, prepare, sensor, number, other.elevation_deg)
            for number, other in enumerate(others, 1)
        ]
        on_usb = [rig for rig, other in zip(rigs, others, strict=True) if other.on_usb]
        if len(on_usb) > 1:
            raise RuntimeError(f"bench: {len(on_usb)} further cameras on USB; it has one such device")
        libcamera.plug_in(first, *(rig for rig in rigs if rig not in on_usb))
        connections.callback(libcamera.unplug)
        self.usb = UsbBus()
        """Carries them both."""
        self.video = BenchVideo(on_usb[0] if on_usb else first, usb=self.usb)
        """A camera on USB, for whose driver asks the kernel: a further one where that is there, else the same one."""
        self.first_video = BenchVideo(first, "/dev/video1", self.usb) if on_usb else self.video
        """The first camera, as the kernel shows it."""
        self.video_kernel = BenchKernel(self.video, *([self.first_video] if on_usb else []))
        connections.callback(self.video_kernel.remove)
        self.video_kernel.install(v4l2_device, v4l2_session, v4l2_bus)
        self.dslr: Any = None
        """A DSLR before the same world, `drivers.bench.dslr.BenchDslr`, where python-gphoto2 is installed."""
        if importlib.util.find_spec("gphoto2") is not None:
            self.dslr = importlib.import_module("drivers.bench.dslr").BenchDslr(first)
            self.dslr.install(importlib.import_module("drivers.gphoto2_body"))
            connections.callback(self.dslr.remove)


def _simulated_libcamera() -> Any:
    libcamera = importlib.import_module("libcamera")
    if not hasattr(libcamera, "plug_in"):
        raise RuntimeError(
            f"bench: this process uses the real libcamera from {libcamera.__file__}; start the bench in another one"
        )
    return libcamera

"""What the hardware does besides scans: find home, turn a little, photograph the empty table, shine."""

import logging
import math

from drivers.protocols import AxisNotHomed
from scannerd.commands import CommandRefused
from scannerd.config_light import shares_of
from scannerd.event_bus import EventBus
from scannerd.events import AxisHomed, BackgroundStored, LightChanged
from scannerd.scan.background import photograph_background
from scannerd.store.background import BackgroundPlate
from scannerd.store.layout import StoreLayout
from scannerd.work.workplace import Workplace
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)

LARGEST_JOG_DEG = 360.0


class Errands:
    """Each lets the motor go when it is done, or was stopped."""

    def __init__(self, workplace: Workplace, layout: StoreLayout, worker: WorkerThread, events: EventBus) -> None:
        self._workplace = workplace
        self._layout = layout
        self._worker = worker
        self._events = events

    async def home(self) -> None:
        """Make the present position, or the index, angle 0, and tell how. Raises DriverError."""
        axis = self._workplace.hardware.axis
        try:
            found = await axis.home()
            self._workplace.zero = None
            self._events.publish(AxisHomed(found.found_by, found.off_deg, axis.step_deg))
        finally:
            await axis.release()

    async def jog(self, delta_deg: float) -> None:
        """Turn by an angle; a platter that was never homed counts from where it stands. Raises DriverError."""
        axis = self._workplace.hardware.axis
        if not math.isfinite(delta_deg) or abs(delta_deg) > LARGEST_JOG_DEG:
            raise CommandRefused(f"Jog {delta_deg}°: at most {LARGEST_JOG_DEG:.0f}° either way at a time")
        try:
            try:
                from_deg = axis.angle_deg
            except AxisNotHomed:
                await axis.home()
                from_deg = axis.angle_deg
            await axis.move_to(from_deg + delta_deg)
        finally:
            await axis.release()

    async def photograph_background(self) -> None:
        """Keep a photo of the empty table from each camera. Raises DriverError, StoreFault."""
        size_bytes = 0
        config = self._workplace.config
        for number, section in enumerate(config.every_camera):
            plate = BackgroundPlate(self._layout, number, config.camera_names[number])
            camera = self._workplace.hardware.cameras[number]
            facts = await photograph_background(camera, plate, self._worker, section.jpeg_quality)
            size_bytes += facts.file.size_bytes
        LOG.info("background stored: %d kB", size_bytes // 1000)
        self._events.publish(BackgroundStored(size_bytes))

    def set_light(self, level: float | None = None, colour: str | None = None) -> None:
        """Shine with a share of all there is; what is left out is as before. Raises CommandRefused, DriverError."""
        light = self._workplace.hardware.light
        if light is None:
            raise CommandRefused("SetLight: this scanner has no light; set [light] driver")
        if level is None:
            level = self._workplace.light_level or self._workplace.config.light.level or 1.0
        if not 0 <= level <= 1:
            raise CommandRefused(f"SetLight {level}: use 0 (off) to 1 (all there is)")
        if colour is not None and not light.has_colours:
            raise CommandRefused(f"SetLight {colour}: this light has one colour; leave the colour out")
        colour = colour or self._workplace.light_colour
        light.set_level(level, shares_of(colour))
        self._events.publish(LightChanged(level, colour if light.has_colours else None))

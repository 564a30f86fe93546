"""What the camera is locked to for a whole scan: metered once on the object, or as configured; a journal line."""

import logging
from dataclasses import asdict

from pydantic import TypeAdapter, ValidationError

from drivers.protocols import Camera, CameraSettings, Window
from offload.logs.fields import about
from scannerd.commands import RawPhotos
from scannerd.config_camera import AnyCameraSection
from scannerd.scan.flicker import Flicker
from scannerd.store.durable import StoreFault
from scannerd.store.stored_scan import StoredScan
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)

OBJECT_WINDOW = Window(left=0.25, top=0.2, width=0.5, height=0.6)
"""Where an object that fills the photo well lies; the mat's white lies mostly outside."""

STEADY_LIGHT = Flicker()

_SETTINGS = TypeAdapter(CameraSettings)


async def lock_camera(
    scan: StoredScan,
    camera: Camera,
    configured: AnyCameraSection,
    storing: WorkerThread,
    flicker: Flicker = STEADY_LIGHT,
    number: int = 0,
) -> CameraSettings:
    """Lock the scan's camera of this number for this run, and return to what.

    What is metered is exposed for whole periods of flickering light. A scan that goes on has what its first run had,
    lest its photos differ. Raises DriverError, StoreFault.
    """
    await camera.keep_raw(scan.plan.raw is not RawPhotos.NEVER)
    plan = scan.plan.of_camera(number)
    if scan.locked_settings_of(number) is not None:
        settings = await camera.lock(_known(scan, number))
    else:
        wanted = configured.settings(camera.settings.focus_dioptres)
        settings = await (_metered(camera, flicker) if plan.metered else camera.lock(wanted))
        await storing.run(lambda: scan.note_lock(asdict(settings), number))
    LOG.info(
        "locked%s: %.0f µs, gain %.2f, colour gains %.2f %.2f, focus %s",
        plan.named(number),
        settings.exposure_us,
        settings.analogue_gain,
        *settings.colour_gains,
        "fixed" if settings.focus_dioptres is None else f"{settings.focus_dioptres:.2f} dpt",
        extra=about(scan=scan.plan.scan_id),
    )
    return settings


async def _metered(camera: Camera, flicker: Flicker) -> CameraSettings:
    metered = await camera.meter(OBJECT_WINDOW)
    steady = flicker.steady(metered)
    if steady == metered:
        return metered
    LOG.info("%.0f µs metered, %.0f µs are whole periods of the light", metered.exposure_us, steady.exposure_us)
    return await camera.lock(steady)


def _known(scan: StoredScan, number: int) -> CameraSettings:
    try:
        return _SETTINGS.validate_python(dict(scan.locked_settings_of(number) or {}))
    except ValidationError as error:
        raise StoreFault(
            f"{scan.folder.journal}: the locked camera settings cannot be understood: {error}; start a new scan"
        ) from error

"""Taking the photo of the empty turntable."""

from datetime import UTC, datetime

from drivers.protocols import Camera, CameraSettings, Frame
from offload.wire.bundle import CameraModel, StoredFile
from scannerd import __version__
from scannerd.store.background import BackgroundFacts, BackgroundPlate
from scannerd.store.hashing import sha256_of_bytes
from scannerd.store.photo import encode_planes, with_exif
from scannerd.worker_thread import WorkerThread


def camera_model(camera: Camera) -> CameraModel:
    """Return an open camera as EXIF and manifest name it."""
    facts = camera.description
    return CameraModel(
        make=facts.make,
        model=facts.model,
        focal_length_mm=facts.focal_length_mm,
        pixel_pitch_um=facts.sensor_width_mm / facts.width_px * 1000,
    )


async def photograph_background(
    camera: Camera, plate: BackgroundPlate, worker: WorkerThread, jpeg_quality: int
) -> BackgroundFacts:
    """Take the photo and keep it for the scans to come. Raises DriverError, StoreFault."""
    frame = await camera.capture()
    model, locked, taken_at = camera_model(camera), camera.settings, datetime.now(UTC)
    return await worker.run(lambda: _keep(frame, model, locked, taken_at, plate, jpeg_quality))


def _keep(
    frame: Frame,
    camera: CameraModel,
    locked: CameraSettings,
    taken_at: datetime,
    plate: BackgroundPlate,
    jpeg_quality: int,
) -> BackgroundFacts:
    jpeg = with_exif(
        encode_planes(frame.photo, jpeg_quality),
        camera,
        frame.exposure_us,
        frame.analogue_gain,
        taken_at,
        f"scannerd {__version__}",
    )
    facts = BackgroundFacts(
        file=StoredFile(name=plate.path.name, sha256=sha256_of_bytes(jpeg), size_bytes=len(jpeg)),
        camera=camera,
        photo_width_px=frame.photo.width_px,
        photo_height_px=frame.photo.height_px,
        exposure_us=frame.exposure_us,
        analogue_gain=frame.analogue_gain,
        colour_gains=locked.colour_gains,
        focus_dioptres=locked.focus_dioptres,
        taken_at=taken_at,
    )
    plate.keep(jpeg, facts)
    return facts

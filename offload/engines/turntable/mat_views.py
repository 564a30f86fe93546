"""From a sealed scan on a mat to masked, cropped views in the mat's frame, millimetres."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.protocol import BadInput, Cancellation, OnProgress
from offload.engines.turntable.calibrate import Camera
from offload.engines.turntable.crop import PosedPhotos, crop_views
from offload.engines.turntable.mask_shape import Mask
from offload.engines.turntable.mat import Mat, MatObservation
from offload.engines.turntable.mat_silhouettes import Found, mat_silhouettes
from offload.engines.turntable.photos import Photo, PhotoDamaged, PhotoFile, reduced, require_one_size
from offload.engines.turntable.prepared import Prepared
from offload.engines.turntable.rough_hull import RoughHull, rough_hull
from offload.engines.turntable.scan_bundle import ScanBundle
from offload.engines.turntable.stands import CalibratedPhotos, SeenPhoto, SizedCamera, calibrate_stands
from offload.engines.turntable.views import Space
from offload.wire.bundle import MatSpec
from offload.wire.jobs import Stage

Floats = NDArray[np.float64]

LEAST_MASK_SHARE = 5e-4
"""Of the picture; a smaller silhouette is no object."""
MIN_VIEWS = 4
LEAST_SHOWN_SHARE = 0.55
"""Of the mat's corners, that at least one photo shows."""
MOST_DAMAGED_SHARE = 0.2
"""Of the photos; more gaps in the ring, and it is worth scanning again."""


@dataclass(frozen=True)
class Sighting:
    """What the first reading of a photo gave."""

    size_px: tuple[int, int]
    seen: MatObservation
    small: Photo
    """Reduced, still distorted."""


def prepare_mat_views(bundle: ScanBundle, progress: OnProgress, cancellation: Cancellation) -> Prepared:
    """Read, calibrate, mask and crop. Raises BadInput."""
    spec = bundle.manifest.mat
    if spec is None:
        raise BadInput(
            f"scan {bundle.manifest.scan_id} names no mat, and this engine takes pose and scale from it; "
            "print one with `scannerd mat`, name it in the configuration and scan again"
        )
    given = len(bundle.manifest.frames)
    bundle, sightings, damaged = whole_photos(bundle, _first_reading(bundle.files, spec, progress, cancellation))
    progress(Stage.CALIBRATE, 0.0)
    calibration = _calibrate(bundle, sightings)
    bundle, sightings = bundle.only(calibration.kept), [sightings[view] for view in calibration.kept]
    progress(Stage.CALIBRATE, 1.0)
    cancellation.raise_if_cancelled()
    posed = _posed(bundle, calibration, sightings)
    smalls = [sighting.small for sighting in sightings]
    found, plates_unused = mat_silhouettes(
        bundle, Mat(spec), posed, calibration.turntables, smalls, progress, cancellation
    )
    posed, found, unused = _without_empty(posed, found)
    masks, behind = [mask for mask, _ in found], [picture for _, picture in found]
    hull = _where_the_object_is(spec, posed, masks)
    views = crop_views(posed, masks, hull.points, lambda n: progress(Stage.MASK, 0.7 + 0.3 * n / len(posed)), behind)
    cancellation.raise_if_cancelled()
    stored = all(bundle.manifest.all_cameras()[number].intrinsics is not None for number in set(posed.cameras))
    return Prepared(
        views=views,
        space=Space(bundle.manifest.options.voxel_mm, floor=0.0, low=hull.low, high=hull.high, unit_mm=1.0),
        posed=posed,
        photos_given=given,
        up=np.array([0.0, 0.0, 1.0]),
        units="mm",
        metres_per_unit=1e-3,
        scale_source="mat, stored intrinsics" if stored else "mat, self-calibrated",
        reprojection_rms_px=calibration.rms_px,
        focal_length_px=float(calibration.K[0, 0, 0]),
        unused=bundle.left_out | damaged | calibration.lost | unused,
        warnings=(
            *calibration.warnings,
            *plates_unused,
            *covered_mat(Mat(spec), [sighting.seen for sighting in sightings]),
        ),
    )


def covered_mat(mat: Mat, seen: list[MatObservation]) -> tuple[str, ...]:
    """Return a warning when more of the mat is hidden in every photo than an object's foot hides."""
    shown = len({number for observation in seen for number in observation.ids.tolist()})
    if shown >= LEAST_SHOWN_SHARE * len(mat.corners_mm):
        return ()
    return (
        f"only {shown} of the mat's {len(mat.corners_mm)} corners show in any photo: what lies on the others "
        "may have become part of the model; clear the mat",
    )


def whole_photos(
    bundle: ScanBundle, readings: list[Sighting | PhotoDamaged]
) -> tuple[ScanBundle, list[Sighting], dict[str, str]]:
    """Leave out damaged photos, with the reason of each. Raises BadInput when they are too many."""
    whole = [view for view, reading in enumerate(readings) if isinstance(reading, Sighting)]
    sightings = [reading for reading in readings if isinstance(reading, Sighting)]
    reasons = {
        file.name: str(reading)
        for file, reading in zip(bundle.files, readings, strict=True)
        if isinstance(reading, PhotoDamaged)
    }
    if len(reasons) > MOST_DAMAGED_SHARE * len(readings):
        raise BadInput(
            f"{len(reasons)} of {len(readings)} photos are damaged; the first: {next(iter(reasons.values()))}"
        )
    return bundle.only(whole), sightings, reasons


def _first_reading(
    files: tuple[PhotoFile, ...], spec: MatSpec, progress: OnProgress, cancellation: Cancellation
) -> list[Sighting | PhotoDamaged]:
    """Decode each photo once: find the mat's corners, keep a small copy. Two threads, a detector each."""
    mats = [Mat(spec), Mat(spec)]

    def look(numbered: tuple[int, PhotoFile]) -> Sighting | PhotoDamaged:
        try:
            photo = numbered[1].read()
        except PhotoDamaged as damage:
            return damage
        height, width = photo.shape[:2]
        seen = mats[numbered[0] % 2].detect(np.asarray(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), np.uint8))
        return Sighting((width, height), seen, reduced(photo))

    found: list[Sighting | PhotoDamaged] = []
    with ThreadPoolExecutor(2) as pool:
        # Pairs keep each detector in one thread at a time.
        for start in range(0, len(files), 2):
            cancellation.raise_if_cancelled()
            found += pool.map(look, enumerate(files[start : start + 2]))
            progress(Stage.READ, len(found) / len(files))
    return found


def _calibrate(bundle: ScanBundle, sightings: list[Sighting]) -> CalibratedPhotos:
    photos = [
        SeenPhoto(frame.file.name, sighting.seen, frame.angle_deg, stand)
        for frame, sighting, stand in zip(bundle.frames, sightings, bundle.stands, strict=True)
    ]
    cameras = {}
    for number, told in enumerate(bundle.manifest.all_cameras()):
        own = [view for view, frame in enumerate(bundle.frames) if frame.camera == number]
        if own:
            names = [bundle.files[view].name for view in own]
            size_px = require_one_size(names, [sightings[view].size_px for view in own])
            focal_px = told.camera.focal_length_mm * 1000 / told.camera.pixel_pitch_um
            cameras[number] = SizedCamera(told.name, size_px, Camera(focal_px, told.intrinsics))
    return calibrate_stands(photos, cameras)


def _posed(bundle: ScanBundle, calibration: CalibratedPhotos, sightings: list[Sighting]) -> PosedPhotos:
    return PosedPhotos(
        files=bundle.files,
        K=calibration.K,
        distortion=calibration.distortion,
        R=calibration.R,
        t=calibration.t_mm,
        sizes_px=tuple(sighting.size_px for sighting in sightings),
        stands=tuple(bundle.stands),
    )


def _without_empty(posed: PosedPhotos, found: list[Found]) -> tuple[PosedPhotos, list[Found], dict[str, str]]:
    """Leave out photos that show no object. Raises BadInput when too few are left."""
    kept = [view for view, (mask, _) in enumerate(found) if mask.mean() >= LEAST_MASK_SHARE]
    lost = {posed.files[view].name: "no object found on the mat" for view in set(range(len(found))) - set(kept)}
    if len(kept) < MIN_VIEWS:
        raise BadInput(
            f"an object is seen in {len(kept)} of {len(found)} photos, at least {MIN_VIEWS} are needed; "
            "does it stand on the mat, and does it differ from mat and background?"
        )
    return (posed.subset(kept), [found[view] for view in kept], lost) if lost else (posed, found, lost)


def _where_the_object_is(spec: MatSpec, posed: PosedPhotos, masks: list[Mask]) -> RoughHull:
    """Look above the mat, as high as it is wide or as the cameras see."""
    half = 0.75 * max(spec.width_mm, spec.height_mm)
    top = min(2.5 * half, 1.2 * float(np.abs(np.einsum("vji,vj->vi", posed.R, posed.t)[:, 2]).max()))
    low, high = np.array([-half, -half, 0.0]), np.array([half, half, top])
    return rough_hull(masks, posed.at_sizes_of(masks), posed.R, posed.t, low, high)

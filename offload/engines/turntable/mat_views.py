"""From a sealed scan on a mat to masked, cropped views in the mat's frame, millimetres."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.protocol import BadInput, Cancellation, OnProgress
from offload.engines.turntable import background as still
from offload.engines.turntable.background import StaticBackground, mat_footprint
from offload.engines.turntable.calibrate import Calibration, Camera
from offload.engines.turntable.crop import PosedPhotos, crop_views, scaled, undistorted
from offload.engines.turntable.mask import silhouette
from offload.engines.turntable.mask_edge import Behind
from offload.engines.turntable.mask_evidence import MatScene
from offload.engines.turntable.mask_shape import Mask
from offload.engines.turntable.mat import Mat, MatObservation
from offload.engines.turntable.photos import Photo, PhotoDamaged, PhotoFile, require_one_size
from offload.engines.turntable.prepared import Prepared
from offload.engines.turntable.rings import calibrate_rings, rings_of
from offload.engines.turntable.rough_hull import RoughHull, rough_hull
from offload.engines.turntable.scan_bundle import ScanBundle
from offload.engines.turntable.table_plane import table_plane
from offload.engines.turntable.views import Space
from offload.wire.bundle import MatSpec
from offload.wire.jobs import Stage

Floats = NDArray[np.float64]
Found = tuple[Mask, Behind]

MASK_WIDTH_PX = 800
"""Silhouettes are found in photos of about this width, then enlarged."""
LEAST_MASK_SHARE = 5e-4
"""Of the picture; a smaller silhouette is no object."""
MIN_VIEWS = 4
LEAST_SHOWN_SHARE = 0.55
"""Of the mat's corners, that at least one photo shows."""
MOST_DAMAGED_SHARE = 0.2
"""Of the photos; more gaps in the ring, and it is worth scanning again."""
MARGIN_SHARE = 0.08
"""Of the mat's width: the paper's margin around the chequered area, generously."""
PLATE_MARGIN_PX = 4
"""The plate's own mat is cut out this much wider; its edge casts a shadow."""


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
    names = [file.name for file in bundle.files]
    size_px = require_one_size(names, [sighting.size_px for sighting in sightings])
    progress(Stage.CALIBRATE, 0.0)
    calibration, kept, rings_lost = _calibrate(bundle, names, [sighting.seen for sighting in sightings], size_px)
    bundle, sightings = bundle.only(kept), [sightings[view] for view in kept]
    progress(Stage.CALIBRATE, 1.0)
    cancellation.raise_if_cancelled()
    posed = _posed(bundle, calibration, size_px)
    smalls = [sighting.small for sighting in sightings]
    found = _silhouettes(bundle, Mat(spec), posed, smalls, progress, cancellation)
    posed, found, unused = _without_empty(posed, found)
    masks, behind = [mask for mask, _ in found], [picture for _, picture in found]
    scale = masks[0].shape[1] / size_px[0]
    hull = _where_the_object_is(spec, posed, masks, scale)
    views = crop_views(
        posed, masks, scale, hull.points, lambda n: progress(Stage.MASK, 0.7 + 0.3 * n / len(posed)), behind
    )
    cancellation.raise_if_cancelled()
    stored = bundle.manifest.intrinsics is not None
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
        focal_length_px=float(calibration.K[0, 0]),
        unused=bundle.left_out | damaged | rings_lost | unused,
        warnings=(*calibration.warnings, *covered_mat(Mat(spec), [sighting.seen for sighting in sightings])),
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


def reduced(photo: Photo) -> Photo:
    """Return the photo at the size silhouettes are found in."""
    factor = min(1.0, MASK_WIDTH_PX / photo.shape[1])
    if factor == 1.0:
        return photo
    size = (round(photo.shape[1] * factor), round(photo.shape[0] * factor))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)


def _calibrate(
    bundle: ScanBundle, names: list[str], seen: list[MatObservation], size_px: tuple[int, int]
) -> tuple[Calibration, list[int], dict[str, str]]:
    lens = bundle.manifest.camera
    camera = Camera(lens.focal_length_mm * 1000 / lens.pixel_pitch_um, bundle.manifest.intrinsics)
    return calibrate_rings(names, seen, bundle.angles_deg, bundle.rings, size_px, camera)


def _posed(bundle: ScanBundle, calibration: Calibration, size_px: tuple[int, int]) -> PosedPhotos:
    count = len(bundle.files)
    return PosedPhotos(
        files=bundle.files,
        K=np.repeat(calibration.K[None], count, axis=0),
        distortion=np.repeat(calibration.distortion[None], count, axis=0),
        R=calibration.R,
        t=calibration.t_mm,
        size_px=size_px,
        rings=tuple(bundle.rings),
    )


def _silhouettes(
    bundle: ScanBundle, mat: Mat, posed: PosedPhotos, smalls: list[Photo],
    progress: OnProgress, cancellation: Cancellation,
) -> list[Found]:  # fmt: skip
    """Ring by ring: what stands still behind the platter looks different from every height."""
    found: dict[int, Found] = {}
    for ring in rings_of(bundle.rings):
        done, share = len(found) / len(smalls), len(ring) / len(smalls)
        part = bundle.only(ring)
        if part.rings[0] != min(bundle.rings):
            part = replace(part, background=None)  # The empty table was photographed from the first ring's height.
        masks = _silhouettes_of_ring(
            part, mat, posed.subset(ring), [smalls[view] for view in ring],
            _part_of(progress, 0.7 * done, 0.7 * share), cancellation,
        )  # fmt: skip
        found |= zip(ring, masks, strict=True)
    return [found[view] for view in range(len(smalls))]


def _part_of(progress: OnProgress, done: float, share: float) -> OnProgress:
    return lambda stage, part: progress(stage, done + share * part)


def _silhouettes_of_ring(
    bundle: ScanBundle, mat: Mat, posed: PosedPhotos, smalls: list[Photo],
    progress: OnProgress, cancellation: Cancellation,
) -> list[Found]:  # fmt: skip
    height, width = smalls[0].shape[:2]
    K = scaled(posed.K[0], width / posed.size_px[0])
    straight = [undistorted(small, K, posed.distortion[0], K, (width, height)) for small in smalls]
    progress(Stage.MASK, 0.1)
    behind = _background(bundle, mat, posed, K, straight)
    distance_mm = float(np.linalg.norm(posed.t, axis=1).mean())
    pixels_per_mm = K[0, 0] / distance_mm
    half_mm = max(mat.spec.width_mm, mat.spec.height_mm) / 2
    table = table_plane(straight, K, posed.R, posed.t, half_mm, min(pixels_per_mm, 450 / half_mm))
    scene = MatScene(mat, K, behind, table, square_px=mat.spec.square_mm * pixels_per_mm)
    found = []
    for view, photo in enumerate(straight):
        cancellation.raise_if_cancelled()
        found.append(silhouette(scene, photo, posed.R[view], posed.t[view]))
        progress(Stage.MASK, 0.15 + 0.85 * (view + 1) / len(straight))
    return found


def _background(
    bundle: ScanBundle, mat: Mat, posed: PosedPhotos, K: Floats, straight: list[Photo]
) -> StaticBackground:
    height, width = straight[0].shape[:2]
    size_mm = _with_margin(mat.spec)
    footprints = [
        mat_footprint(size_mm, K, posed.R[view], posed.t[view], (width, height), 3) for view in range(len(straight))
    ]
    start = _plate(bundle, mat, posed, K, (width, height)) if bundle.background else None
    # More views than this say nothing new of what stands still.
    every = max(1, len(straight) // 48)
    return still.completed_from_views(start, straight[::every], footprints[::every])


def _plate(
    bundle: ScanBundle, mat: Mat, posed: PosedPhotos, K: Floats, size_px: tuple[int, int]
) -> StaticBackground | None:
    """Read the photo of the empty table; without a mat in it, all of it is background."""
    assert bundle.background is not None
    photo = bundle.background.read()
    require_one_size([posed.files[0].name, bundle.background.name], [posed.size_px, (photo.shape[1], photo.shape[0])])
    seen = mat.detect(np.asarray(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), np.uint8))
    plate = undistorted(reduced(photo), K, posed.distortion[0], K, size_px)
    covered = np.zeros((size_px[1], size_px[0]), bool)
    if seen.usable:
        points = np.column_stack([seen.points_mm, np.zeros(len(seen))])
        _, rotation, translation = cv2.solvePnP(points, seen.pixels, posed.K[0], posed.distortion[0])
        R, t_mm = np.asarray(cv2.Rodrigues(rotation)[0], np.float64), np.asarray(translation, np.float64).ravel()
        covered = mat_footprint(_with_margin(mat.spec), K, R, t_mm, size_px, PLATE_MARGIN_PX)
    return still.from_plate(plate, covered)


def _with_margin(spec: MatSpec) -> tuple[float, float]:
    """The sheet with a margin around the chequered area; how wide it was cut nobody knows."""
    margin_mm = MARGIN_SHARE * max(spec.width_mm, spec.height_mm)
    return spec.width_mm + 2 * margin_mm, spec.height_mm + 2 * margin_mm


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


def _where_the_object_is(spec: MatSpec, posed: PosedPhotos, masks: list[Mask], scale: float) -> RoughHull:
    """Look above the mat, as high as it is wide or as the cameras see."""
    half = 0.75 * max(spec.width_mm, spec.height_mm)
    top = min(2.5 * half, 1.2 * float(np.abs(np.einsum("vji,vj->vi", posed.R, posed.t)[:, 2]).max()))
    low, high = np.array([-half, -half, 0.0]), np.array([half, half, top])
    return rough_hull(masks, scaled(posed.K, scale), posed.R, posed.t, low, high)

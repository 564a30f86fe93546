"""Silhouettes of all photos of a scan on a mat, stand by stand."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from offload.engines.protocol import Cancellation, OnProgress
from offload.engines.turntable import background as still
from offload.engines.turntable.background import StaticBackground, mat_footprint
from offload.engines.turntable.crop import PosedPhotos, scaled, undistorted
from offload.engines.turntable.mask import silhouette
from offload.engines.turntable.mask_edge import Behind
from offload.engines.turntable.mask_evidence import MatScene
from offload.engines.turntable.mask_shape import Mask
from offload.engines.turntable.mat import Mat
from offload.engines.turntable.photos import Photo, PhotoDamaged, PhotoFile, reduced, require_one_size
from offload.engines.turntable.plate import Plate, plate_of, why_not, with_margin
from offload.engines.turntable.scan_bundle import ScanBundle
from offload.engines.turntable.stands import StandKey, views_of_stands
from offload.engines.turntable.table_plane import table_plane
from offload.engines.turntable.turntable_model import TurntableModel
from offload.wire.jobs import Stage

Floats = NDArray[np.float64]
Found = tuple[Mask, Behind]

MOST_VIEWS = 48
"""More say nothing new of what stands still."""


def mat_silhouettes(
    bundle: ScanBundle, mat: Mat, posed: PosedPhotos, turntables: Mapping[StandKey, TurntableModel],
    smalls: list[Photo], progress: OnProgress, cancellation: Cancellation,
) -> tuple[list[Found], tuple[str, ...]]:  # fmt: skip
    """Return what each photo shows, and warnings; what stands still looks different from every stand.

    `smalls` are the reduced photos, still distorted.
    """
    found: dict[int, Found] = {}
    unfit: dict[StandKey, str] = {}
    for key, views in views_of_stands(bundle.stands).items():
        done, share = len(found) / len(smalls), len(views) / len(smalls)
        own, plate = posed.subset(views), bundle.backgrounds.get(key.camera)
        straight = _straight([smalls[view] for view in views], own)
        behind = _seen_behind(mat, own, straight)
        progress(Stage.MASK, 0.7 * (done + 0.1 * share))
        if plate is not None:
            try:
                table = _plate(plate, mat, own)
                reason = why_not(table, turntables[key], behind)
            except PhotoDamaged as damage:
                reason = str(damage)
            if reason is None:
                behind = still.completed(table.background, behind)
            else:
                unfit[key] = reason
        masks = _of_stand(mat, own, straight, behind, _part_of(progress, 0.7 * done, 0.7 * share), cancellation)
        found |= zip(views, masks, strict=True)
    return [found[view] for view in range(len(smalls))], _warnings(bundle, unfit)


def _part_of(progress: OnProgress, done: float, share: float) -> OnProgress:
    return lambda stage, part: progress(stage, done + share * part)


def _small_lens(posed: PosedPhotos, small: Photo) -> Floats:
    return scaled(posed.K[0], small.shape[1] / posed.sizes_px[0][0])


def _straight(smalls: list[Photo], posed: PosedPhotos) -> list[Photo]:
    height, width = smalls[0].shape[:2]
    K = _small_lens(posed, smalls[0])
    return [undistorted(small, K, posed.distortion[0], K, (width, height)) for small in smalls]


def _of_stand(
    mat: Mat, posed: PosedPhotos, straight: list[Photo], behind: StaticBackground,
    progress: OnProgress, cancellation: Cancellation,
) -> list[Found]:  # fmt: skip
    K = _small_lens(posed, straight[0])
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


def _seen_behind(mat: Mat, posed: PosedPhotos, straight: list[Photo]) -> StaticBackground:
    """What the photos agree on where they look past the mat."""
    height, width = straight[0].shape[:2]
    size_mm, K = with_margin(mat.spec), _small_lens(posed, straight[0])
    footprints = [
        mat_footprint(size_mm, K, posed.R[view], posed.t[view], (width, height), 3) for view in range(len(straight))
    ]
    every = max(1, len(straight) // MOST_VIEWS)
    return still.from_views(straight[::every], footprints[::every])


def _plate(file: PhotoFile, mat: Mat, posed: PosedPhotos) -> Plate:
    photo = file.read()
    require_one_size([posed.files[0].name, file.name], [posed.sizes_px[0], (photo.shape[1], photo.shape[0])])
    return plate_of(photo, reduced(photo), mat, posed.K[0], posed.distortion[0])


def _warnings(bundle: ScanBundle, unfit: dict[StandKey, str]) -> tuple[str, ...]:
    """Name the plates that were of no use, but not for rings that are meant to stand elsewhere."""
    cameras = bundle.manifest.all_cameras()
    heights = {key: frame.elevation_deg for key, frame in zip(bundle.stands, bundle.frames, strict=True)}
    told = []
    for key, reason in unfit.items():
        others = [other for other in heights if other.camera == key.camera and other not in unfit]
        if any(heights[other] != heights[key] for other in others):
            continue
        of_camera = f" of camera {cameras[key.camera].name}" if len(cameras) > 1 else ""
        told.append(
            f"the photo of the empty table{of_camera} was not used for ring {key.ring + 1}: {reason}. Was it taken "
            "from another place? Take it again (`scannerd background`) after the camera was moved"
        )
    return tuple(told)

"""From photos with given poses, without a mat, to masked, cropped views in the poses' frame."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offload.engines.poses import PosedImage, Poses
from offload.engines.protocol import BadInput, Cancellation, OnProgress
from offload.engines.turntable.crop import PosedPhotos, crop_views, scaled, undistorted
from offload.engines.turntable.mask_shape import Mask
from offload.engines.turntable.mat_views import LEAST_MASK_SHARE, MIN_VIEWS
from offload.engines.turntable.photos import PhotoFile, reduced, require_one_size
from offload.engines.turntable.plain_mask import plain_silhouette
from offload.engines.turntable.prepared import Prepared
from offload.engines.turntable.rough_hull import RoughHull, rough_hull
from offload.engines.turntable.upright import up_of_cameras
from offload.engines.turntable.views import Space
from offload.wire.jobs import Stage

Floats = NDArray[np.float64]

MODEL_UNITS = 150
"""An object's longest side in the units that the dense stages think in."""
MOST_CAMERAS = 8
"""Different lenses that count as so many cameras; more are one camera, fitted anew in each photo."""
VOXELS_ALONG = 190
"""When nobody says how fine: voxels along the longest side."""


@dataclass(frozen=True)
class _Reading:
    size_px: tuple[int, int]
    mask: Mask
    """Reduced, undistorted."""


def prepare_posed_views(
    folder: Path, poses: Poses, voxel: float | None, progress: OnProgress, cancellation: Cancellation
) -> Prepared:
    """Read, mask and crop; `voxel` in the poses' unit. Raises BadInput."""
    files = _files(folder, poses)
    images = dict(zip(files, poses.images, strict=True))
    readings = _read(files, images, progress, cancellation)
    posed, masks, unused = _seen(files, images, readings)
    progress(Stage.MASK, 0.0)
    hull = _where_the_object_is(posed, masks, poses)
    unit = float((hull.high - hull.low).max()) / MODEL_UNITS
    views = crop_views(posed, masks, hull.points, lambda n: progress(Stage.MASK, n / len(posed)))
    cancellation.raise_if_cancelled()
    centres = -np.einsum("vji,vj->vi", posed.R, posed.t)
    up = np.array(poses.up) if poses.up else up_of_cameras(centres, posed.R, (hull.low + hull.high) / 2)
    metres = poses.metres_per_unit
    return Prepared(
        views=views,
        space=Space(
            voxel or MODEL_UNITS * unit / VOXELS_ALONG, floor=None, low=hull.low, high=hull.high, unit_mm=unit
        ),
        posed=posed,
        photos_given=len(files),
        up=up / np.linalg.norm(up),
        units=poses.units,
        metres_per_unit=metres,
        scale_source="given poses",
        focal_length_px=float(posed.K[:, 0, 0].mean()),
        unused=unused,
        warnings=_warnings(poses),
    )


def _warnings(poses: Poses) -> tuple[str, ...]:
    told = []
    if poses.metres_per_unit is None:
        told.append(f"the poses' unit {poses.units!r} is unknown: model.glb takes it for a metre")
    if poses.passed_over:
        told.append(f"the poses file also lists {poses.passed_over} images that are not in the folder")
    return tuple(told)


def _files(folder: Path, poses: Poses) -> tuple[PhotoFile, ...]:
    if not folder.is_dir():
        raise BadInput(f"{folder}: there is no such folder of photos")
    if not any(folder.iterdir()):
        raise BadInput(f"{folder}: empty; the {len(poses.images)} photos that the poses file names are expected here")
    missing = [image.file for image in poses.images if not (folder / image.file).is_file()]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise BadInput(
            f"{folder}: no {missing[0]}{others}, which the poses file names; copy it there or take it off the list"
        )
    return tuple(PhotoFile(image.file, folder / image.file) for image in poses.images)


def _read(
    files: tuple[PhotoFile, ...],
    images: dict[PhotoFile, PosedImage],
    progress: OnProgress,
    cancellation: Cancellation,
) -> list[_Reading]:
    def look(file: PhotoFile) -> _Reading:
        cancellation.raise_if_cancelled()
        photo = file.read()
        small = reduced(photo)
        K, distortion = _lens(images[file])
        K = scaled(K, small.shape[1] / photo.shape[1])
        straight = undistorted(small, K, distortion, K, (small.shape[1], small.shape[0]))
        return _Reading((photo.shape[1], photo.shape[0]), plain_silhouette(straight))

    readings = []
    with ThreadPoolExecutor(2) as pool:
        for reading in pool.map(look, files):
            readings.append(reading)
            progress(Stage.READ, len(readings) / len(files))
    return readings


def _lens(image: PosedImage) -> tuple[Floats, Floats]:
    return np.array(image.K), np.array(image.distortion or (0.0,) * 5)


def _seen(
    files: tuple[PhotoFile, ...],
    images: dict[PhotoFile, PosedImage],
    readings: list[_Reading],
) -> tuple[PosedPhotos, list[Mask], dict[str, str]]:
    """Leave out photos that show nothing before their background. Raises BadInput when too few are left."""
    kept = [index for index, reading in enumerate(readings) if reading.mask.mean() >= LEAST_MASK_SHARE]
    if len(kept) < MIN_VIEWS:
        raise BadInput(
            f"an object is seen in {len(kept)} of {len(files)} photos, at least {MIN_VIEWS} are needed; "
            "without a mat it must stand before a plain background, darker or brighter than itself"
        )
    lost = {
        files[index].name: "no object found before the background" for index in set(range(len(files))) - set(kept)
    }
    chosen = [images[files[index]] for index in kept]
    lenses = [_lens(image) for image in chosen]
    posed = PosedPhotos(
        files=tuple(files[index] for index in kept),
        K=np.stack([K for K, _ in lenses]),
        distortion=np.stack([distortion for _, distortion in lenses]),
        R=np.array([image.R for image in chosen]),
        t=np.array([image.t for image in chosen]),
        sizes_px=tuple(readings[index].size_px for index in kept),
        lenses=_cameras([(files[index].name, readings[index].size_px, images[files[index]]) for index in kept]),
    )
    return posed, [readings[index].mask for index in kept], lost


def _cameras(photos: list[tuple[str, tuple[int, int], PosedImage]]) -> tuple[int, ...]:
    """Number the cameras by lens; where nearly every photo has a lens of its own, by size alone.

    Raises BadInput where photos of one lens differ in size.
    """
    lenses = [(image.K, image.distortion) for _, _, image in photos]
    sizes_px = [size_px for _, size_px, _ in photos]
    for lens in dict.fromkeys(lenses):
        own = [(name, size_px) for (name, size_px, _), one in zip(photos, lenses, strict=True) if one == lens]
        require_one_size([name for name, _ in own], [size_px for _, size_px in own])
    keys: list[object] = [*lenses] if len(set(lenses)) <= MOST_CAMERAS else [*sizes_px]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return tuple(numbers[key] for key in keys)


def _where_the_object_is(posed: PosedPhotos, masks: list[Mask], poses: Poses) -> RoughHull:
    """Look in the given bounds, or around the point that the cameras look at, as wide as they see."""
    if poses.bounds is not None:
        low, high = (np.array(corner) for corner in poses.bounds)
    else:
        target, radius = _looked_at(posed)
        low, high = target - radius, target + radius
    return rough_hull(masks, posed.at_sizes_of(masks), posed.R, posed.t, low, high)


def _looked_at(posed: PosedPhotos) -> tuple[Floats, float]:
    """The point nearest to all optical axes, and the radius of what the cameras see around it."""
    centres = -np.einsum("vji,vj->vi", posed.R, posed.t)
    sizes = np.array(posed.sizes_px, np.float64)
    middle = np.column_stack([(sizes - 1) / 2, np.ones(len(posed))])
    axes = np.einsum("vji,vj->vi", posed.R, np.linalg.solve(posed.K, middle[..., None])[..., 0])
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    across = np.eye(3) - axes[:, :, None] * axes[:, None]
    target = np.linalg.lstsq(across.sum(axis=0), np.einsum("vij,vj->i", across, centres), rcond=None)[0]
    distance = np.linalg.norm(centres - target, axis=1)
    half_width = distance * sizes.max(axis=1) / (2 * posed.K[:, 0, 0])
    return target, 1.1 * float(half_width.max())

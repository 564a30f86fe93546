"""From posed photos and small silhouettes to the views that the dense stages work on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.mask_edge import Behind, snapped
from offload.engines.turntable.mask_shape import Mask
from offload.engines.turntable.photos import Photo, PhotoFile
from offload.engines.turntable.stands import StandKey
from offload.engines.turntable.views import ViewSet

Floats = NDArray[np.float64]

MARGIN_PX = 14
"""Around the object in a crop: room for the windows that compare pictures."""

MOST_PIXELS = 90_000_000
"""Of all crops together; bigger photos are reduced. Three colours and a mask make 360 MB of it."""

FULL_ENOUGH = 0.8
"""Of the photos of the fullest stand."""
OFTEN_CUT_OFF = 0.1
"""Of a stand's photos, that show the object beyond their border."""
BEST_DOWN_DEG = 30.0
"""How far a camera looks down on an object whose sides and top its outlines both tell."""


@dataclass(frozen=True)
class PosedPhotos:
    """V photos and where they were taken from."""

    files: tuple[PhotoFile, ...]
    K: Floats
    """(V, 3, 3), of the undistorted photo."""
    distortion: Floats
    """(V, 5)."""
    R: Floats
    """(V, 3, 3)."""
    t: Floats
    """(V, 3)."""
    sizes_px: tuple[tuple[int, int], ...]
    """(width, height) of each photo."""
    stands: tuple[StandKey, ...] = ()
    """Of each photo; empty: all are one."""
    lenses: tuple[int, ...] = ()
    """Where no stand is known: which photos were taken with one lens; empty: all."""

    def __len__(self) -> int:
        return len(self.files)

    @property
    def cameras(self) -> tuple[int, ...]:
        """Which camera took each photo."""
        return tuple(stand.camera for stand in self.stands) or self.lenses or (0,) * len(self)

    def fullest_stand(self) -> tuple[int, ...]:
        """Return the photos of the stand that has most; none where there is one stand only."""
        if len(set(self.stands)) < 2:
            return ()
        fullest = max(sorted(set(self.stands)), key=self.stands.count)
        return tuple(view for view, stand in enumerate(self.stands) if stand == fullest)

    def subset(self, views: list[int]) -> "PosedPhotos":
        """Return some of them."""
        return PosedPhotos(
            tuple(self.files[view] for view in views),
            self.K[views], self.distortion[views], self.R[views], self.t[views],
            tuple(self.sizes_px[view] for view in views),
            tuple(self.stands[view] for view in views) if self.stands else (),
            tuple(self.lenses[view] for view in views) if self.lenses else (),
        )  # fmt: skip

    def at_sizes_of(self, masks: list[Mask]) -> Floats:
        """(V, 3, 3): cameras of the photos reduced to the sizes of their masks."""
        return scaled(self.K, self.mask_scales(masks))

    def mask_scales(self, masks: list[Mask]) -> Floats:
        """(V,): widths of the masks over those of the photos."""
        return np.array([mask.shape[1] / size[0] for mask, size in zip(masks, self.sizes_px, strict=True)])


def scaled(K: Floats, factor: float | Floats) -> Floats:
    """Return K (..., 3, 3) for pictures reduced by `factor`, one or one each; pixel centres are whole numbers."""
    small, by = K.copy(), np.asarray(factor)[..., None]
    small[..., :2, :] *= by[..., None]
    small[..., :2, 2] += 0.5 * by - 0.5
    return small


def undistorted(photo: Photo, K: Floats, distortion: Floats, to_K: Floats, to_size_px: tuple[int, int]) -> Photo:
    """Return the photo as an ideal camera `to_K` sees it; what was not photographed is replicated from the border."""
    first, second = cv2.initUndistortRectifyMap(K, distortion, np.eye(3), to_K, to_size_px, cv2.CV_16SC2)
    return np.asarray(cv2.remap(photo, first, second, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def crop_views(
    posed: PosedPhotos,
    masks: list[Mask],
    points: Floats,
    each: Callable[[int], None],
    behind: list[Behind] | None = None,
) -> ViewSet:
    """Read each photo again and keep what shows the object's rough hull `points` (n, 3).

    `masks` are the silhouettes in reduced, undistorted photos, `behind` what those would show without the object;
    `each` is called after each photo. Coarser cameras' photos are enlarged to what the finest shows of the object.
    """
    enlarged = _enlarged(posed, points)
    corners, size = _boxes(posed, points, enlarged)
    factor = min(1.0, float(np.sqrt(MOST_PIXELS / (len(posed) * size[0] * size[1]))))
    width, height = round(size[0] * factor), round(size[1] * factor)
    factors = factor * enlarged
    images = np.empty((len(posed), height, width, 3), np.uint8)
    silhouettes = np.empty((len(posed), height, width), np.uint8)
    K = posed.K.copy()
    K[:, :2, 2] -= corners
    K = scaled(K, factors)
    scales = posed.mask_scales(masks)

    def crop(view: int) -> int:
        photo = posed.files[view].read()
        lens, own = posed.K[view], float(factors[view])
        if own < 1:
            photo = np.asarray(cv2.resize(photo, None, fx=own, fy=own, interpolation=cv2.INTER_AREA), np.uint8)
            lens = scaled(lens, own)
        images[view] = undistorted(photo, lens, posed.distortion[view], K[view], (width, height))
        window = _Window(float(scales[view]), corners[view], own, (width, height))
        silhouettes[view] = window.enlarged_mask(masks[view])
        if behind is not None:
            picture, known = (
                window.enlarged(behind[view].picture),
                window.enlarged(behind[view].known.astype(np.uint8)),
            )
            silhouettes[view] = snapped(silhouettes[view], images[view], picture, known > 0)
        return view

    with ThreadPoolExecutor(2) as pool:
        for done, _ in enumerate(pool.map(crop, range(len(posed)))):
            each(done + 1)
    return ViewSet(
        names=tuple(file.name for file in posed.files),
        images=images,
        masks=silhouettes,
        K=K,
        R=posed.R,
        t=posed.t,
        outlining=outlining_views(posed, masks),
        cameras=posed.cameras,
        detail=tuple((1 / enlarged).tolist()),
    )


def outlining_views(posed: PosedPhotos, masks: list[Mask]) -> tuple[int, ...]:
    """Return whose outlines are believed: one stand's, or (empty) all.

    Of one camera's rings the fullest. Several cameras are equally full but for a lost photo, so what they see tells:
    the whole object, and that from about the height where outlines say most.
    """
    if len(set(posed.cameras)) < 2 or not posed.stands:
        return posed.fullest_stand()
    most = max(posed.stands.count(stand) for stand in set(posed.stands))
    full = [stand for stand in sorted(set(posed.stands)) if posed.stands.count(stand) >= FULL_ENOUGH * most]
    views = {stand: [view for view, one in enumerate(posed.stands) if one == stand] for stand in full}

    def worth(stand: StandKey) -> tuple[bool, float]:
        cut_off = np.mean([_is_cut_off(masks[view]) for view in views[stand]]) > OFTEN_CUT_OFF
        down_deg = np.degrees(np.arcsin(np.clip(-posed.R[views[stand], 2, 2], -1, 1)).mean())
        return bool(cut_off), abs(float(down_deg) - BEST_DOWN_DEG)

    return tuple(views[min(full, key=worth)])


def _is_cut_off(mask: Mask) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def _enlarged(posed: PosedPhotos, points: Floats) -> Floats:
    """(V,): how many times coarser each camera sees the object than the finest does, 1 or more."""
    distances = np.linalg.norm(-np.einsum("vji,vj->vi", posed.R, posed.t) - points.mean(axis=0), axis=1)
    px_per_unit, cameras = posed.K[:, 0, 0] / distances, np.array(posed.cameras)
    for camera in set(posed.cameras):
        px_per_unit[cameras == camera] = np.median(px_per_unit[cameras == camera])
    return np.asarray(px_per_unit.max() / px_per_unit)


def _boxes(posed: PosedPhotos, points: Floats, enlarged: Floats) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """Top left corners (V, 2) in the photos and the one size of all crops, in the pixels of the finest camera.

    A crop lies within its photo where that is large enough.
    """
    low, high = np.empty((len(posed), 2)), np.empty((len(posed), 2))
    limit, by = np.array(posed.sizes_px), enlarged[:, None]
    for view in range(len(posed)):
        seen = points @ (posed.K[view] @ posed.R[view]).T + posed.K[view] @ posed.t[view]
        pixels = seen[:, :2] / seen[:, 2:]
        low[view] = np.clip(np.floor(pixels.min(axis=0)) - MARGIN_PX, 0, limit[view] - 1)
        high[view] = np.clip(np.ceil(pixels.max(axis=0)) + MARGIN_PX + 1, 1, limit[view])
    size = np.minimum(((high - low) * by).max(axis=0), (limit * by).max(axis=0)).astype(np.int64)
    own = size / by
    spare = np.floor(limit - own)
    corners = np.clip(np.floor((low + high) / 2 - own / 2), np.minimum(spare // 2, 0), np.maximum(spare, spare // 2))
    return corners.astype(np.int64), (int(size[0]), int(size[1]))


@dataclass(frozen=True)
class _Window:
    """Where a crop lies in the reduced picture."""

    mask_scale: float
    corner: NDArray[np.int64]
    factor: float
    size_px: tuple[int, int]

    @property
    def step(self) -> float:
        """Reduced pixels in a pixel of the crop."""
        return self.mask_scale / self.factor

    @property
    def _start(self) -> Floats:
        """(2,): x, y of the crop's first pixel in the reduced picture."""
        # Crop pixel u is photo pixel p = (u + 0.5) / factor - 0.5 + corner, reduced pixel (p + 0.5) * scale - 0.5.
        return np.asarray((0.5 / self.factor + self.corner) * self.mask_scale - 0.5)

    def enlarged(
        self, reduced: NDArray[np.uint8] | NDArray[np.float32], border: int = cv2.BORDER_REPLICATE
    ) -> NDArray[Any]:
        """Return the reduced picture as large as the crop."""
        affine = np.array([[self.step, 0, self._start[0]], [0, self.step, self._start[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(reduced, affine, self.size_px, flags=flags, borderMode=border))

    def enlarged_mask(self, mask: Mask) -> Mask:
        """Return the silhouette as large as the crop, with a smooth edge; beyond the photo there is no object."""
        end = self._start + self.step * (np.array(self.size_px) - 1)
        beyond = (self._start < -1).any() or (end > np.array(mask.shape[::-1])).any()
        soft = self.enlarged(mask.astype(np.float32), cv2.BORDER_CONSTANT if beyond else cv2.BORDER_REPLICATE)
        return np.asarray(cv2.GaussianBlur(soft, (0, 0), max(0.75 / self.step, 0.5)) > 0.5, np.uint8)

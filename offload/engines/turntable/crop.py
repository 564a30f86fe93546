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
from offload.engines.turntable.views import ViewSet

Floats = NDArray[np.float64]

MARGIN_PX = 14
"""Around the object in a crop: room for the windows that compare pictures."""

MOST_PIXELS = 90_000_000
"""Of all crops together; bigger photos are reduced. Three colours and a mask make 360 MB of it."""


@dataclass(frozen=True)
class PosedPhotos:
    """V photos of one size and where they were taken from."""

    files: tuple[PhotoFile, ...]
    K: Floats
    """(V, 3, 3), of the undistorted photo."""
    distortion: Floats
    """(V, 5)."""
    R: Floats
    """(V, 3, 3)."""
    t: Floats
    """(V, 3)."""
    size_px: tuple[int, int]
    """(width, height)."""
    rings: tuple[int, ...] = ()
    """Of each photo; empty: all are one."""

    def __len__(self) -> int:
        return len(self.files)

    def fullest_ring(self) -> tuple[int, ...]:
        """Return the photos of the ring that has most; none where there is one ring only."""
        if len(set(self.rings)) < 2:
            return ()
        fullest = max(sorted(set(self.rings)), key=self.rings.count)
        return tuple(view for view, ring in enumerate(self.rings) if ring == fullest)

    def subset(self, views: list[int]) -> "PosedPhotos":
        """Return some of them."""
        return PosedPhotos(
            tuple(self.files[view] for view in views),
            self.K[views], self.distortion[views], self.R[views], self.t[views],
            self.size_px, tuple(self.rings[view] for view in views) if self.rings else (),
        )  # fmt: skip


def scaled(K: Floats, factor: float) -> Floats:
    """Return K (..., 3, 3) for the picture reduced by `factor`; pixel centres are whole numbers."""
    small = K.copy()
    small[..., :2, :] *= factor
    small[..., :2, 2] += 0.5 * factor - 0.5
    return small


def undistorted(photo: Photo, K: Floats, distortion: Floats, to_K: Floats, to_size_px: tuple[int, int]) -> Photo:
    """Return the photo as an ideal camera `to_K` sees it; what was not photographed is replicated from the border."""
    first, second = cv2.initUndistortRectifyMap(K, distortion, np.eye(3), to_K, to_size_px, cv2.CV_16SC2)
    return np.asarray(cv2.remap(photo, first, second, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def crop_views(
    posed: PosedPhotos,
    masks: list[Mask],
    mask_scale: float,
    points: Floats,
    each: Callable[[int], None],
    behind: list[Behind] | None = None,
) -> ViewSet:
    """Read each photo again and keep what shows the object's rough hull `points` (n, 3).

    `masks` are the silhouettes in undistorted photos reduced by `mask_scale`, `behind` what those would show
    without the object; `each` is called after each photo.
    """
    corners, size = _boxes(posed, points)
    factor = min(1.0, float(np.sqrt(MOST_PIXELS / (len(posed) * size[0] * size[1]))))
    width, height = round(size[0] * factor), round(size[1] * factor)
    images = np.empty((len(posed), height, width, 3), np.uint8)
    silhouettes = np.empty((len(posed), height, width), np.uint8)
    K = posed.K.copy()
    K[:, :2, 2] -= corners
    K = scaled(K, factor)

    def crop(view: int) -> int:
        photo = posed.files[view].read()
        lens = posed.K[view]
        if factor < 1:
            photo = np.asarray(cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
            lens = scaled(lens, factor)
        images[view] = undistorted(photo, lens, posed.distortion[view], K[view], (width, height))
        window = _Window(mask_scale, corners[view], factor, (width, height))
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
        outlining=posed.fullest_ring(),
        offsets_px=tuple((round(x * factor), round(y * factor)) for x, y in corners),
    )


def _boxes(posed: PosedPhotos, points: Floats) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """Top left corners (V, 2) and the one size of all crops, within the photo."""
    low, high = np.empty((len(posed), 2)), np.empty((len(posed), 2))
    limit = np.array(posed.size_px)
    for view in range(len(posed)):
        seen = points @ (posed.K[view] @ posed.R[view]).T + posed.K[view] @ posed.t[view]
        pixels = seen[:, :2] / seen[:, 2:]
        low[view] = np.clip(np.floor(pixels.min(axis=0)) - MARGIN_PX, 0, limit - 1)
        high[view] = np.clip(np.ceil(pixels.max(axis=0)) + MARGIN_PX + 1, 1, limit)
    size = np.minimum((high - low).max(axis=0), limit).astype(np.int64)
    middle = (low + high) / 2
    corners = np.clip(np.floor(middle - size / 2), 0, limit - size).astype(np.int64)
    return corners, (int(size[0]), int(size[1]))


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

    def enlarged(self, reduced: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[Any]:
        """Return the reduced picture as large as the crop."""
        # Crop pixel u is photo pixel p = (u + 0.5) / factor - 0.5 + corner, reduced pixel (p + 0.5) * scale - 0.5.
        start = (0.5 / self.factor + self.corner) * self.mask_scale - 0.5
        affine = np.array([[self.step, 0, start[0]], [0, self.step, start[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        large = cv2.warpAffine(reduced, affine, self.size_px, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(large)

    def enlarged_mask(self, mask: Mask) -> Mask:
        """Return the silhouette as large as the crop, with a smooth edge."""
        soft = self.enlarged(mask.astype(np.float32))
        return np.asarray(cv2.GaussianBlur(soft, (0, 0), max(0.75 / self.step, 0.5)) > 0.5, np.uint8)

"""The photos as the dense stages read them: grey, shrunk, with the cameras that belong to the smaller size."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.views import Floats, ViewSet

Greys = NDArray[np.float32]

OUTLINE_BLUR_PX = 2.0
"""How much the greys at the outline are blurred together where they continue beyond it."""


@dataclass(frozen=True)
class Pictures:
    """V grey pictures, every `shrink`-th pixel of the photos by averaging, and their cameras."""

    grey: Greys
    """(V, h, w), 0 to 255."""
    masks: NDArray[np.uint8]
    """(V, h, w)."""
    K: Floats
    R: Floats
    t: Floats
    noise_grey: float
    """Standard deviation of a pixel where nothing is to be seen."""

    def __len__(self) -> int:
        return len(self.grey)

    @property
    def projections(self) -> Floats:
        """(V, 3, 4)."""
        return np.asarray(self.K @ np.concatenate([self.R, self.t[:, :, None]], axis=2))


def shrink_for(views: ViewSet, centre: Floats, pixel_size: float) -> int:
    """Return how many pixels to average into one, so that it covers about `pixel_size` (poses' unit) at `centre`.

    Photos that are coarser already stay as they are.
    """
    distances = np.linalg.norm(views.centres - centre, axis=1)
    own_size = float(np.median(distances / views.K[:, 0, 0]))
    return max(1, round(pixel_size / own_size))


def shrink_pictures(views: ViewSet, shrink: int) -> Pictures:
    """Average `shrink` x `shrink` pixels into one; the rows and columns that fill no whole one are dropped."""
    height, width = views.masks.shape[1] // shrink, views.masks.shape[2] // shrink
    grey = np.empty((len(views), height, width), np.float32)
    masks = np.empty((len(views), height, width), np.uint8)
    for view in range(len(views)):
        photo = views.images[view, : height * shrink, : width * shrink]
        mask = views.masks[view, : height * shrink, : width * shrink]
        full = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY).astype(np.float32)
        grey[view] = cv2.resize(full, (width, height), interpolation=cv2.INTER_AREA)
        masks[view] = cv2.resize(mask * np.uint8(255), (width, height), interpolation=cv2.INTER_AREA) > 127
        grey[view] = _without_background(grey[view], masks[view])
    K = views.K.copy()
    K[:, :2] /= shrink
    K[:, :2, 2] -= (shrink - 1) / (2 * shrink)
    return Pictures(grey, masks, K, views.R, views.t, _noise(grey, masks))


def _without_background(grey: Greys, mask: NDArray[np.uint8]) -> Greys:
    """Continue the object's greys beyond its outline, so that no patch matches the outline itself.

    An outline is another place of the surface in every view, and the strongest edge of all.
    """
    own = cv2.erode(mask, np.ones((3, 3), np.uint8)).astype(np.float32)
    near = cv2.GaussianBlur(own, (0, 0), OUTLINE_BLUR_PX)
    spread = cv2.GaussianBlur(grey * own, (0, 0), OUTLINE_BLUR_PX) / np.maximum(near, 1e-6)
    return np.where(own > 0, grey, spread).astype(np.float32)


def _noise(grey: Greys, masks: NDArray[np.uint8]) -> float:
    """Estimate the noise from the plainest tenth of the object.

    The mask of second differences (1 -2 1; -2 4 -2; 1 -2 1) cancels planes and edges along an axis and multiplies
    independent noise by 6 (Immerkær, Fast noise variance estimation, 1996). Medians over small tiles are
    compared, so that texture elsewhere does not count.
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    tiles = []
    for picture, mask in zip(grey, masks, strict=True):
        response = np.abs(cv2.filter2D(picture, cv2.CV_32F, kernel))
        inner = cv2.erode(mask, np.ones((5, 5), np.uint8))
        tile = 8
        rows, columns = inner.shape[0] // tile * tile, inner.shape[1] // tile * tile
        shape = (rows // tile, tile, columns // tile, tile)
        whole = inner[:rows, :columns].reshape(shape).all(axis=(1, 3))
        tiles.append(response[:rows, :columns].reshape(shape).mean(axis=(1, 3))[whole])
    values = np.concatenate(tiles)
    # The mean of |x| is 0.8 sigma.
    return float(max(np.percentile(values, 10) / (0.8 * 6), 0.25)) if len(values) else 1.0

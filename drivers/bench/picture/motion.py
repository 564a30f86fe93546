"""The thing's picture a little further round, from the one beside it: a blur of half a pixel needs no new rays."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from drivers.bench.picture.rays import Floats, turned
from drivers.bench.picture.thing_layer import ThingPicture, ThingView

_AROUND = (5, 5)
"""Beyond the silhouette, pixels move as the thing beside them does: it may come that far."""


def motion_px(picture: ThingPicture, view: ThingView) -> Floats:
    """Return (h, w, 2): pixels to the right and down by which each point moves as the platter turns by one degree.

    To first order, by the depth of what is seen there; a lens's distortion changes a pixel's width by little.
    """
    depth = picture.depth_mm[..., None]
    points = view.aim * depth + view.pose.centre_mm.astype(np.float32)
    rate = np.float32(np.pi / 180) * np.stack([-points[..., 1], points[..., 0], 0 * points[..., 0]], axis=-1)
    rate, slope = turned(rate, view.pose.R.T), turned(view.aim, view.pose.R.T)[..., :2]
    motion = (rate[..., :2] - slope * rate[..., 2:]) / (np.maximum(depth, 1) * np.float32(view.footprint_per_mm))
    hit = (depth > 0).astype(np.float32)
    near = cv2.boxFilter(motion * hit, -1, _AROUND, normalize=False)
    count = cv2.boxFilter(hit, -1, _AROUND, normalize=False)[..., None]
    return np.asarray(np.where(hit > 0, motion, near / np.maximum(count, 1)), dtype=np.float32)


def while_turning(picture: ThingPicture, motion: Floats, turns: Sequence[tuple[float, float]]) -> ThingPicture:
    """Return what is seen while the platter stands at several angles for a share of the time each.

    `turns` are (degrees from where the picture was made, share), so small that nothing is uncovered that the picture
    does not show; the shares add up to 1. Depth stays as it is.
    """
    layers = np.dstack([picture.light, picture.coverage])
    height, width = picture.coverage.shape
    places = np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
    seen = np.zeros_like(layers)
    for turn_deg, share in turns:
        at = places - np.float32(turn_deg) * motion
        # Linear interpolation would blur more than the lens does.
        moved = cv2.remap(layers, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        seen += np.float32(share) * np.asarray(moved, dtype=np.float32)
    np.maximum(seen, 0, out=seen)
    return replace(picture, light=seen[..., :3], coverage=np.minimum(seen[..., 3], 1))

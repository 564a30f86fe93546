"""Pictures of yes and no, 255 and 0, and what can be done with them: OpenCV's quick ways, under their own names."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.uint8]
"""(h, w), 255 where it is so, 0 elsewhere."""


def none_like(picture: NDArray[Any]) -> Flags:
    """Return flags that are nowhere set, as large as (h, w) or (h, w, n)."""
    return np.zeros(picture.shape[:2], np.uint8)


def both(one: Flags, *others: Flags) -> Flags:
    """Where all are set."""
    for other in others:
        one = np.asarray(cv2.bitwise_and(one, other), np.uint8)
    return one


def either(one: Flags, *others: Flags) -> Flags:
    """Where any is set."""
    for other in others:
        one = np.asarray(cv2.bitwise_or(one, other), np.uint8)
    return one


def inverse(flags: Flags) -> Flags:
    """Where it is not set."""
    return np.asarray(cv2.bitwise_not(flags), np.uint8)


def without(one: Flags, other: Flags) -> Flags:
    """Where the first is set and the other is not."""
    return both(one, inverse(other))


def more_than(picture: NDArray[Any], other: NDArray[Any] | float) -> Flags:
    """Where a picture (h, w) exceeds another, or a number."""
    compare: Any = cv2.compare
    return np.asarray(compare(picture, other, cv2.CMP_GT), np.uint8)


def within(picture: NDArray[Any], low: Sequence[float] | NDArray[Any], high: Sequence[float] | NDArray[Any]) -> Flags:
    """Where all channels of (h, w, n) lie between two colours, or two pictures, ends included."""
    in_range: Any = cv2.inRange
    return np.asarray(in_range(picture, low, high), np.uint8)


def opened(flags: Flags, side_px: int) -> Flags:
    """Without what is narrower than this."""
    return np.asarray(cv2.morphologyEx(flags, cv2.MORPH_OPEN, np.ones((side_px, side_px), np.uint8)), np.uint8)


def closed(flags: Flags, side_px: int) -> Flags:
    """With gaps bridged that are narrower than this; nothing grows in from outside the picture."""
    framed = cv2.copyMakeBorder(flags, side_px, side_px, side_px, side_px, cv2.BORDER_CONSTANT, value=0)
    bridged = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, np.ones((side_px, side_px), np.uint8))
    return np.asarray(bridged[side_px:-side_px, side_px:-side_px], np.uint8)


def looked_up(picture: NDArray[Any], places: NDArray[np.float32], *, nearest: bool = False, beyond: int = 0) -> Any:
    """Return the picture's values at places (h, w, 2), x and y; beyond its edges one value, or -1 for the nearest."""
    remap: Any = cv2.remap
    way = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    if beyond < 0:
        return remap(picture, places, None, way, borderMode=cv2.BORDER_REPLICATE)
    return remap(picture, places, None, way, borderMode=cv2.BORDER_CONSTANT, borderValue=beyond)

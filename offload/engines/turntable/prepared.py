"""What every way of ingest hands to the dense stages."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.crop import PosedPhotos
from offload.engines.turntable.views import Space, ViewSet


@dataclass(frozen=True)
class Prepared:
    """Masked, cropped views in one frame, and where frame and scale came from."""

    views: ViewSet
    space: Space
    posed: PosedPhotos
    """The photos that the views were cut from, in the same order."""
    photos_given: int
    up: NDArray[np.float64]
    """(3,), unit: which way is up in the views' frame."""
    units: str
    """`mm`, or the poses' unit."""
    metres_per_unit: float | None
    """None when the unit is not known."""
    scale_source: str
    reprojection_rms_px: float | None = None
    focal_length_px: float | None = None
    unused: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

"""What the dense stages work on: undistorted, masked photos cropped to the object, and their cameras."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ViewSet:
    """V crops of one size around the object, in ring order where there is a ring.

    A point X (mat frame, millimetres or the poses' unit) is seen by view v at `K[v] @ (R[v] @ X + t[v])`,
    divided by its third component; pixel (0, 0) is the centre of the top left pixel *of the crop*: the crop's
    offset is already in `K`.
    """

    names: tuple[str, ...]
    images: NDArray[np.uint8]
    """(V, H, W, 3), BGR as OpenCV reads them, undistorted."""
    masks: NDArray[np.uint8]
    """(V, H, W), 1 on the object, 0 elsewhere."""
    K: Floats
    """(V, 3, 3)."""
    R: Floats
    """(V, 3, 3), camera from object."""
    t: Floats
    """(V, 3)."""
    outlining: tuple[int, ...] = ()
    """Views whose outlines carve the hull; empty: all. Mistakes of masks add up over rings (spot, 18 photos at
    30° and 18 at 55°: F@1 .741 carved by the first ring, .708 by both, .733 without the second)."""
    cameras: tuple[int, ...] = ()
    """Which camera took each photo; empty: all one."""
    detail: tuple[float, ...] = ()
    """Pixels of the photo in one of the crop, along a side: below 1 where a coarser camera's photo was enlarged to
    what the finest shows. Empty: 1 everywhere."""

    def __len__(self) -> int:
        return len(self.names)

    def outlined(self) -> "ViewSet":
        """Return the views whose outlines are believed."""
        if not self.outlining:
            return self
        chosen = list(self.outlining)
        return replace(
            self,
            names=tuple(self.names[view] for view in chosen),
            images=self.images[chosen],
            masks=self.masks[chosen],
            K=self.K[chosen],
            R=self.R[chosen],
            t=self.t[chosen],
            outlining=(),
            cameras=tuple(self.cameras[view] for view in chosen) if self.cameras else (),
            detail=tuple(self.detail[view] for view in chosen) if self.detail else (),
        )

    @property
    def projections(self) -> Floats:
        """(V, 3, 4): `K [R | t]`."""
        extrinsics = np.concatenate([self.R, self.t[:, :, None]], axis=2)
        return np.asarray(self.K @ extrinsics)

    @property
    def centres(self) -> Floats:
        """(V, 3): camera centres in the object's frame, `-Rᵀ t`."""
        return np.asarray(-np.einsum("vji,vj->vi", self.R, self.t))


@dataclass(frozen=True)
class Space:
    """Where the object can be, and how finely to look.

    `floor` is the height of the plane it stands on (0 for the mat; None without one); `low`/`high` bound the
    object when the caller knows them, else the silhouettes decide. `unit_mm` is 1 for millimetres; for poses in
    other units it is the size in those units that behaves like one millimetre on a 150 mm object.
    """

    voxel: float
    floor: float | None = 0.0
    low: Floats | None = None
    high: Floats | None = None
    unit_mm: float = 1.0


@dataclass(frozen=True)
class Mesh:
    """Triangles, counter-clockwise seen from outside."""

    vertices: Floats
    """(n, 3)."""
    faces: NDArray[np.int32]
    """(m, 3)."""

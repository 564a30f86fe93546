"""Which triangle a pixel sees, and how far away it is: a z-buffer for a scan's many small triangles."""

import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.jit import kernel

Depth = NDArray[np.float32]
FaceIds = NDArray[np.int32]
Pixels = NDArray[np.float32]

NO_FACE = -1


def rasterise(
    vertices: NDArray[np.floating], faces: NDArray[np.int32], projection: NDArray[np.float64], height: int, width: int
) -> tuple[Depth, FaceIds]:
    """Return the depth along the optical axis (H, W), inf where empty, and the face seen (H, W), NO_FACE where none.

    `projection` is `K [R | t]` (3, 4); pixel (0, 0) is the centre of the top left pixel. Both sides of a triangle
    count. Triangles with a corner behind the camera are left out, as are those that miss every pixel's centre.
    """
    pixels = project(vertices, projection).astype(np.float32)
    return _fill(pixels, np.ascontiguousarray(faces, dtype=np.int32), height, width)


def project(vertices: NDArray[np.floating], projection: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, 3): x and y in pixels and the depth along the optical axis."""
    seen = vertices @ projection[:, :3].T + projection[:, 3]
    seen[:, :2] /= seen[:, 2:]
    return np.asarray(seen, dtype=np.float64)


def sample_visibility(
    vertices: NDArray[np.floating], projection: NDArray[np.float64], depth: Depth, tolerance: float
) -> NDArray[np.bool_]:
    """Return for each vertex (n,) whether nothing in `depth` stands more than `tolerance` in front of it.

    A vertex whose pixel is empty or outside the picture counts as unseen; one whose pixel only just misses the
    surface is judged by the farthest of the four pixels around it.
    """
    pixels = project(vertices, projection).astype(np.float32)
    return _sees(pixels, depth, np.float32(tolerance))


@kernel(parallel=False)
def _fill(pixels: Pixels, faces: FaceIds, height: int, width: int) -> tuple[Depth, FaceIds]:
    depth = np.full((height, width), np.float32(np.inf))
    seen = np.full((height, width), np.int32(-1))
    for face in range(faces.shape[0]):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        if min(pixels[a, 2], pixels[b, 2], pixels[c, 2]) <= 0:
            continue
        xa, ya, xb, yb, xc, yc = pixels[a, 0], pixels[a, 1], pixels[b, 0], pixels[b, 1], pixels[c, 0], pixels[c, 1]
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if area == 0:
            continue
        left, right = max(int(np.ceil(min(xa, xb, xc))), 0), min(int(np.floor(max(xa, xb, xc))), width - 1)
        top, bottom = max(int(np.ceil(min(ya, yb, yc))), 0), min(int(np.floor(max(ya, yb, yc))), height - 1)
        # 1/depth is linear in the picture, and so are the corners' weights.
        ia, ib, ic = 1 / pixels[a, 2], 1 / pixels[b, 2], 1 / pixels[c, 2]
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                wa = ((xb - x) * (yc - y) - (xc - x) * (yb - y)) / area
                wb = ((xc - x) * (ya - y) - (xa - x) * (yc - y)) / area
                wc = 1 - wa - wb
                if wa < -1e-5 or wb < -1e-5 or wc < -1e-5:
                    continue
                z = np.float32(1 / (wa * ia + wb * ib + wc * ic))
                if z < depth[y, x]:
                    depth[y, x] = z
                    seen[y, x] = face
    return depth, seen


@kernel(parallel=False)
def _sees(pixels: Pixels, depth: Depth, tolerance: np.float32) -> NDArray[np.bool_]:
    height, width = depth.shape
    visible = np.zeros(pixels.shape[0], np.bool_)
    for i in range(pixels.shape[0]):
        x, y, z = pixels[i, 0], pixels[i, 1], pixels[i, 2]
        if not (z > 0 and x >= 0 and y >= 0 and x < width - 1 and y < height - 1):
            continue
        column, row = int(x), int(y)
        farthest = np.float32(-1)
        for dy in range(2):
            for dx in range(2):
                d = depth[row + dy, column + dx]
                if d < 1e30 and d > farthest:
                    farthest = d
        visible[i] = farthest > 0 and z <= farthest + tolerance
    return visible

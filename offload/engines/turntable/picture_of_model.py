"""Pictures of a model: drawn by the engine's own rasteriser, lit softly on a neutral ground."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.mesh import unit
from offload.engines.turntable.raster import project, rasterise
from offload.engines.turntable.texture import TexturedMesh
from offload.engines.turntable.views import Floats

Picture = NDArray[np.uint8]

SUPERSAMPLED = 2
GROUND_TOP, GROUND_BOTTOM = 238.0, 206.0
CLAY_BGR = np.array([198.0, 204.0, 208.0])


@dataclass(frozen=True)
class Viewpoint:
    """A pinhole camera and its picture's size."""

    K: Floats
    R: Floats
    t: Floats
    width_px: int
    height_px: int


def draw(model: TexturedMesh, at: Viewpoint, *, with_texture: bool, shade: float) -> Picture:
    """Return (H, W, 3), BGR. `shade` 0 shows colours as they are, 1 lights the shape fully."""
    fine = _fine(at)
    projection = fine.K @ np.column_stack([fine.R, fine.t])
    _, face_of = rasterise(model.mesh.vertices, model.mesh.faces, projection, fine.height_px, fine.width_px)
    canvas = ground(fine.width_px, fine.height_px)
    rows, columns = np.nonzero(face_of >= 0)
    corners = model.mesh.faces[face_of[rows, columns]]
    share = _weights(project(model.mesh.vertices, projection), corners, columns, rows)
    colour = _texture_at(model, corners, share) if with_texture else np.broadcast_to(CLAY_BGR, (len(rows), 3))
    normals = unit(np.einsum("nc,ncd->nd", share, model.normals[corners]))
    light = _light(normals @ fine.R.T)[:, None]
    canvas[rows, columns] = np.clip(colour * (1 - shade + shade * light), 0, 255)
    size = (at.width_px, at.height_px)
    return np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA) + 0.5, np.uint8)


def ground(width_px: int, height_px: int) -> NDArray[np.float32]:
    """(H, W, 3): a neutral ground, a little darker below."""
    column = np.linspace(GROUND_TOP, GROUND_BOTTOM, height_px, dtype=np.float32)
    return np.ascontiguousarray(np.broadcast_to(column[:, None, None], (height_px, width_px, 3)))


def _fine(at: Viewpoint) -> Viewpoint:
    K = at.K.copy()
    K[:2] *= SUPERSAMPLED
    K[:2, 2] += 0.5 * SUPERSAMPLED - 0.5
    return Viewpoint(K, at.R, at.t, at.width_px * SUPERSAMPLED, at.height_px * SUPERSAMPLED)


def _weights(pixels: Floats, corners: NDArray[np.int32], x: NDArray[np.int64], y: NDArray[np.int64]) -> Floats:
    """(n, 3): perspective-correct weights of a face's corners at a pixel."""
    a, b, c = (pixels[corners[:, corner]] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    area = np.where(np.abs(area) < 1e-12, 1e-12, area)
    wa = ((b[:, 0] - x) * (c[:, 1] - y) - (c[:, 0] - x) * (b[:, 1] - y)) / area
    wb = ((c[:, 0] - x) * (a[:, 1] - y) - (a[:, 0] - x) * (c[:, 1] - y)) / area
    flat = np.stack([wa, wb, 1 - wa - wb], axis=1) / np.stack([a[:, 2], b[:, 2], c[:, 2]], axis=1)
    return np.asarray(flat / flat.sum(axis=1, keepdims=True))


def _texture_at(model: TexturedMesh, corners: NDArray[np.int32], share: Floats) -> Floats:
    size = model.texture.shape[0]
    at = np.einsum("nc,ncd->nd", share, model.uv[corners]) * size - 0.5
    wide = 4096
    x, y = (_as_rows(at[:, axis], wide) for axis in (0, 1))
    sampled = cv2.remap(model.texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled.reshape(-1, 3)[: len(at)], np.float64)


def _as_rows(values: Floats, width: int) -> NDArray[np.float32]:
    """Fold a list into rows: remap takes no picture wider than 32767."""
    padded = np.zeros(-(-max(len(values), 1) // width) * width, np.float32)
    padded[: len(values)] = values
    return padded.reshape(-1, width)


def _light(normals: Floats) -> Floats:
    """A key from the upper left, a fill from the right and sky; normals (n, 3) in the camera's frame."""
    key, fill = unit(np.array([[-0.5, -0.7, -0.75]]))[0], unit(np.array([[0.8, -0.1, -0.6]]))[0]
    sky = 0.5 - 0.5 * normals[:, 1]
    lit = 0.62 * np.clip(normals @ key, 0, 1) + 0.2 * np.clip(normals @ fill, 0, 1) + 0.2 + 0.16 * sky
    return np.asarray(np.minimum(lit, 1.12))

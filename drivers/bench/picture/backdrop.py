"""Everything that stands still: rendered once for every size of photo."""

from dataclasses import dataclass

import cv2
import numpy as np

from drivers.bench.picture.clutter import Clutter
from drivers.bench.picture.lights import Lighting
from drivers.bench.picture.rays import CameraPose, Floats, directions, slopes
from drivers.bench.picture.shading import LIFT_MM, facing, sees_light, sky_light, tile_mean
from drivers.bench.picture.surface import Hits, Surface
from drivers.bench.scene import SceneCamera

_SUB_PIXELS = (-0.25, 0.25)


@dataclass(frozen=True)
class Surroundings:
    """The clutter as something that rays can hit, and what lights it."""

    clutter: Clutter
    surface: Surface
    lighting: Lighting


@dataclass(frozen=True)
class Backdrop:
    """Linear light of what never changes, and the colour of the floor, which waits for its shadow."""

    slope: Floats
    """(H, W, 2): where each pixel's centre looks, x/z and y/z in the camera's frame."""
    fixed: Floats
    """(H, W, 3): light of everything but the floor, weighted by how much of the pixel it covers."""
    floor_colour: Floats
    """(H, W, 3): reflectance of platter and table, weighted alike."""
    depth_mm: Floats
    """(H, W)."""


def paint_backdrop(around: Surroundings, camera: SceneCamera, pose: CameraPose, size_px: tuple[int, int]) -> Backdrop:
    """Render what stands still with four rays a pixel, for a photo of (width, height)."""
    width_px, height_px = size_px
    centre = slopes(camera, width_px, height_px)
    right, down = np.gradient(centre, axis=1), np.gradient(centre, axis=0)
    fixed = np.zeros((height_px * width_px, 3), np.float32)
    floor_colour = np.zeros_like(fixed)
    depth = np.full(height_px * width_px, 1e4, np.float32)
    light: Floats | None = None
    origin = pose.centre_mm.astype(np.float32)
    for y in _SUB_PIXELS:
        for x in _SUB_PIXELS:
            aim = directions(centre + np.float32(x) * right + np.float32(y) * down, pose).reshape(-1, 3)
            hits = around.surface.cast(origin, aim)
            if light is None:
                light = _light(around, hits, aim[hits.ray], (height_px, width_px))
            depth[hits.ray] = np.minimum(depth[hits.ray], hits.distance)
            colour = around.clutter.colours(hits.face, hits.points_mm) / np.float32(len(_SUB_PIXELS) ** 2)
            floor = around.clutter.is_floor(hits.face)
            floor_colour[hits.ray[floor]] += colour[floor]
            fixed[hits.ray[~floor]] += colour[~floor] * light[hits.ray[~floor]]
    shape = (height_px, width_px)
    soft_depth = np.asarray(cv2.blur(depth.reshape(shape), (3, 3)), dtype=np.float32)
    return Backdrop(centre, fixed.reshape(*shape, 3), floor_colour.reshape(*shape, 3), soft_depth)


def _light(around: Surroundings, hits: Hits, aim: Floats, shape: tuple[int, int]) -> Floats:
    """Return (pixels, 3): the light at each pixel's first hit, with shadows softened over a tile."""
    normals, flat = around.surface.normals(hits, aim)
    points = hits.points_mm + np.float32(LIFT_MM) * flat
    rows, columns = np.divmod(hits.ray, shape[1])
    total = np.zeros((shape[0] * shape[1], 3), np.float32)
    for number, light in enumerate(around.lighting.lights):
        arrives = facing(light, hits.points_mm, normals)
        arrives *= sees_light(around.surface, light, points, (columns, rows), number)
        total[hits.ray] += arrives[:, None] * light.colour
    total[hits.ray] += sky_light(around.lighting, around.surface, points, normals, (columns, rows), 7)[:, None]
    hit = np.zeros(shape[0] * shape[1], np.bool_)
    hit[hits.ray] = True
    return tile_mean(total.reshape(*shape, 3), hit.reshape(shape)).reshape(-1, 3)

"""Everything that stands still: rendered once for every size of photo."""

from dataclasses import dataclass

import cv2
import numpy as np

from drivers.bench.picture.clutter import Clutter
from drivers.bench.picture.lights import Lighting, strata_of_pixels
from drivers.bench.picture.rays import CameraPose, Floats, directions, slopes
from drivers.bench.picture.shading import LIFT_MM, Strata, facing, sees_light, sky_light, tile_mean
from drivers.bench.picture.surface import Hits, Surface
from drivers.bench.scene import SceneCamera

_SUB_PIXELS = ((-0.25, -0.25), (0.25, 0.25))
_BAND_PIXELS = 200_000
_FAR_MM = 1e4
_TILE_PX = 4


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
    """Render what stands still with two rays a pixel, for a photo of (width, height)."""
    width_px, height_px = size_px
    slope = slopes(camera, width_px, height_px)
    looks = strata_of_pixels(height_px, width_px, _TILE_PX)
    shape = (height_px, width_px)
    fixed, floor_colour, light = (np.zeros((*shape, 3), np.float32) for _ in range(3))
    depth = np.full(shape, _FAR_MM, np.float32)
    step = max(2, _BAND_PIXELS // width_px)
    for start in range(0, height_px, step):
        band = slice(start, min(start + step, height_px))
        colours = fixed[band].reshape(-1, 3), floor_colour[band].reshape(-1, 3)
        into = light[band].reshape(-1, 3), depth[band].reshape(-1)
        _paint_band(around, pose, slope[band], looks[band], colours, *into)
    fixed *= tile_mean(light, depth < _FAR_MM, _TILE_PX)
    return Backdrop(slope, fixed, floor_colour, np.asarray(cv2.blur(depth, (3, 3)), dtype=np.float32))


def _paint_band(
    around: Surroundings,
    pose: CameraPose,
    slope: Floats,
    looks: Strata,
    colours: tuple[Floats, Floats],
    light: Floats,
    depth: Floats,
) -> None:
    """Fill flat views of some rows: colours of what is fixed and of the floor, light at the first ray, depth."""
    right, down = np.gradient(slope, axis=1), np.gradient(slope, axis=0)
    origin = pose.centre_mm.astype(np.float32)
    for number, (x, y) in enumerate(_SUB_PIXELS):
        aim = directions(slope + np.float32(x) * right + np.float32(y) * down, pose).reshape(-1, 3)
        hits = around.surface.cast(origin, aim)
        if number == 0:
            light[hits.ray] = _light(around, hits, aim[hits.ray], looks.reshape(-1)[hits.ray])
            depth[hits.ray] = hits.distance
        colour = around.clutter.colours(hits.face, hits.points_mm) / np.float32(len(_SUB_PIXELS))
        on_floor = around.clutter.is_floor(hits.face)
        for kept, target in zip((~on_floor, on_floor), colours, strict=True):
            target[hits.ray[kept]] += colour[kept]


def _light(around: Surroundings, hits: Hits, aim: Floats, looks: Strata) -> Floats:
    """Return (n, 3): the light at each hit, with the hard shadows of one look at each light."""
    normals, flat = around.surface.normals(hits, aim)
    points = hits.points_mm + np.float32(LIFT_MM) * flat
    total = np.repeat(sky_light(around.lighting, around.surface, points, normals, looks)[:, None], 3, axis=1)
    for number, light in enumerate(around.lighting.lights):
        arrives = facing(light, hits.points_mm, normals)
        arrives *= sees_light(around.surface, light, points, looks, number)
        total += arrives[:, None] * light.colour
    return np.asarray(total, dtype=np.float32)

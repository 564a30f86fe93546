"""The thing on the platter as the photo shows it: colour, coverage and depth of every pixel that it may touch."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.coat import coat_of
from drivers.bench.picture.lights import UNUSED, Lighting, strata_of_pixels
from drivers.bench.picture.outline import Outline
from drivers.bench.picture.rays import CameraPose, Floats, Matrix, directions, turned
from drivers.bench.picture.shading import LIFT_MM, facing, mirrored, sees_light, sky_light, tile_mean
from drivers.bench.picture.surface import Hits, Surface
from drivers.bench.scene import SceneCamera, SceneObject

_STEPS_PX = np.array([-1 / 3, 0, 1 / 3], np.float32)
"""Where rays go through a pixel, both ways, if the silhouette or an inner edge runs there."""
_SHARE = np.float32(1 / len(_STEPS_PX) ** 2)
_EDGE_STEP_FOOTPRINTS = 12.0
"""Depth may change by this many pixel widths over three pixels before it counts as a jump: 80 degrees of slope."""
_PIECE = 16_384
_WIDE_PX = 1000
_COARSE_PIXEL_MM = 0.5
"""Above this, paint and vertex colours hold more detail than one ray a pixel can read: every pixel counts as edge."""


@dataclass(frozen=True)
class ThingPicture:
    """A rectangle of the photo."""

    window: tuple[slice, slice]
    light: Floats
    """(h, w, 3), weighted by coverage."""
    coverage: Floats
    """(h, w), 0 to 1."""
    depth_mm: Floats
    """(h, w); 0 where nothing was hit."""


class ThingLayer:
    """One thing, ready to be seen at any angle of the platter."""

    def __init__(self, thing: SceneObject, offset_mm: tuple[float, float]) -> None:
        self.surface = Surface(thing.vertices_mm, thing.faces)
        self._coat = coat_of(thing, self.surface)
        self._gloss = thing.gloss
        self.outline = Outline(self.surface.vertices_mm, offset_mm)
        self._offset_mm = offset_mm

    def view(self, slope: Floats, camera: SceneCamera, pose: CameraPose, tilt_deg: float = 0.0) -> "ThingView":
        """Return what photos need again and again whose pixels look along `slope` (H, W, 2).

        `tilt_deg` is what the platter leans at most.
        """
        size_px = (slope.shape[1], slope.shape[0])
        window = self.outline.window(camera, pose, size_px, tilt_deg)
        aim = directions(slope[window], pose)
        tile_px = 8 if size_px[0] >= _WIDE_PX else 4
        looks = strata_of_pixels(aim.shape[0], aim.shape[1], tile_px).reshape(-1)
        return ThingView(camera, pose, size_px, window, aim, looks, tile_px)

    def coverage(self, view: "ThingView", turn: Matrix) -> Floats:
        """Return (h, w) for the view's window: how much of each pixel the thing covers, turned (3, 3) like this."""
        return self._trace(view, turn).coverage

    def picture(self, view: "ThingView", lighting: Lighting, angle_deg: float, turn: Matrix) -> ThingPicture:
        """Return the thing as seen when it has turned by `turn` (3, 3), lit as if by `angle_deg` about the axis."""
        trace = self._trace(view, turn)
        platter_light = lighting.on_platter(angle_deg, self._offset_mm)
        shadows = self._shadows(trace, view, platter_light)
        light = np.zeros((trace.coverage.size, 3), np.float32)
        whole, edge = trace.whole, trace.edge
        for piece in _pieces(whole):
            light[piece.hits.ray] = self._shaded(piece, view, platter_light, shadows)
        shaded = [self._shaded(piece, view, platter_light, shadows) for piece in _pieces(edge)]
        edge_light = np.concatenate([np.zeros((0, 3), np.float32), *shaded])
        for channel in range(3):
            light[:, channel] += np.bincount(edge.hits.ray, edge_light[:, channel] * _SHARE, len(light))
        return ThingPicture(view.window, light.reshape(*trace.coverage.shape, 3), trace.coverage, trace.depth_mm)

    def _shaded(self, seen: "_Seen", view: "ThingView", lighting: Lighting, shadows: Floats) -> Floats:
        """Return (n, 3): the light that comes from each hit."""
        hits = seen.hits
        colour = self._coat.colours(hits, hits.distance * np.float32(view.footprint_per_mm))
        arriving = shadows.take(hits.ray, axis=0)
        arrives = np.repeat(arriving[:, -1:], 3, axis=1)
        for number, lamp in enumerate(lighting.lights):
            arrives += (facing(lamp, hits.points_mm, seen.normals) * arriving[:, number])[:, None] * lamp.colour
        light = np.asarray(colour * arrives, dtype=np.float32)
        if self._gloss > 0:
            for number, lamp in enumerate(lighting.lights):
                shine = mirrored(lamp, hits.points_mm, seen.normals, seen.eye_mm, self._gloss)
                light += (shine * arriving[:, number])[:, None] * lamp.colour
        return light

    def _trace(self, view: "ThingView", turn: Matrix) -> "_Trace":
        origin = np.asarray(view.pose.centre_mm @ turn - np.array([*self._offset_mm, 0.0]), dtype=np.float32)
        shape = view.aim.shape[:2]
        pixel = self.outline.pixels(view.camera, view.pose, view.size_px, view.window, turn)
        aim = turned(view.aim.reshape(-1, 3).take(pixel, axis=0), turn)
        hits = self.surface.cast(origin, aim)
        normals, flat = self.surface.normals(hits, aim[hits.ray])
        hits = replace(hits, ray=pixel[hits.ray])
        depth = np.zeros(shape[0] * shape[1], np.float32)
        depth[hits.ray] = hits.distance
        is_edge = _edges(depth.reshape(shape), view.footprint_per_mm).reshape(-1)
        if view.footprint_per_mm * float(np.linalg.norm(origin)) > _COARSE_PIXEL_MM:
            is_edge[pixel] = True
        inside = np.flatnonzero(~is_edge[hits.ray])
        edge = self._trace_edges(view, np.flatnonzero(is_edge), origin, turn)
        counted = np.bincount(edge.hits.ray, minlength=len(depth))
        coverage = np.where(is_edge, counted * _SHARE, depth > 0).astype(np.float32)
        unseen = depth[edge.hits.ray] == 0
        depth[edge.hits.ray[unseen]] = edge.hits.distance[unseen]
        whole = _Seen(hits.only(inside), normals[inside], origin)
        return _Trace(_Seen(hits, normals, origin), flat, whole, edge, coverage.reshape(shape), depth.reshape(shape))

    def _trace_edges(self, view: "ThingView", pixel: NDArray[np.int64], origin: Floats, turn: Matrix) -> "_Seen":
        """Return what a grid of rays through each of these pixels hits; `ray` then names the pixel."""
        aim = turned(view.aim_within(pixel, _STEPS_PX).reshape(-1, 3), turn)
        hits = self.surface.cast(origin, aim)
        normals, _ = self.surface.normals(hits, aim[hits.ray])
        return _Seen(replace(hits, ray=pixel[hits.ray // len(_STEPS_PX) ** 2]), normals, origin)

    def _shadows(self, trace: "_Trace", view: "ThingView", lighting: Lighting) -> Floats:
        """Return (pixels, lights + 1): how much of each light arrives, and last the light of the sky."""
        looks = view.looks.take(trace.first.hits.ray)
        looking = np.flatnonzero(looks != UNUSED)
        looks, pixel = looks.take(looking), trace.first.hits.ray.take(looking)
        points = trace.first.hits.points_mm.take(looking, axis=0)
        normals = trace.first.normals.take(looking, axis=0)
        points += np.float32(LIFT_MM) * trace.flat_normals.take(looking, axis=0)
        height, width = trace.coverage.shape
        spacing = view.tile_px // 4
        shape = (-(-height // spacing), -(-width // spacing))
        row, column = np.divmod(pixel, width)
        pixel = row // spacing * shape[1] + column // spacing
        seen = np.zeros((shape[0] * shape[1], len(lighting.lights) + 1), np.float32)
        for number, lamp in enumerate(lighting.lights):
            lit = np.flatnonzero(normals @ lamp.centre_mm > np.einsum("nk,nk->n", points, normals))
            free = sees_light(self.surface, lamp, points.take(lit, axis=0), looks.take(lit), number)
            seen[pixel[lit], number] = free
        seen[pixel, -1] = sky_light(lighting, self.surface, points, normals, looks)
        looked = np.zeros(len(seen), np.bool_)
        looked[pixel] = True
        smooth = tile_mean(seen.reshape(*shape, -1), looked.reshape(shape), 4)
        smooth = np.asarray(cv2.resize(smooth, (shape[1] * spacing, shape[0] * spacing)), dtype=np.float32)
        return np.ascontiguousarray(smooth[:height, :width]).reshape(height * width, -1)


@dataclass(frozen=True)
class ThingView:
    """The rays of the window that the thing may touch; the same for every angle."""

    camera: SceneCamera
    pose: CameraPose
    size_px: tuple[int, int]
    """Width and height of the whole photo."""
    window: tuple[slice, slice]
    aim: Floats
    """(h, w, 3): world directions with unit depth."""
    looks: NDArray[np.uint8]
    """(h * w,): the part of a light that each pixel looks at."""
    tile_px: int
    """So many pixels a side see all parts of a light."""

    @property
    def footprint_per_mm(self) -> float:
        """Width of a pixel at a depth of one millimetre."""
        return 1 / float(self.camera.matrix_px(*self.size_px)[0, 0])

    def aim_within(self, pixel: NDArray[np.int64], steps_px: Floats) -> Floats:
        """Return directions (n, steps * steps, 3) through pixels that are given as flat indices of the window."""
        height, width = self.aim.shape[:2]
        row, column = np.divmod(pixel, width)
        right = np.clip(column, 0, width - 2)
        below = np.clip(row, 0, height - 2)
        across = self.aim[row, right + 1] - self.aim[row, right]
        down = self.aim[below + 1, column] - self.aim[below, column]
        x, y = (grid.reshape(1, -1, 1) for grid in np.meshgrid(steps_px, steps_px))
        return np.asarray(self.aim[row, column][:, None] + x * across[:, None] + y * down[:, None])


@dataclass(frozen=True)
class _Seen:
    hits: Hits
    normals: Floats
    eye_mm: Floats
    """(3,): where the rays came from."""


def _pieces(seen: _Seen) -> Iterator[_Seen]:
    """Cut into pieces that stay in the processor's cache while they are shaded."""
    for start in range(0, len(seen.normals), _PIECE):
        chosen = np.arange(start, min(start + _PIECE, len(seen.normals)))
        yield _Seen(seen.hits.only(chosen), seen.normals[start : start + _PIECE], seen.eye_mm)


@dataclass(frozen=True)
class _Trace:
    first: _Seen
    """What the ray through each pixel's centre hit."""
    flat_normals: Floats
    """Of the faces that the first rays hit."""
    whole: _Seen
    """Those of them that stand for their whole pixel."""
    edge: _Seen
    """What the rays through the edges' pixels hit."""
    coverage: Floats
    depth_mm: Floats


def _edges(depth_mm: Floats, footprint_per_mm: float) -> NDArray[np.bool_]:
    """Return the pixels next to the silhouette or to a jump in depth."""
    kernel = np.ones((3, 3), np.uint8)
    high = cv2.dilate(depth_mm, kernel)
    low = cv2.erode(depth_mm, kernel)
    step = _EDGE_STEP_FOOTPRINTS * footprint_per_mm * np.maximum(high, 1e-6)
    return np.asarray(high - low > step)

"""The thing on the platter as the photo shows it: colour, coverage and depth of every pixel that it may touch."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.coat import coat_of
from drivers.bench.picture.lights import Lighting
from drivers.bench.picture.rays import CameraPose, Floats, directions, turn_about_z
from drivers.bench.picture.shading import LIFT_MM, facing, sees_light, sky_light, tile_mean, turned_with_platter
from drivers.bench.picture.surface import Hits, Surface
from drivers.bench.scene import SceneCamera, SceneObject

_SUB_PIXELS = 3
"""Rays a side through a pixel where the silhouette or an inner edge runs."""
_EDGE_STEP_FOOTPRINTS = 6.0
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
        self._offset_mm = offset_mm

    def window(self, camera: SceneCamera, pose: CameraPose, size_px: tuple[int, int]) -> tuple[slice, slice]:
        """Return the rows and columns that the thing may touch at any angle."""
        vertices = self.surface.vertices_mm
        radius = float(np.hypot(vertices[:, 0] + self._offset_mm[0], vertices[:, 1] + self._offset_mm[1]).max())
        around = np.linspace(0, 2 * np.pi, 64)
        ring = np.stack([np.cos(around), np.sin(around)], axis=1) * radius / np.cos(np.pi / 64)
        levels = (float(vertices[:, 2].min()), float(vertices[:, 2].max()))
        hull = np.concatenate([np.column_stack([ring, np.full(len(ring), level)]) for level in levels])
        rotation, _ = cv2.Rodrigues(pose.R)
        K = camera.matrix_px(*size_px)
        pixels = cv2.projectPoints(hull, rotation, pose.t, K, np.array(camera.distortion))[0].reshape(-1, 2)
        low = np.clip(np.floor(pixels.min(axis=0)) - 4, 0, np.array(size_px)).astype(int)
        high = np.clip(np.ceil(pixels.max(axis=0)) + 5, 0, np.array(size_px)).astype(int)
        return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))

    def coverage(self, view: "ThingView", angle_deg: float) -> Floats:
        """Return (h, w) for the view's window: how much of each pixel the thing covers."""
        return self._trace(view, angle_deg).coverage

    def picture(self, view: "ThingView", lighting: Lighting, angle_deg: float) -> ThingPicture:
        """Return the thing as seen when the platter has turned by `angle_deg`."""
        trace = self._trace(view, angle_deg)
        platter_light = turned_with_platter(lighting, angle_deg, self._offset_mm)
        shadows = self._shadows(trace, platter_light)
        light = np.zeros((trace.coverage.size, 3), np.float32)
        for hits, share, normals in trace.layers:
            pixel = hits.ray
            footprint = hits.distance * np.float32(view.footprint_per_mm)
            colour = self._coat.colours(hits, footprint)
            arrives = np.zeros_like(colour)
            for number, lamp in enumerate(platter_light.lights):
                amount = facing(lamp, hits.points_mm, normals) * shadows[pixel, number]
                arrives += amount[:, None] * lamp.colour
            arrives += shadows[pixel, -1:]
            colour *= arrives * np.float32(share)
            _add_at(light, pixel, colour, share == 1)
        shape = trace.coverage.shape
        return ThingPicture(view.window, light.reshape(*shape, 3), trace.coverage, trace.depth_mm)

    def _trace(self, view: "ThingView", angle_deg: float) -> "_Trace":
        turn = turn_about_z(angle_deg)
        origin = (view.centre_mm @ turn - np.array([*self._offset_mm, 0.0])).astype(np.float32)
        shape = view.aim.shape[:2]
        aim = (view.aim.reshape(-1, 3) @ turn.astype(np.float32)).astype(np.float32)
        hits = self.surface.cast(origin, aim)
        depth = np.zeros(aim.shape[0], np.float32)
        depth[hits.ray] = hits.distance
        normals, flat = self.surface.normals(hits, aim[hits.ray])
        edge = _edges(depth.reshape(shape), view.footprint_per_mm).reshape(-1)
        if view.footprint_per_mm * float(np.linalg.norm(origin)) > _COARSE_PIXEL_MM:
            edge[:] = True
        coverage = (depth > 0).astype(np.float32)
        coverage[edge] = 0
        inside = ~edge[hits.ray]
        layers = [(_chosen(hits, inside), 1.0, normals[inside])]
        edge_pixel = np.flatnonzero(edge)
        share = 1.0 / _SUB_PIXELS**2
        steps = (np.arange(_SUB_PIXELS) + 0.5) / _SUB_PIXELS - 0.5
        for y in steps if len(edge_pixel) else ():
            for x in steps:
                sub_aim = (view.aim_near(edge_pixel, float(x), float(y)) @ turn.astype(np.float32)).astype(np.float32)
                sub = self.surface.cast(origin, sub_aim)
                sub_normals, _ = self.surface.normals(sub, sub_aim[sub.ray])
                pixel = edge_pixel[sub.ray]
                coverage[pixel] += np.float32(share)
                depth[pixel] = np.where(depth[pixel] > 0, depth[pixel], sub.distance)
                layers.append((Hits(pixel, sub.distance, sub.face, sub.corners, sub.points_mm), share, sub_normals))
        np.minimum(coverage, 1, out=coverage)
        return _Trace(hits, normals, flat, layers, coverage.reshape(shape), depth.reshape(shape))

    def _shadows(self, trace: "_Trace", lighting: Lighting) -> Floats:
        """Return (pixels, lights + 1): how much of each light arrives, and last the light of the sky."""
        shape = trace.coverage.shape
        hits = trace.hits
        seen = np.zeros((trace.coverage.size, len(lighting.lights) + 1), np.float32)
        rows, columns = np.divmod(hits.ray, shape[1])
        lifted = hits.points_mm + np.float32(LIFT_MM) * trace.flat_normals
        for number, lamp in enumerate(lighting.lights):
            lit = np.flatnonzero(np.einsum("nk,nk->n", lamp.centre_mm - hits.points_mm, trace.normals) > 0)
            tile = (columns[lit], rows[lit])
            seen[hits.ray[lit], number] = sees_light(self.surface, lamp, lifted[lit], tile, number)
        seen[hits.ray, -1] = sky_light(lighting, self.surface, lifted, trace.normals, (columns, rows), 7)
        hit = np.zeros(trace.coverage.size, np.bool_)
        hit[hits.ray] = True
        smooth = tile_mean(seen.reshape(*shape, -1), hit.reshape(shape))
        return smooth.reshape(len(seen), -1)


@dataclass(frozen=True)
class ThingView:
    """The rays of the window that the thing may touch; the same for every angle."""

    window: tuple[slice, slice]
    centre_mm: NDArray[np.float64]
    aim: Floats
    """(h, w, 3): world directions with unit depth."""
    footprint_per_mm: float
    """Width of a pixel at a depth of one millimetre."""

    @staticmethod
    def of(slope: Floats, window: tuple[slice, slice], pose: CameraPose, focal_px: float) -> "ThingView":
        """Cut the window out of the whole photo's slopes."""
        return ThingView(window, pose.centre_mm, directions(slope[window], pose), 1 / focal_px)

    def aim_near(self, pixel: NDArray[np.int64], x_px: float, y_px: float) -> Floats:
        """Return directions (n, 3) a little beside the centres of pixels, given as flat indices of the window."""
        height, width = self.aim.shape[:2]
        row, column = np.divmod(pixel, width)
        right = np.clip(column, 0, width - 2)
        below = np.clip(row, 0, height - 2)
        across = self.aim[row, right + 1] - self.aim[row, right]
        down = self.aim[below + 1, column] - self.aim[below, column]
        return np.asarray(self.aim[row, column] + np.float32(x_px) * across + np.float32(y_px) * down)


@dataclass(frozen=True)
class _Trace:
    hits: Hits
    normals: Floats
    flat_normals: Floats
    layers: list[tuple[Hits, float, Floats]]
    """Hits by pixel, their share of it, and their normals: first the whole pixels, then each ray of the edges."""
    coverage: Floats
    depth_mm: Floats


def _chosen(hits: Hits, keep: NDArray[np.bool_]) -> Hits:
    return Hits(hits.ray[keep], hits.distance[keep], hits.face[keep], hits.corners[keep], hits.points_mm[keep])


def _add_at(light: Floats, pixel: NDArray[np.int64], colour: Floats, is_whole: bool) -> None:
    if is_whole:
        light[pixel] = colour
    else:
        light[pixel] += colour  # one ray a pixel in each layer: no index comes twice


def _edges(depth_mm: Floats, footprint_per_mm: float) -> NDArray[np.bool_]:
    """Return the pixels next to the silhouette or to a jump in depth."""
    kernel = np.ones((3, 3), np.uint8)
    high = cv2.dilate(depth_mm, kernel)
    low = cv2.erode(depth_mm, kernel)
    step = _EDGE_STEP_FOOTPRINTS * footprint_per_mm * np.maximum(high, 1e-6)
    return np.asarray(high - low > step)

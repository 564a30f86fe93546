"""The mat on the turning platter, and the thing's shadow on both."""

import cv2
import numpy as np

from drivers.bench.picture.backdrop import Backdrop, Surroundings
from drivers.bench.picture.lights import cosine_directions, strata
from drivers.bench.picture.rays import CameraPose, Floats, directions, turn_about_z
from drivers.bench.picture.shading import LIFT_MM, facing, tile_mean, turned_with_platter
from drivers.bench.picture.surface import Surface
from drivers.bench.scene import MatPicture

_MAT_BLACK, _MAT_WHITE = 0.06, 0.90
_SHADOW_STEP_PX = 4
"""Shadows on the floor are soft: they are computed for every fourth pixel of a photo 1600 px wide."""
_MOST_SUB_ROWS = 6


class FloorLight:
    """The light on the plane z = 0, at low resolution in the photo's own raster."""

    def __init__(self, around: Surroundings, backdrop: Backdrop, pose: CameraPose) -> None:
        height_px, width_px = backdrop.depth_mm.shape
        step = max(1, round(_SHADOW_STEP_PX * width_px / 1600))
        coarse = cv2.resize(backdrop.slope, (width_px // step, height_px // step), interpolation=cv2.INTER_AREA)
        points, self._shape = floor_points(np.asarray(coarse, dtype=np.float32), pose), coarse.shape[:2]
        self._points = points.reshape(-1, 3)
        self._tile = np.divmod(np.arange(len(self._points)), self._shape[1])[::-1]
        self._lighting = around.lighting
        up = np.broadcast_to(np.array([0, 0, 1], np.float32), self._points.shape)
        lifted = self._points + np.float32(1.5) * up
        self._open = []
        for number, light in enumerate(around.lighting.lights):
            seen = np.zeros(len(self._points), np.float32)
            for sample in range(4):
                aim = light.points_mm(strata(*self._tile, sample, number)) - lifted
                seen += around.surface.is_clear(lifted, aim) / np.float32(4)
            smooth = self._smooth(seen) if len(seen) else seen
            self._open.append(facing(light, self._points, up) * smooth)
        self._sky = np.full(len(self._points), around.lighting.sky, np.float32)

    def with_shadow(self, thing: Surface | None, angle_deg: float, offset_mm: tuple[float, float]) -> Floats:
        """Return (h, w, 3): light on the floor when the platter has turned by `angle_deg`."""
        total = np.zeros((len(self._points), 3), np.float32)
        for number, light in enumerate(self._lighting.lights):
            share = self._open[number]
            if thing is not None:
                share = share * self._share_seen(thing, number, angle_deg, offset_mm)
            total += share[:, None] * light.colour
        sky = self._sky if thing is None else self._sky * self._share_of_sky(thing, angle_deg, offset_mm)
        total += sky[:, None]
        return total.reshape(*self._shape, 3)

    def _share_seen(self, thing: Surface, number: int, angle_deg: float, offset_mm: tuple[float, float]) -> Floats:
        light = turned_with_platter(self._lighting, angle_deg, offset_mm).lights[number]
        points = self._on_platter(angle_deg, offset_mm)
        near = np.flatnonzero(_may_be_shaded(points, light.centre_mm, light.half_side_mm, thing))
        tile = (self._tile[0][near], self._tile[1][near])
        lifted = points[near] + np.array([0, 0, LIFT_MM], np.float32)
        share = np.ones(len(points), np.float32)
        share[near] = 0
        for sample in range(2):
            aim = light.points_mm(strata(*tile, sample, number)) - lifted
            share[near] += thing.is_clear(lifted, aim) / np.float32(2)
        return self._smooth(share)

    def _share_of_sky(self, thing: Surface, angle_deg: float, offset_mm: tuple[float, float]) -> Floats:
        points = self._on_platter(angle_deg, offset_mm)
        reach = 1.3 * float(np.abs(thing.vertices_mm).max())
        near = np.flatnonzero(np.einsum("nk,nk->n", points[:, :2], points[:, :2]) < reach**2)
        tile = (self._tile[0][near], self._tile[1][near])
        lifted = points[near] + np.array([0, 0, LIFT_MM], np.float32)
        share = np.ones(len(points), np.float32)
        share[near] = 0
        up = np.broadcast_to(np.array([0, 0, 1], np.float32), lifted.shape)
        for sample in range(2):
            aim = cosine_directions(up, strata(*tile, sample, 9))
            share[near] += thing.is_clear(lifted, aim) / np.float32(2)
        return self._smooth(share)

    def _on_platter(self, angle_deg: float, offset_mm: tuple[float, float]) -> Floats:
        turn = turn_about_z(angle_deg)
        return np.asarray(self._points @ turn.astype(np.float32) - np.array([*offset_mm, 0], np.float32))

    def _smooth(self, values: Floats) -> Floats:
        everywhere = np.ones(self._shape, np.bool_)
        return tile_mean(values.reshape(*self._shape, 1), everywhere).reshape(-1)


class MatLayer:
    """The printed mat as each pixel of the photo sees it, for any angle of the platter."""

    def __init__(self, mat: MatPicture, backdrop: Backdrop, pose: CameraPose) -> None:
        points = floor_points(backdrop.slope, pose)
        reach = np.hypot(mat.width_mm, mat.height_mm) / 2 + 10
        rows = np.flatnonzero((np.hypot(points[..., 0], points[..., 1]) < reach).any(axis=1))
        self.rows = slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)
        self._mat = mat
        if not len(rows):
            return
        points = points[self.rows]
        across = np.linalg.norm(np.gradient(points, axis=1)[..., :2], axis=2) if points.shape[0] else points[..., 0]
        along = np.linalg.norm(np.gradient(points, axis=0)[..., :2], axis=2) if points.shape[0] > 1 else across
        on_mat = np.hypot(points[..., 0], points[..., 1]) < reach
        footprint_mm = float(np.median(across[on_mat]))
        sub_rows = int(np.clip(np.ceil(float(np.median(along[on_mat])) / footprint_mm), 1, _MOST_SUB_ROWS))
        down = np.gradient(backdrop.slope, axis=0)[self.rows]
        self._places = [
            np.ascontiguousarray(
                floor_points(backdrop.slope[self.rows] + np.float32((row + 0.5) / sub_rows - 0.5) * down, pose)[
                    ..., :2
                ]
            )
            for row in range(sub_rows)
        ]
        self._picture = _reflectance(mat, footprint_mm)

    def cover(self, colour: Floats, angle_deg: float, offset_mm: tuple[float, float]) -> Floats:
        """Return the floor's reflectance (rows, W, 3) with the mat lying on it, for `self.rows`."""
        height, width = self._picture.shape[:2]
        per_mm = np.array([width / self._mat.width_mm, height / self._mat.height_mm])
        turn = turn_about_z(angle_deg)[:2, :2]
        flip = np.diag([1.0, -1.0])
        linear = np.diag(per_mm) @ flip @ turn.T
        shift = per_mm * (flip @ -np.array(offset_mm)) + np.array([width, height]) / 2 - 0.5
        affine = np.concatenate([linear, shift[:, None]], axis=1)
        total = np.zeros((*colour.shape[:2], 2), np.float32)
        for places in self._places:
            at = cv2.transform(places, affine)
            total += cv2.remap(self._picture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)  # type: ignore[call-overload]
        total /= np.float32(len(self._places))
        return np.asarray(colour * (1 - total[..., 1:]) + total[..., :1], dtype=np.float32)


def floor_points(slope: Floats, pose: CameraPose) -> Floats:
    """Return (h, w, 3): where pixels see the plane z = 0; far away where they look above the horizon."""
    aim = directions(slope, pose)
    centre = pose.centre_mm.astype(np.float32)
    fall = np.minimum(aim[..., 2], np.float32(-1e-3))
    depth = np.minimum(-centre[2] / fall, np.float32(20_000))
    points = centre + aim * depth[..., None]
    points[..., 2] = 0
    return np.asarray(points, dtype=np.float32)


def _reflectance(mat: MatPicture, footprint_mm: float) -> Floats:
    """Return (h, w, 2): reflectance and coverage, one pixel no larger than what a photo's pixel sees."""
    width = max(8, min(mat.pixels.shape[1], round(mat.width_mm / footprint_mm)))
    height = max(8, min(mat.pixels.shape[0], round(mat.height_mm / footprint_mm)))
    small = cv2.resize(mat.pixels, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    grey = np.float32(_MAT_BLACK) + np.float32(_MAT_WHITE - _MAT_BLACK) * small
    return np.ascontiguousarray(np.stack([grey, np.ones_like(grey)], axis=2))


def _may_be_shaded(points_mm: Floats, light_mm: Floats, half_side_mm: float, thing: Surface) -> np.ndarray:
    """Return which points see the light's centre past the thing's bounding ball by less than the light's size."""
    low, high = thing.vertices_mm.min(axis=0), thing.vertices_mm.max(axis=0)
    centre, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    toward = light_mm - points_mm
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    to_centre = centre - points_mm
    along = np.einsum("nk,nk->n", to_centre, toward)
    aside = np.einsum("nk,nk->n", to_centre, to_centre) - along**2
    return np.asarray((along > -radius) & (aside < (radius + 0.4 * half_side_mm) ** 2))

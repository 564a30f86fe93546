"""The mat on the turning platter, and the thing's shadow on both."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.backdrop import Backdrop, Surroundings
from drivers.bench.picture.lights import AreaLight, strata_of_pixels
from drivers.bench.picture.outline import Outline, floor_cells
from drivers.bench.picture.rays import CameraPose, Floats, Matrix, directions, platter_turn, turn_about_z, turned
from drivers.bench.picture.shading import LIFT_MM, facing, sees_light, sees_sky
from drivers.bench.picture.surface import Surface
from drivers.bench.scene import MatPicture
from drivers.bench.wobble import STEADY, Wobble

_MAT_BLACK, _MAT_WHITE = 0.06, 0.90
_SHADOW_STEP_PX = 4
"""Shadows on the floor are soft: they are computed for every fourth pixel of a photo 1600 px wide."""
_TILE = 4
_MOST_SUB_ROWS = 6
_CLUTTER_LIFT_MM = 1.5
_SKY_REACH = 1.2
"""Times the thing's own reach: further away it hides hardly any of the sky."""


class FloorLight:
    """The light on the plane z = 0, at low resolution in the photo's own raster."""

    def __init__(self, around: Surroundings, backdrop: Backdrop, pose: CameraPose) -> None:
        height_px, width_px = backdrop.depth_mm.shape
        step = max(1, round(_SHADOW_STEP_PX * width_px / 1600))
        coarse = cv2.resize(backdrop.slope, (width_px // step, height_px // step), interpolation=cv2.INTER_AREA)
        places = floor_points(np.asarray(coarse, dtype=np.float32), pose)
        self._shape = places.shape[:2]
        self._points = places.reshape(-1, 3)
        self._looks = strata_of_pixels(places.shape[0], places.shape[1], _TILE).reshape(-1)
        self._cells = floor_cells(self._points)
        self._lighting = around.lighting
        up = np.broadcast_to(np.array([0, 0, 1], np.float32), self._points.shape)
        lifted = self._points + np.float32(_CLUTTER_LIFT_MM) * up
        self._open = []
        for number, light in enumerate(around.lighting.lights):
            free = [sees_light(around.surface, light, lifted, self._looks, number, sample) for sample in range(2)]
            self._open.append(facing(light, self._points, up) * self._smooth(np.mean(free, axis=0, dtype=np.float32)))

    def without_thing(self) -> Floats:
        """Return (h, w, 3): light on the empty floor."""
        total = np.full((len(self._points), 3), self._lighting.sky, np.float32)
        for light, arrives in zip(self._lighting.lights, self._open, strict=True):
            total += arrives[:, None] * light.colour
        return total.reshape(*self._shape, 3)

    def with_shadow(
        self, thing: Surface, outline: Outline, angle_deg: float, offset_mm: tuple[float, float]
    ) -> Floats:
        """Return (h, w, 3): light on the floor when the platter has turned by `angle_deg`."""
        points = turned(self._points, turn_about_z(angle_deg), np.array([-offset_mm[0], -offset_mm[1], LIFT_MM]))
        lighting = self._lighting.on_platter(angle_deg, offset_mm)
        total = np.repeat((self._lighting.sky * self._share_of_sky(thing, points))[:, None], 3, axis=1)
        for number, light in enumerate(lighting.lights):
            near = np.flatnonzero(outline.shadow(self._lighting.lights[number], angle_deg).take(self._cells))
            arrives = self._open[number] * self._share_seen(thing, light, points, near, number)
            total += arrives[:, None] * light.colour
        return total.reshape(*self._shape, 3)

    def _share_seen(
        self, thing: Surface, light: AreaLight, points: Floats, near: NDArray[np.int64], number: int
    ) -> Floats:
        looks = self._looks[near]
        free = [sees_light(thing, light, points[near], looks, number, sample) for sample in range(2)]
        return self._spread(near, free)

    def _share_of_sky(self, thing: Surface, points: Floats) -> Floats:
        reach = _SKY_REACH * thing.reach_mm
        near = np.flatnonzero(np.einsum("nk,nk->n", points, points) < reach**2)
        up = np.array([0, 0, 1], np.float32)
        free = [sees_sky(thing, points[near], up, self._looks[near], sample)[0] for sample in range(2)]
        return self._spread(near, free)

    def _spread(self, near: NDArray[np.int64], free: list[NDArray[np.bool_]]) -> Floats:
        share = np.ones(len(self._points), np.float32)
        share[near] = np.mean(free, axis=0, dtype=np.float32)
        return self._smooth(share)

    def _smooth(self, values: Floats) -> Floats:
        return np.asarray(cv2.blur(values.reshape(self._shape), (_TILE, _TILE)), dtype=np.float32).reshape(-1)


class MatLayer:
    """The printed mat as each pixel of the photo sees it, for any angle of the platter."""

    def __init__(self, mat: MatPicture, backdrop: Backdrop, pose: CameraPose) -> None:
        points = floor_points(backdrop.slope, pose)
        reach = np.hypot(mat.width_mm, mat.height_mm) / 2 + 10
        rows = np.flatnonzero((np.hypot(points[..., 0], points[..., 1]) < reach).any(axis=1))
        self.rows = slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)
        self._mat = mat
        self._eye_mm = pose.centre_mm
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

    def cover(
        self,
        colour: Floats,
        angles_deg: Sequence[tuple[float, float]],
        offset_mm: tuple[float, float],
        wobble: Wobble = STEADY,
    ) -> Floats:
        """Return the floor's reflectance (rows, W, 3) with the mat lying on it, for `self.rows`.

        The mat lies at several angles for a share of the time each; the shares add up to 1.
        """
        total = np.zeros((*colour.shape[:2], 2), np.float32)
        for angle_deg, share in angles_deg:
            seen_at = self._seen_at(angle_deg, offset_mm, wobble)
            for places in self._places:
                at = seen_at(places)
                seen = cv2.remap(self._picture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)  # type: ignore[call-overload]
                total += np.float32(share / len(self._places)) * seen
        return np.asarray(colour * (1 - total[..., 1:]) + total[..., :1], dtype=np.float32)

    def _seen_at(
        self, angle_deg: float, offset_mm: tuple[float, float], wobble: Wobble
    ) -> Callable[[Floats], Floats]:
        """Return what makes places (h, w, 2) in the mat's picture of places on the plane z = 0."""
        if wobble.tilt_deg == 0:
            affine = self._affine(angle_deg, offset_mm)
            return lambda places: np.asarray(cv2.transform(places, affine), dtype=np.float32)
        upright = np.vstack([self._affine(0.0, offset_mm), [0.0, 0.0, 1.0]])
        plane = upright @ on_leaning_platter(self._eye_mm, platter_turn(angle_deg, wobble))
        return lambda places: np.asarray(cv2.perspectiveTransform(places, plane), dtype=np.float32)

    def _affine(self, angle_deg: float, offset_mm: tuple[float, float]) -> NDArray[np.float64]:
        """Return (2, 3): from millimetres on the floor to pixels of the mat's picture."""
        height, width = self._picture.shape[:2]
        per_mm = np.array([width / self._mat.width_mm, height / self._mat.height_mm])
        turn = turn_about_z(angle_deg)[:2, :2]
        flip = np.diag([1.0, -1.0])
        linear = np.diag(per_mm) @ flip @ turn.T
        shift = per_mm * (flip @ -np.array(offset_mm)) + np.array([width, height]) / 2 - 0.5
        return np.concatenate([linear, shift[:, None]], axis=1)


def on_leaning_platter(eye_mm: Matrix, turn: Matrix) -> Matrix:
    """Return (3, 3), homogeneous: from where the eye sees the plane z = 0 to where on the turned plane it looks.

    A look from C at p meets the plane through the origin with the normal n at C - (n·C / n·(p - C)) (p - C), which
    times n·(p - C) is linear in p; x and y of that in the turned frame are the place.
    """
    normal = turn[:, 2]
    # As functions of (x, y, 1): p - C, and n·(p - C).
    look = np.column_stack([np.eye(3)[:, :2], -eye_mm])
    depth = normal @ look
    met = np.outer(eye_mm, depth) - (normal @ eye_mm) * look
    return np.vstack([(turn.T @ met)[:2], depth])


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

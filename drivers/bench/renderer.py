"""Photos of the simulated bench.

From the outside in: `picture.backdrop` paints once what stands still; for every angle `picture.floor` lays the mat on
the platter and the thing's shadow on both, `picture.thing_layer` adds the thing, `picture.lens` blurs, and
`picture.sensor` makes levels of it.
"""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.picture.backdrop import Backdrop, Surroundings, paint_backdrop
from drivers.bench.picture.clutter import clutter
from drivers.bench.picture.floor import FloorLight, MatLayer
from drivers.bench.picture.lens import Blur, spread_px
from drivers.bench.picture.lights import bench_lighting
from drivers.bench.picture.motion import motion_px, while_turning
from drivers.bench.picture.rays import Floats, camera_pose, platter_turn
from drivers.bench.picture.rolling import row_shares
from drivers.bench.picture.sensor import Sensor
from drivers.bench.picture.surface import Surface
from drivers.bench.picture.thing_layer import ThingLayer, ThingPicture, ThingView
from drivers.bench.scene import Exposure, Scene, SceneCamera
from drivers.bench.truth import true_pose
from drivers.bench.wobble import STEADY, Wobble

_LIGHT_OF_WHITE = 0.80
"""Signal of a white surface in the mat's centre at 20 000 µs and gain 1, where 1 saturates."""
_STILL_DEG = 0.005
"""Angles nearer to each other than this show no difference: a tenth of a pixel at the platter's rim."""
_LIT_ALIKE_DEG = 0.15
"""Angles of one exposure no further apart share one look at the scene. It is made in their middle and moved to each
of them, by less than half a pixel where things stand in a photo 1600 px wide."""
_LIT_KEPT = 2
_STAGES_KEPT = 6
"""Photos of so many sizes and elevations are quick to render again."""
_BAND_ROWS = 32


@dataclass(frozen=True)
class TrueView:
    """What a perfect calibration and a perfect mask of one photo would say."""

    K: NDArray[np.float64]
    distortion: NDArray[np.float64]
    """(5,): k1, k2, p1, p2, k3."""
    R: NDArray[np.float64]
    """(3, 3), camera from mat."""
    t: NDArray[np.float64]
    """(3,), millimetres."""
    mask: NDArray[np.uint8]
    """(H, W), 255 where the thing covers more than half of the pixel, seen through the lens."""


@dataclass(frozen=True)
class _Stage:
    """What photos of one size, from one elevation, need again and again."""

    backdrop: Backdrop
    floor_light: FloorLight
    open_light: Floats
    mat: MatLayer | None
    thing: ThingLayer
    view: ThingView
    lately: dict[tuple[float, float | None, Wobble], "_Lit"] = field(default_factory=dict)
    """By the platter's angle, by how much the thing had slid, None where it was gone, and how the platter leans."""


class _Lit:
    """The floor's light with its shadow, and the thing, with the platter at one angle."""

    def __init__(self, floor: Floats, thing: ThingPicture | None = None, view: ThingView | None = None) -> None:
        """`floor` is (h, w, 3), at low resolution."""
        self.floor = floor
        self._thing = thing
        self._view = view
        self._motion: Floats | None = None

    def thing_while(self, group: "_Group") -> ThingPicture | None:
        """Return the thing as it is seen while the platter stands at the group's angles."""
        if self._thing is None or self._view is None or group.is_still:
            return self._thing
        if self._motion is None:
            self._motion = motion_px(self._thing, self._view)
        turns = [(angle_deg - group.lit_deg, share) for angle_deg, share in group.angles_deg]
        return while_turning(self._thing, self._motion, turns)


@dataclass(frozen=True)
class _Group:
    """Angles of one exposure that are so near to each other that the scene is lit alike."""

    lit_deg: float
    share: float
    """Of the exposure."""
    angles_deg: list[tuple[float, float]]
    """Each with its share of the group."""

    @property
    def is_still(self) -> bool:
        """Whether nothing moves, so that everything is exact."""
        return len(self.angles_deg) == 1


class Renderer:
    """Renders one scene. The first photo of a size or elevation takes some seconds more than the next ones."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._things = {False: ThingLayer(scene.thing, scene.mat_offset_mm)}
        surroundings = clutter(scene.clutter_seed)
        self._around = Surroundings(
            surroundings, Surface(surroundings.vertices_mm, surroundings.faces), bench_lighting(scene.light_seed)
        )
        self._stages: dict[tuple[int, int, float, bool, float], _Stage] = {}

    def render(self, exposure: Exposure) -> NDArray[np.uint8]:
        """Return the photo: (H, W, 3), RGB, uint8."""
        if not exposure.platter_angles_deg:
            raise ValueError("an exposure needs at least one platter angle; got none")
        stage = self._stage(
            exposure.width_px,
            exposure.height_px,
            exposure.elevation_deg,
            exposure.upside_down,
            exposure.wobble.tilt_deg,
        )
        light = np.zeros_like(stage.backdrop.fixed)
        camera = self._scene.camera.focused(exposure.focus_dioptres)
        spread = spread_px(camera, exposure.width_px, stage.backdrop.depth_mm)
        with ThreadPoolExecutor(2, "renderer") as threads:
            groups = _groups(_distinct(exposure.rolling_angles_deg or exposure.platter_angles_deg))
            for group, share in zip(groups, _shares(groups, exposure), strict=True):
                lit = self._lit(stage, group.lit_deg, exposure, threads)
                floor = threads.submit(self._floor, stage, lit, group, exposure.wobble)
                thing = lit.thing_while(group)
                seen = floor.result()
                if thing is not None:
                    _put(thing, seen, spread, camera)
                seen *= share * np.float32(_LIGHT_OF_WHITE)
                light += seen
            return _exposed(light, spread, exposure, threads)

    def prepare(self, width_px: int, height_px: int) -> None:
        """Paint what stands still in photos of this size, so that the first one does not wait for it."""
        self._stage(width_px, height_px)

    def truth(
        self,
        width_px: int,
        height_px: int,
        platter_angle_deg: float,
        elevation_deg: float | None = None,
        *,
        upside_down: bool = False,
        wobble: Wobble = STEADY,
        object_turned_deg: float = 0.0,
    ) -> TrueView:
        """Return the true camera in the mat's frame and the thing's true mask for one photo."""
        camera = self._scene.camera
        R, t = true_pose(self._scene, platter_angle_deg, elevation_deg, wobble)
        stage = self._stage(width_px, height_px, elevation_deg, upside_down, wobble.tilt_deg)
        turn = platter_turn(platter_angle_deg, wobble, object_turned_deg)
        mask = np.zeros((height_px, width_px), np.uint8)
        mask[stage.view.window] = np.where(stage.thing.coverage(stage.view, turn) > 0.5, 255, 0)
        return TrueView(camera.matrix_px(width_px, height_px), np.array(camera.distortion), R, t, mask)

    def _lit(self, stage: _Stage, angle_deg: float, exposure: Exposure, threads: Executor) -> "_Lit":
        """Return the scene as it is lit with the platter at one angle; what was asked for just now is at hand."""
        slid_deg = exposure.object_turned_deg if exposure.object_present else None
        place = (angle_deg, slid_deg, exposure.wobble)
        if place not in stage.lately:
            while len(stage.lately) >= _LIT_KEPT:
                stage.lately.pop(next(iter(stage.lately)))
            stage.lately[place] = (
                _Lit(stage.open_light)
                if slid_deg is None
                else self._light(stage, angle_deg, slid_deg, exposure.wobble, threads)
            )
        return stage.lately[place]

    def _light(self, stage: _Stage, angle_deg: float, slid_deg: float, wobble: Wobble, threads: Executor) -> "_Lit":
        """Light and shadow fall as if the platter did not lean: nobody sees a degree in them."""
        offset, thing_deg = self._scene.mat_offset_mm, angle_deg + slid_deg
        shadowed = threads.submit(
            stage.floor_light.with_shadow, stage.thing.surface, stage.thing.outline, thing_deg, offset
        )
        turn = platter_turn(angle_deg, wobble, slid_deg)
        thing = stage.thing.picture(stage.view, self._around.lighting, thing_deg, turn)
        return _Lit(shadowed.result(), thing, stage.view)

    def _floor(self, stage: _Stage, lit: "_Lit", group: "_Group", wobble: Wobble) -> Floats:
        """Return linear light (H, W, 3) of everything but the thing, its shadow included if it is there."""
        height, width = stage.backdrop.depth_mm.shape
        light = np.asarray(cv2.resize(lit.floor, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
        colour = stage.backdrop.floor_colour
        mat_rows = stage.mat.rows if stage.mat is not None else slice(0, 0)
        if stage.mat is not None:
            light[mat_rows] *= stage.mat.cover(colour[mat_rows], group.angles_deg, self._scene.mat_offset_mm, wobble)
        for rows in (slice(0, mat_rows.start), slice(mat_rows.stop, height)):
            light[rows] *= colour[rows]
        light += stage.backdrop.fixed
        return light

    def _stage(
        self,
        width_px: int,
        height_px: int,
        elevation_deg: float | None = None,
        upside_down: bool = False,
        tilt_deg: float = 0.0,
    ) -> _Stage:
        camera = self._scene.camera.raised(elevation_deg)
        place = (width_px, height_px, camera.elevation_deg, upside_down, tilt_deg)
        if place not in self._stages:
            while len(self._stages) >= _STAGES_KEPT:
                self._stages.pop(next(iter(self._stages)))
            self._stages[place] = self._prepared(camera, (width_px, height_px), self._thing(upside_down), tilt_deg)
        return self._stages[place]

    def _thing(self, upside_down: bool) -> ThingLayer:
        if upside_down not in self._things:
            self._things[upside_down] = ThingLayer(self._scene.thing.turned_over(), self._scene.mat_offset_mm)
        return self._things[upside_down]

    def _prepared(self, camera: SceneCamera, size: tuple[int, int], thing: ThingLayer, tilt_deg: float) -> _Stage:
        pose = camera_pose(camera)
        backdrop = paint_backdrop(self._around, camera, pose, size)
        floor_light = FloorLight(self._around, backdrop, pose)
        mat = MatLayer(self._scene.mat, backdrop, pose) if self._scene.mat is not None else None
        return _Stage(
            backdrop,
            floor_light,
            floor_light.without_thing(),
            mat,
            thing,
            thing.view(backdrop.slope, camera, pose, tilt_deg),
        )


def _put(thing: ThingPicture, light: Floats, spread: Floats, camera: SceneCamera) -> None:
    """Put the thing before the rest of the picture, and its point spread before the rest's."""
    patch = light[thing.window]
    patch *= (1 - thing.coverage)[..., None]
    patch += thing.light
    hit = thing.depth_mm > 0
    near = spread_px(camera, light.shape[1], np.where(hit, thing.depth_mm, np.float32(1)))
    spread[thing.window] = np.where(hit, near, spread[thing.window])


def _exposed(light: Floats, spread: Floats, exposure: Exposure, threads: Executor) -> NDArray[np.uint8]:
    """Return the photo of the light that falls on the lens; bands of rows fit into the processor's cache."""
    blur, sensor = Blur(spread), Sensor(exposure)
    photo = np.empty(light.shape, np.uint8)

    def expose_band(first: int) -> None:
        last = min(first + _BAND_ROWS, len(light))
        gathered = blur.rows(light, first, last)
        if (row_light := exposure.light_of_rows(first, last)) is not None:
            gathered = gathered * row_light
        photo[first:last] = sensor.rows(gathered, first)

    list(threads.map(expose_band, range(0, len(light), _BAND_ROWS)))
    return photo


def _distinct(angles_deg: tuple[float, ...]) -> list[tuple[float, float]]:
    """Return the angles that differ, each with its share of the exposure."""
    runs: list[list[float]] = []
    for angle_deg in sorted(angles_deg):
        if runs and angle_deg - runs[-1][0] < _STILL_DEG:
            runs[-1].append(angle_deg)
        else:
            runs.append([angle_deg])
    return [(float(np.mean(run)), len(run) / len(angles_deg)) for run in runs]


def _groups(angles_deg: list[tuple[float, float]]) -> list[_Group]:
    """Return the angles, rising and each with its share of the exposure, by where the scene is lit for them."""
    runs: list[list[tuple[float, float]]] = []
    for angle_deg, share in angles_deg:
        if runs and angle_deg - runs[-1][0][0] <= _LIT_ALIKE_DEG:
            runs[-1].append((angle_deg, share))
        else:
            runs.append([(angle_deg, share)])
    return [_group(run) for run in runs]


def _shares(groups: list[_Group], exposure: Exposure) -> Sequence[Floats | np.float32]:
    """Return of what each row sees, the share that it sees of each group; (height, 1, 1), or one for all rows."""
    if not exposure.rolling_angles_deg:
        return [np.float32(group.share) for group in groups]
    seen = row_shares(len(exposure.rolling_angles_deg), exposure.row_exposed_share, exposure.height_px)
    shares = np.zeros((len(groups), exposure.height_px, 1, 1), np.float32)
    for sample, angle_deg in enumerate(exposure.rolling_angles_deg):
        away_deg = [min(abs(angle_deg - known_deg) for known_deg, _ in group.angles_deg) for group in groups]
        shares[away_deg.index(min(away_deg)), :, 0, 0] += seen[:, sample]
    return list(shares)


def _group(run: list[tuple[float, float]]) -> _Group:
    share = sum(part for _, part in run)
    angles_deg = [(angle_deg, part / share) for angle_deg, part in run]
    lit_deg = sum(angle_deg * part for angle_deg, part in angles_deg) if len(run) > 1 else run[0][0]
    return _Group(lit_deg, share, angles_deg)

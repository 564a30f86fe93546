"""Scans with faults, rendered: what the daemon's gate would be shown, and what the bench's world did to each photo.

A scan goes once round a thing. Most photos are as they should be; at some viewpoints, chosen by the seed, the world
does something first, and the photo is taken again afterwards. Pixels are those of a photo 1600 px wide; larger and
smaller photos are held to the same shares of their width. What counts as a fault:

- motion: the platter turns, or swings, while the shutter is open, so that the surface that is nearest to the camera
  is smeared with a standard deviation of at least 1.5 px;
- defocus: the lens is set to another distance, so that points at the axis spread with at least 1 px more (in
  quadrature) than in focus;
- clipped: light or exposure burn out at least 5 % of the thing (luma 250 and more);
- dark: at most a third of the light or of the exposure;
- drift: the light is at least 15 % brighter or darker than in the scan's other photos (never at the first viewpoint:
  nothing was there before);
- misframed: the camera is bumped, or its zoom, so that at least 0.5 % of the thing's outline lie on the border.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.mat_picture import charuco_mat
from drivers.bench.picture.rays import camera_pose, turn_about_z
from drivers.bench.picture.textures import srgb_to_linear
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure, Scene, SceneCamera, SceneObject
from drivers.picture import Planes

BURNT_LEVEL = 250
LEAST_SMEAR_PX, LEAST_DEFOCUS_PX, LEAST_CLIPPED, LEAST_CUT = 1.5, 1.0, 0.05, 0.005
MOST_LIGHT_IN_THE_DARK = 0.33
BLUR_SAMPLES = 9
GOOD_NOISE = 7
"""Seed of the noise in the first good photo: another draw of faults renders those alone."""
MANY_FACES = 15_000
"""Of a thing with so many, the corners alone make a silhouette."""
SHUTTER_TURNS = 0.16
"""Of a platter that swings at 8 Hz, while the shutter is open for 20 ms."""


class FaultKind(StrEnum):
    """What the world does."""

    MOTION = "motion"
    DEFOCUS = "defocus"
    CLIPPED = "clipped"
    DARK = "dark"
    DRIFT = "drift"
    MISFRAMED = "misframed"


@dataclass(frozen=True)
class Fault:
    """What is wrong with a photo, and how much of it."""

    kind: FaultKind
    strength: float
    unit: str


@dataclass(frozen=True)
class Take:
    """One photo that the gate will see."""

    viewpoint: int
    angle_deg: float
    exposure: Exposure
    camera: SceneCamera
    fault: Fault | None = None


@dataclass(frozen=True)
class Photo:
    """A take, developed."""

    take: Take
    planes: Planes
    mask: NDArray[np.uint8]
    """(h, w), 255 on the thing: the truth."""


class Studio:
    """Renders one thing's takes, or finds them in the folder where it put them before."""

    def __init__(self, name: str, thing: SceneObject, width_px: int, folder: Path) -> None:
        self.name, self.thing = name, thing
        self.size_px = (width_px, width_px * 3 // 4)
        self._folder = folder
        self._camera = SceneCamera()
        self._renderer: tuple[SceneCamera, Renderer] | None = None
        digest = hashlib.sha256(thing.vertices_mm.tobytes() + thing.faces.tobytes())
        for painted in (thing.vertex_colours, thing.texture):
            digest.update(b"" if painted is None else painted.tobytes())
        digest.update(repr(thing.paint_seed).encode())
        self._thing_id = digest.hexdigest()[:12]

    def plain(self, viewpoint: int, views: int, noise_seed: int | None = None) -> Take:
        """Return the photo of a viewpoint as it should be; good photos are the same whatever is drawn."""
        angle_deg = 360.0 * viewpoint / views
        noise_seed = GOOD_NOISE + viewpoint if noise_seed is None else noise_seed
        return Take(viewpoint, angle_deg, Exposure(*self.size_px, (angle_deg,), noise_seed=noise_seed), self._camera)

    def develop(self, take: Take) -> Photo:
        """Return the photo; rendered unless it lies there."""
        kept = self._folder / self.name / f"{self._key(take)}.png"
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            renderer = self._renderer_for(take.camera)
            planes = Planes.from_rgb(renderer.render(take.exposure))
            middle_deg = float(np.mean(take.exposure.platter_angles_deg))
            mask = renderer.truth(*self.size_px, middle_deg).mask
            part = kept.with_suffix(".part.png")
            cv2.imwrite(str(part), _stacked(planes, mask), [cv2.IMWRITE_PNG_COMPRESSION, 1])
            part.rename(kept)
        return Photo(take, *_unstacked(np.asarray(cv2.imread(str(kept), cv2.IMREAD_GRAYSCALE), np.uint8)))

    def _renderer_for(self, camera: SceneCamera) -> Renderer:
        if self._renderer is None or self._renderer[0] != camera:
            self._renderer = (camera, Renderer(Scene(self.thing, charuco_mat(), camera)))
        return self._renderer[1]

    def _key(self, take: Take) -> str:
        told = f"{self._thing_id} {asdict(take.exposure)} {asdict(take.camera)}"
        return f"{take.viewpoint:03d}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def scan_with_faults(studio: Studio, views: int, faults: int, seed: int) -> Iterator[Photo]:
    """Yield a scan's photos in the order in which the daemon would take them, `faults` of each kind among them."""
    maker = FaultMaker(studio, views, seed)
    wrong: dict[int, list[Take]] = {}
    for kind in FaultKind:
        for take in maker.takes(kind, faults):
            wrong.setdefault(take.viewpoint, []).append(take)
    for viewpoint in range(views):
        for take in wrong.get(viewpoint, []):
            yield studio.develop(take)
        yield studio.develop(studio.plain(viewpoint, views))


class FaultMaker:
    """Decides by its seed and the thing's name where and how much."""

    def __init__(self, studio: Studio, views: int, seed: int) -> None:
        self._studio = studio
        self._views = views
        self._seed = seed
        self._per_1600 = studio.size_px[0] / 1600

    def takes(self, kind: FaultKind, count: int) -> Iterator[Take]:
        """Yield takes with this fault at viewpoints all round, the weakest and the strongest among them."""
        order = list(FaultKind).index(kind)
        rng = np.random.default_rng([self._seed, order, *self._studio.name.encode()])
        earliest = 1 if kind is FaultKind.DRIFT else 0
        viewpoints = rng.choice(np.arange(earliest, self._views), min(count, self._views - earliest), replace=False)
        for number, viewpoint in enumerate(viewpoints.tolist()):
            # Grades from 0, barely a fault, to 1.
            grade = (number + float(rng.random())) / count
            good = self._studio.plain(viewpoint, self._views, self._seed + 1000 * (order + 1) + viewpoint)
            yield self._made(kind, good, grade, rng)

    def _made(self, kind: FaultKind, good: Take, grade: float, rng: np.random.Generator) -> Take:
        match kind:
            case FaultKind.MOTION:
                return self._smeared(
                    good, LEAST_SMEAR_PX * 3**grade, swings=bool(rng.integers(2)), phase=float(rng.random())
                )
            case FaultKind.DEFOCUS:
                return self._unfocused(good, LEAST_DEFOCUS_PX * 4**grade, nearer=bool(rng.integers(3)))
            case FaultKind.CLIPPED:
                return self._burnt(good, LEAST_CLIPPED * 1.2 * 10**grade, by_light=bool(rng.integers(2)))
            case FaultKind.DARK:
                return self._brightness(
                    good, MOST_LIGHT_IN_THE_DARK * 0.1**grade, FaultKind.DARK, bool(rng.integers(2))
                )
            case FaultKind.DRIFT:
                factor = 1 + 0.15 * 3**grade
                return self._brightness(
                    good, factor if rng.integers(2) else 2 - factor, FaultKind.DRIFT, by_light=True
                )
            case FaultKind.MISFRAMED:
                return self._bumped(good, grade, float(rng.uniform(0, 2 * math.pi)), zooms=bool(rng.integers(3) == 0))

    def _smeared(self, good: Take, smear_px: float, *, swings: bool, phase: float) -> Take:
        """An even smear of length L has a standard deviation of L / sqrt(12)."""
        camera, exposure = good.camera, good.exposure
        radius_mm = float(np.hypot(*self._studio.thing.vertices_mm[:, :2].T).max())
        nearest_mm = camera.distance_mm - radius_mm * math.cos(math.radians(camera.elevation_deg))
        px_per_mm = camera.focal_px_at_1600 / nearest_mm
        travel_deg = math.degrees(smear_px * math.sqrt(12) / px_per_mm / radius_mm)
        share = np.linspace(-0.5, 0.5, BLUR_SAMPLES)
        if swings:
            share = np.sin(2 * math.pi * (phase + SHUTTER_TURNS * share))
            # Wherever in its swing the platter is: as wide a smear.
            share = share / max(float(share.std()), 1e-9) * np.linspace(-0.5, 0.5, BLUR_SAMPLES).std()
            share = share - share.mean()
        angles_deg = tuple((good.angle_deg + travel_deg * share).tolist())
        fault = Fault(FaultKind.MOTION, smear_px, "px")
        return replace(good, exposure=replace(exposure, platter_angles_deg=angles_deg), fault=fault)

    def _unfocused(self, good: Take, spread_px: float, *, nearer: bool) -> Take:
        """A thin lens spreads by f² / (4 N pitch) times the difference of the reciprocal distances; see `lens`."""
        camera = good.camera
        pitch_mm = camera.focal_length_mm / camera.focal_px_at_1600
        per_dioptre_px = camera.focal_length_mm**2 / camera.f_number / pitch_mm / 4 / 1000
        sharp = 1000 / camera.focus_distance_mm
        off = spread_px / per_dioptre_px
        dioptres = sharp + off if nearer or off > sharp - 0.2 else sharp - off
        fault = Fault(FaultKind.DEFOCUS, spread_px, "px")
        return replace(good, exposure=replace(good.exposure, focus_dioptres=dioptres), fault=fault)

    def _burnt(self, good: Take, share: float, *, by_light: bool) -> Take:
        """Brighten until so much of the thing is burnt."""
        share = min(share, 0.7)
        photo = self._studio.develop(self._studio.plain(good.viewpoint, self._views))
        levels = photo.planes.y[photo.mask > 0]
        brightest = float(srgb_to_linear(np.array([np.quantile(levels, 1 - share)], np.uint8))[0])
        white = float(srgb_to_linear(np.array([BURNT_LEVEL], np.uint8))[0])
        factor = white / brightest
        while True:
            take = self._brightness(good, factor, FaultKind.CLIPPED, by_light)
            seen = self._studio.develop(take)
            burnt = float(np.mean(seen.planes.y[seen.mask > 0] >= BURNT_LEVEL))
            if burnt >= max(LEAST_CLIPPED, 0.8 * share):
                return replace(take, fault=Fault(FaultKind.CLIPPED, 100 * burnt, "%"))
            factor *= 1.1

    def _brightness(self, good: Take, factor: float, kind: FaultKind, by_light: bool) -> Take:
        exposure = good.exposure
        changed = (
            replace(exposure, brightness=factor)
            if by_light
            else replace(exposure, exposure_us=exposure.exposure_us * factor)
        )
        return replace(good, exposure=changed, fault=Fault(kind, factor, "x"))

    def _bumped(self, good: Take, grade: float, direction: float, *, zooms: bool) -> Take:
        """Turn the camera away, or zoom in, until enough of the outline is on the border."""
        amount = 0.0
        while True:
            amount += 0.04
            camera = self._aimed(good.camera, amount, direction, zooms)
            cut = self._cut(camera, good.angle_deg)
            if cut >= LEAST_CUT * 10**grade:
                return replace(good, camera=camera, fault=Fault(FaultKind.MISFRAMED, 100 * cut, "%"))

    def _aimed(self, camera: SceneCamera, amount: float, direction: float, zooms: bool) -> SceneCamera:
        """The principal point moves as the picture does when a camera is turned a little."""
        if zooms:
            return replace(camera, focal_px_at_1600=camera.focal_px_at_1600 * (1 + 2 * amount))
        x, y = camera.principal_offset_px_at_1600
        far_px = 1600 * amount
        shifted = (x + far_px * math.cos(direction), y + far_px * math.sin(direction))
        return replace(camera, principal_offset_px_at_1600=shifted)

    def _cut(self, camera: SceneCamera, angle_deg: float) -> float:
        """Return the share of the thing's outline that lies on the border, from the silhouette of its points."""
        return share_on_border(_outline(self._studio.thing, camera, angle_deg))


def _outline(thing: SceneObject, camera: SceneCamera, angle_deg: float, width_px: int = 400) -> NDArray[np.uint8]:
    """Return the thing's silhouette, small."""
    pose, size = camera_pose(camera), (width_px, width_px * 3 // 4)
    points = thing.vertices_mm @ turn_about_z(angle_deg).T @ pose.R.T + pose.t
    seen = points @ camera.matrix_px(*size).T
    at = np.rint(seen[:, :2] / seen[:, 2:]).astype(np.int32)
    mask = np.zeros((size[1], size[0]), np.uint8)
    if len(thing.faces) > MANY_FACES:
        inside = at[((at >= 0) & (at < size)).all(axis=1)]
        mask[inside[:, 1], inside[:, 0]] = 255
        return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8)
    for triangle in at[thing.faces.astype(np.int64)]:
        cv2.fillConvexPoly(mask, triangle, 255)
    return mask


def share_on_border(mask: NDArray[np.uint8]) -> float:
    """Return how much of the outline of (h, w) lies on the picture's border, 0 to 1."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return 0.0
    outline = np.concatenate(contours)[:, 0]
    height, width = mask.shape
    x, y = outline.T
    return float(np.mean((x == 0) | (y == 0) | (x == width - 1) | (y == height - 1)))


def _stacked(planes: Planes, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.vstack([planes.y, np.hstack([planes.u, planes.v]), mask])


def _unstacked(stack: NDArray[np.uint8]) -> tuple[Planes, NDArray[np.uint8]]:
    height, half = 2 * stack.shape[0] // 5, stack.shape[1] // 2
    colour = stack[height : height + height // 2]
    planes = Planes(stack[:height], np.ascontiguousarray(colour[:, :half]), np.ascontiguousarray(colour[:, half:]))
    return planes, stack[height + height // 2 :]

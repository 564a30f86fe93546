"""What stands in front of the simulated camera, as plain values that travel to the renderer's process.

World frame: millimetres, z up along the turntable's axis, the platter's surface at z = 0, the camera on the
negative y side. The mat and the object turn counter-clockwise with the platter; mat and world agree at angle 0
except for `mat_offset_mm`, since nobody lays a mat down perfectly.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from drivers.bench.wobble import STEADY, Wobble

Vectors = NDArray[np.float32]

LEAST_DIOPTRES = 1e-3
"""A kilometre: no lens tells it from infinity."""


class MeshFileError(ValueError):
    """A mesh file cannot stand on the bench. The message says which file, what was found, and what to do."""


@dataclass(frozen=True)
class SceneObject:
    """A triangle mesh to scan, standing on the platter (lowest z = 0), in millimetres, colours linear RGB 0 to 1."""

    vertices_mm: Vectors
    """(n, 3)."""
    faces: NDArray[np.uint32]
    """(m, 3), counter-clockwise seen from outside."""
    vertex_colours: Vectors | None = None
    """(n, 3), when there is no texture."""
    uv: Vectors | None = None
    """(n, 2), origin at the texture's lower left."""
    texture: NDArray[np.uint8] | None = None
    """(h, w, 3), sRGB."""
    paint_seed: int | None = None
    """Painted with solid noise when neither colours nor texture are there."""
    height_mm: float = 150.0
    gloss: float = 0.0
    """What the surface mirrors of light that falls straight on it: 0 is matt, 0.04 glaze or varnish."""
    is_upside_down: bool = False
    """Solid noise is part of the object: it turns over with it."""

    def turned_over(self) -> "SceneObject":
        """Return it laid on its head, front to back: half a turn about x, the same place under its middle."""
        return replace(self, vertices_mm=turned_over(self.vertices_mm), is_upside_down=not self.is_upside_down)


def turned_over(points_mm: Vectors, top_mm: float | None = None) -> Vectors:
    """Return points (n, 3) of an object after half a turn about x; `top_mm` is its height where they are not all."""
    top_mm = float(points_mm[:, 2].max()) if top_mm is None else top_mm
    return np.asarray(points_mm * np.array([1, -1, -1]) + np.array([0, 0, top_mm]), dtype=np.float32)


@dataclass(frozen=True)
class MatPicture:
    """The printed mat: grey levels 0 to 255, first row away from the viewer (+y)."""

    pixels: NDArray[np.uint8]
    width_mm: float
    height_mm: float


@dataclass(frozen=True)
class SceneCamera:
    """The simulated camera and lens; the truth that a calibration should find."""

    focal_px_at_1600: float = 2290.4
    """For a photo 1600 px wide; scales with the width."""
    principal_offset_px_at_1600: tuple[float, float] = (7.3, -4.1)
    distortion: tuple[float, float, float, float, float] = (-0.08, 0.05, 0.0003, -0.0002, 0.0)
    distance_mm: float = 480.0
    elevation_deg: float = 30.0
    target_height_mm: float = 67.5
    f_number: float = 8.0
    focus_distance_mm: float = 480.0
    focal_length_mm: float = 9.0

    def raised(self, elevation_deg: float | None) -> "SceneCamera":
        """Return the same camera, aimed at the same point from another elevation; None leaves it where it is."""
        return self if elevation_deg is None else replace(self, elevation_deg=elevation_deg)

    def focused(self, focus_dioptres: float | None) -> "SceneCamera":
        """Return it focused at 1 / distance in metres; None leaves it as it is."""
        if focus_dioptres is None:
            return self
        return replace(self, focus_distance_mm=1000 / max(focus_dioptres, LEAST_DIOPTRES))

    def matrix_px(self, width_px: int, height_px: int) -> NDArray[np.float64]:
        """Return K (3, 3) for a photo of this size; pixel centres at whole numbers."""
        scale = width_px / 1600
        offset_x, offset_y = self.principal_offset_px_at_1600
        focal = self.focal_px_at_1600 * scale
        return np.array(
            [
                [focal, 0, (width_px - 1) / 2 + offset_x * scale],
                [0, focal, (height_px - 1) / 2 + offset_y * scale],
                [0, 0, 1],
            ]
        )


@dataclass(frozen=True)
class Scene:
    """Everything that does not change while a scan runs."""

    thing: SceneObject
    mat: MatPicture | None
    camera: SceneCamera = field(default_factory=SceneCamera)
    mat_offset_mm: tuple[float, float] = (1.7, -0.9)
    """Where the mat's and the object's common origin lies when the platter is at 0."""
    clutter_seed: int = 5
    light_seed: int = 0


@dataclass(frozen=True)
class Exposure:
    """One picture to render: what the sensor saw while its shutter was open."""

    width_px: int
    height_px: int
    platter_angles_deg: tuple[float, ...]
    """The true platter angle, sampled evenly over the exposure; one value when it stood still."""
    exposure_us: float = 20_000.0
    analogue_gain: float = 1.0
    colour_gains: tuple[float, float] = (2.1, 1.9)
    """Red and blue; the values that make grey look grey under the bench's light are the default."""
    object_present: bool = True
    upside_down: bool = False
    """Whether somebody has turned the object over."""
    noise_seed: int = 0
    brightness: float = 1.0
    """Of everything that shines on the bench, as a share of its usual light."""
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Red, green and blue of that light, over its brightness."""
    elevation_deg: float | None = None
    """Of the camera above the platter; None: as the scene's camera stands."""
    focus_dioptres: float | None = None
    """1 / distance in metres at which points are sharp; None: as the scene's camera is focused."""
    row_light: tuple[float, ...] = ()
    """Light that rows gather over the mean, evenly from the first to the last; none: all the same."""

    rolling_angles_deg: tuple[float, ...] = ()
    """The true platter angle, sampled evenly from the first row's opening to the last one's closing; none: it stood
    still, or all rows see `platter_angles_deg`."""
    row_exposed_share: float = 1.0
    """Of that time, what each row is open for."""
    wobble: Wobble = STEADY
    """How the platter leans at its angles."""
    object_turned_deg: float = 0.0
    """By how much the object has slid around on the mat, about the platter's axis."""

    def light_of_rows(self, first: int, last: int) -> Vectors | None:
        """Return the light of rows `first` to `last`, (n, 1, 1) to multiply a picture by; None: all the same."""
        if not self.row_light:
            return None
        places = np.linspace(0, self.height_px - 1, len(self.row_light))
        light = np.interp(np.arange(first, last), places, self.row_light)
        return light.astype(np.float32)[:, None, None]

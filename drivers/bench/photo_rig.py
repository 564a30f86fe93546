"""Which cameras take a rendered set, from where, and how they differ from each other."""

from dataclasses import dataclass, replace

from drivers.bench.picture.sensor import GREY_GAINS
from drivers.bench.scene import Exposure, SceneCamera

_OTHER_LENSES = (
    SceneCamera(
        focal_px_at_1600=1890.0,
        principal_offset_px_at_1600=(-5.2, 6.4),
        distortion=(0.05, -0.03, -0.0002, 0.0003, 0.0),
        distance_mm=430.0,
        focus_distance_mm=430.0,
        focal_length_mm=4.7,
    ),
    SceneCamera(
        focal_px_at_1600=2600.0,
        principal_offset_px_at_1600=(3.1, 9.0),
        distortion=(-0.12, 0.09, 0.0001, 0.0004, 0.0),
        distance_mm=560.0,
        focus_distance_mm=560.0,
        focal_length_mm=12.0,
    ),
)
"""Of the second and third camera, and so on in turn."""
_OTHER_GAINS = ((1.75, 2.25), (2.35, 1.6))
"""Red and blue: one camera sees the bench too blue, another too yellow."""
_OTHER_WIDTH = (0.8, 1.0)
"""Of their photos, over the first camera's."""


@dataclass(frozen=True)
class RigCamera:
    """One camera and how it is set."""

    name: str
    model: SceneCamera
    size_px: tuple[int, int]
    colour_gains: tuple[float, float] = GREY_GAINS

    def exposure(self, platter_deg: float, elevation_deg: float, noise_seed: int) -> Exposure:
        """Return what it would take of the platter at this angle."""
        return Exposure(
            *self.size_px,
            (platter_deg,),
            noise_seed=noise_seed,
            elevation_deg=elevation_deg,
            colour_gains=self.colour_gains,
        )


@dataclass(frozen=True)
class RigTurn:
    """One camera at one height for one turn of the platter."""

    camera: int
    ring: int
    elevation_deg: float


@dataclass(frozen=True)
class Rig:
    """All cameras, and the turns that they watch."""

    cameras: tuple[RigCamera, ...]
    turns: tuple[RigTurn, ...]
    plate_from_deg: float | None = None
    """Elevation from which the first camera's empty table was photographed; None: its first turn's."""

    def plate_elevation_deg(self, camera: int) -> float:
        """Return where one camera stood for its photo of the empty table."""
        if camera == 0 and self.plate_from_deg is not None:
            return self.plate_from_deg
        return next(turn.elevation_deg for turn in self.turns if turn.camera == camera)


def rig_of(
    cameras: int, elevations_deg: tuple[float, ...], size_px: tuple[int, int], plate_from_deg: float | None = None
) -> Rig:
    """Return one camera with a ring at each elevation, or a camera for each, all watching one turn.

    Raises ValueError when there are neither one nor as many cameras as elevations.
    """
    first = RigCamera("first", SceneCamera(elevation_deg=elevations_deg[0]), size_px)
    if cameras == 1:
        turns = tuple(RigTurn(0, ring, height_deg) for ring, height_deg in enumerate(elevations_deg))
        return Rig((first,), turns, plate_from_deg)
    if cameras != len(elevations_deg):
        raise ValueError(f"{cameras} cameras at {len(elevations_deg)} elevations; name one elevation for each")
    others = tuple(_other(number, elevation_deg, size_px) for number, elevation_deg in enumerate(elevations_deg[1:]))
    turns = tuple(RigTurn(camera, 0, elevation_deg) for camera, elevation_deg in enumerate(elevations_deg))
    return Rig((first, *others), turns, plate_from_deg)


def _other(number: int, elevation_deg: float, size_px: tuple[int, int]) -> RigCamera:
    kind = number % len(_OTHER_LENSES)
    width_px, height_px = (round(side * _OTHER_WIDTH[kind] / 2) * 2 for side in size_px)
    model = replace(_OTHER_LENSES[kind], elevation_deg=elevation_deg)
    return RigCamera(f"camera-{number + 2}", model, (width_px, height_px), _OTHER_GAINS[kind])

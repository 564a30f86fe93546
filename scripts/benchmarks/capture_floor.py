"""The least that physics allows for each viewpoint, from the bench's truth."""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.bench.platter import Platter
from drivers.bench.rim import rim_px_per_deg
from drivers.bench.scene import Scene
from drivers.bench.swing import Swing
from drivers.protocols import Axis

SHARP_PX = 0.5
"""An object whose rim is blurred by less than this stands still."""


@dataclass(frozen=True)
class Floor:
    """Seconds of one viewpoint."""

    move_s: float
    """The move at the configured limits."""
    settle_s: float
    """After the last step, until no exposure that begins later blurs the object's rim by half a pixel."""
    exposure_s: float
    readout_s: float

    @property
    def total_s(self) -> float:
        """One after the other: none of the four can overlap another of the same viewpoint."""
        return self.move_s + self.settle_s + self.exposure_s + self.readout_s


def floors(
    angles_deg: Sequence[float],
    axis: Axis,
    platter: Platter,
    scene: Scene,
    size_px: tuple[int, int],
    exposure_s: float,
    readout_s: float,
) -> list[Floor]:
    """Return the floor of each viewpoint of a run that has just ended; its steps are still remembered."""
    swings = platter.swings()
    before_deg = angles_deg[0]
    found = []
    for angle_deg in angles_deg:
        moved = angle_deg != before_deg
        limit_deg = SHARP_PX / rim_px_per_deg(scene, *size_px, angle_deg)
        settle_s = (
            _swing_at(swings, angle_deg, axis.step_deg).settled_after_s(exposure_s, limit_deg) if moved else 0.0
        )
        found.append(Floor(axis.move_time_s(before_deg, angle_deg), settle_s, exposure_s, readout_s))
        before_deg = angle_deg
    return found


def _swing_at(swings: Sequence[Swing], angle_deg: float, step_deg: float) -> Swing:
    for swing in swings:
        if abs(swing.rest_deg - angle_deg) <= step_deg:
            return swing
    raise RuntimeError(f"the platter never rested at {angle_deg:.2f}°; did it lose steps?")

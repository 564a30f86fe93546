"""All unknowns of a turntable scan: a lens, a fixed camera, an axis, a mat that turns, the angle of each photo."""

from dataclasses import dataclass, replace

from offload.geometry.lens import LENS_UNKNOWNS, Floats, Lens
from offload.geometry.pose import Pose
from offload.geometry.turntable import STAND_UNKNOWNS, Stand, project_with_jacobian

FOCAL, CENTRE, DISTORTION = slice(0, 1), slice(1, 3), slice(3, LENS_UNKNOWNS)
"""Among the shared unknowns; the stand's follow the lens's."""
SHARED_COUNT = LENS_UNKNOWNS + STAND_UNKNOWNS


@dataclass(frozen=True)
class TurntableModel:
    """What is fitted to all photos at once."""

    lens: Lens
    stand: Stand
    angles_rad: Floats
    """(V,)."""

    def pose(self, view: int) -> Pose:
        """Return camera from mat."""
        return self.stand.pose(float(self.angles_rad[view]))

    def project(self, view: int, points_mm: Floats) -> Floats:
        """(n, 2): where points (n, 2) on the mat appear in the distorted photo."""
        return self.project_with_jacobian(view, points_mm)[0]

    def project_with_jacobian(self, view: int, points_mm: Floats) -> tuple[Floats, Floats]:
        """Return pixels (n, 2) and their derivatives (n, 2, 18): the shared unknowns, then this view's angle."""
        return project_with_jacobian(self.lens, self.stand, float(self.angles_rad[view]), points_mm)

    def moved(self, shared: Floats, angles_rad: Floats) -> "TurntableModel":
        """Return the model after a step: shared unknowns (17,), angles (V,)."""
        return replace(
            self,
            lens=self.lens.moved(shared[:LENS_UNKNOWNS]),
            stand=self.stand.moved(shared[LENS_UNKNOWNS:]),
            angles_rad=self.angles_rad + angles_rad,
        )

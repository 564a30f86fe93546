"""All unknowns of one turn that several cameras watch: own lenses and places, one platter and one mat."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from offload.engines.turntable.turntable_model import SHARED_COUNT, TurntableModel
from offload.geometry.lens import LENS_UNKNOWNS, Floats, Lens
from offload.geometry.turntable import STAND_UNKNOWNS, Stand, project_with_jacobian

MAT_UNKNOWNS = 4
"""Of a stand's: how the mat lies on the platter (tilt, offset). One mat, whoever looks."""
CAMERA_UNKNOWNS = LENS_UNKNOWNS + STAND_UNKNOWNS - MAT_UNKNOWNS


@dataclass(frozen=True)
class TurnModel:
    """C cameras and S stops of the platter; a view is what one camera saw at one stop."""

    lenses: tuple[Lens, ...]
    stands: tuple[Stand, ...]
    """Of each camera; tilt and offset are the same in all."""
    angles_rad: Floats
    """(S,)."""
    views: tuple[tuple[int, int], ...]
    """Camera and stop of each view."""

    @classmethod
    def of(cls, one: TurntableModel) -> Self:
        """Return the turn of a single camera, with a stop for each view."""
        return cls((one.lens,), (one.stand,), one.angles_rad, tuple((0, view) for view in range(len(one.angles_rad))))

    def seen_by(self, camera: int) -> TurntableModel:
        """Return what one camera saw, its views in their order."""
        stops = [stop for one, stop in self.views if one == camera]
        return TurntableModel(self.lenses[camera], self.stands[camera], self.angles_rad[stops])

    @property
    def steady_count(self) -> int:
        """Unknowns that do not change from stop to stop: 13 a camera, then the mat's four. The angles follow."""
        return CAMERA_UNKNOWNS * len(self.lenses) + MAT_UNKNOWNS

    def unknowns_of(self, view: int) -> list[int]:
        """Return which unknowns the 18 columns of a view's Jacobian belong to."""
        camera, stop = self.views[view]
        first, mat = CAMERA_UNKNOWNS * camera, CAMERA_UNKNOWNS * len(self.lenses)
        return [*range(first, first + CAMERA_UNKNOWNS), *range(mat, mat + MAT_UNKNOWNS), self.steady_count + stop]

    def project_with_jacobian(self, view: int, points_mm: Floats) -> tuple[Floats, Floats]:
        """Return pixels (n, 2) of points (n, 2) on the mat and their derivatives (n, 2, 18)."""
        camera, stop = self.views[view]
        return project_with_jacobian(
            self.lenses[camera], self.stands[camera], float(self.angles_rad[stop]), points_mm
        )

    def moved(self, step: Floats) -> Self:
        """Return the model after a step of all its unknowns."""
        count = self.steady_count
        mat = step[count - MAT_UNKNOWNS : count]
        own = [step[CAMERA_UNKNOWNS * camera :][:CAMERA_UNKNOWNS] for camera in range(len(self.lenses))]
        return replace(
            self,
            lenses=tuple(lens.moved(part[:LENS_UNKNOWNS]) for lens, part in zip(self.lenses, own, strict=True)),
            stands=tuple(
                stand.moved(np.concatenate([part[LENS_UNKNOWNS:], mat]))
                for stand, part in zip(self.stands, own, strict=True)
            ),
            angles_rad=self.angles_rad + step[count:],
        )


assert CAMERA_UNKNOWNS + MAT_UNKNOWNS == SHARED_COUNT

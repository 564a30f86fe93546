"""The mat as the camera sees it now: corners of photos, and of companions while the platter comes to rest."""

import numpy as np

from drivers.picture import Plane
from drivers.protocols import Camera, Clock, Glimpse, NeedsPerson
from offload.wire.bundle import Intrinsics, MatSpec
from offload.wire.poses import PoseSource, ScanPoses
from scannerd.fault_kind import FaultKind
from scannerd.gearing.fits import Rest
from scannerd.geometry.joint_poses import NoPoses, SeenFrame, joint_poses
from scannerd.geometry.mat_pose import MatCorners, corners_of
from scannerd.quality.mat_reading import MatReader
from scannerd.scan.background import camera_model
from scannerd.scan.relocate import LEAST_CORNERS, CannotLocate, turned_deg

WATCHED_S = 0.9
"""After a stop: some swings of the slowest table."""


class MatUnseen(NeedsPerson):
    """The mat cannot be read."""

    kind = FaultKind.MAT_LOST


class MatSight:
    """Looks at one mat with one camera, which is open."""

    def __init__(self, camera: Camera, clock: Clock, mat: MatSpec, known: Intrinsics | None) -> None:
        self._camera = camera
        self._clock = clock
        self._mat = mat
        self._reader = MatReader(mat)
        self._known = known

    async def look(self, settle_s: float) -> MatCorners:
        """Return the mat in a photo of a platter that was left alone for so long. Raises MatUnseen, DriverError."""
        await self._clock.wait_until(self._clock.now_s() + settle_s)
        frame = await self._camera.capture()
        seen = self._corners(frame.photo.y, frame.small.y)
        if seen is None or not seen.fixes_a_pose(self._mat.square_mm):
            count = 0 if seen is None else len(seen)
            raise MatUnseen(
                f"mat: {count} corners seen, {LEAST_CORNERS} needed, in two directions; clear the table, light it "
                "evenly, compare [mat] with what was printed (scannerd doctor tells more)"
            )
        return seen

    async def watch(self, stopped_s: float) -> Rest:
        """Return how the platter comes to rest after a stop at this moment of the hardware's clock."""
        glimpses: list[Glimpse] = []

        def keep(glimpse: Glimpse) -> bool:
            glimpses.append(glimpse)
            return self._after_s(glimpse, stopped_s) > WATCHED_S

        await self._camera.capture(keep)
        seen = [(self._after_s(glimpse, stopped_s), self._corners(*[glimpse.picture.y] * 2)) for glimpse in glimpses]
        known = [(after_s, corners) for after_s, corners in seen if corners is not None and after_s >= 0]
        if not known:
            return Rest(np.empty(0), np.empty(0))
        last = _pair(known[-1][1])
        angles = [(after_s, _turned(last, _pair(corners))) for after_s, corners in known]
        told = np.array([(after_s, angle) for after_s, angle in angles if angle is not None]).reshape(-1, 2)
        return Rest(told[:, 0], told[:, 1])

    def poses(self, corners: list[MatCorners], roughly_deg: list[float]) -> ScanPoses:
        """Return camera, axis and the platter's exact angles, counter-clockwise. Raises MatUnseen."""
        frames = [
            SeenFrame(index, str(index), 0, 0, angle_deg, seen)
            for index, (seen, angle_deg) in enumerate(zip(corners, roughly_deg, strict=True))
        ]
        facts = self._camera.description
        size_px = (facts.width_px, facts.height_px)
        try:
            return joint_poses(frames, self._mat, size_px, camera_model(self._camera), self._known)
        except NoPoses as reason:
            raise MatUnseen(f"mat: {reason}") from reason

    def _corners(self, photo: Plane, small: Plane) -> MatCorners | None:
        reading = self._reader.read(photo, small)
        return None if reading is None else corners_of(self._mat, reading.numbers, reading.pixels)

    def _after_s(self, glimpse: Glimpse, stopped_s: float) -> float:
        """From the stop to the middle of the exposure."""
        return self._clock.from_monotonic_s(glimpse.exposed_at_s) + glimpse.exposure_us * 0.5e-6 - stopped_s


def exact_angles(poses: ScanPoses) -> dict[int, float]:
    """Return photo → angle in degrees, of those that agree with the others."""
    return {pose.index: pose.angle_deg for pose in poses.frames if pose.source is PoseSource.TURNTABLE}


def rough_turn_deg(before: MatCorners, after: MatCorners) -> float:
    """Return how far the platter turned between two photos, -180 to 180, to some tenths. Raises MatUnseen."""
    try:
        return turned_deg(_pair(before), _pair(after))
    except CannotLocate as reason:
        raise MatUnseen(f"mat: {reason}") from reason


def _pair(corners: MatCorners) -> tuple[np.ndarray, np.ndarray]:
    return corners.pixels, corners.points_mm


def _turned(before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray]) -> float | None:
    try:
        return turned_deg(before, after)
    except CannotLocate:
        return None

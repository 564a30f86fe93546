"""Before a scan goes on: what to add to the axis's angle, so that the new photos fit to the old ones."""

import contextlib
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from drivers.protocols import AxisNotHomed, NeedsPerson
from offload.logs.fields import about
from offload.wire.bundle import FrameEntry, MatSpec
from scannerd.fault_kind import FaultKind
from scannerd.hardware import Hardware
from scannerd.scan.plan import Viewpoint
from scannerd.scan.relocate import (
    CannotLocate,
    Corners,
    heading_limit_deg,
    heading_turned_deg,
    mat_corners,
    turned_deg,
)
from scannerd.store.photo import read_grey
from scannerd.store.stored_scan import StoredScan
from scannerd.worker_thread import WorkerThread


class MatUnseen(NeedsPerson):
    """The mat should say where the platter stands, and cannot be seen."""

    kind = FaultKind.MAT_LOST


LOG = logging.getLogger(__name__)

SAME_PLACE_DEG = 0.5
"""The mat is read to some hundredths of a degree; nearer than this the counted steps are believed."""
LOOKS = 3
"""Photos that are tried, each after twice the wait of the one before: somebody may just have touched the table."""


class PlatterFinder:
    """Compares a new photo of the mat with the latest from the same ring and side.

    Where there is none yet, the mat still tells how far the platter has turned since another ring of the same side,
    as well as the camera has kept its direction: a lift keeps it, a person's hand to some degrees. Counted steps are
    believed where they agree with it. Angles of a new side count from where it begins, since nobody puts an object
    down as it lay.
    """

    def __init__(
        self, scan: StoredScan, hardware: Hardware, worker: WorkerThread, warn: Callable[[str], None]
    ) -> None:
        self._scan = scan
        self._hardware = hardware
        self._worker = worker
        self._warn = warn

    async def offset_deg(self, viewpoint: Viewpoint, known_offset_deg: float | None) -> float:
        """Return platter angle minus axis angle; homes an axis that does not know its own.

        The camera stands for `viewpoint`, which is the next. `known_offset_deg` is given when this process has
        turned the platter for this scan before. Raises NeedsPerson when the mat should be seen and is not,
        DriverError.
        """
        known_deg = await self._counted_deg(known_offset_deg)
        latest = self._latest(viewpoint.side, viewpoint.ring)
        if latest:
            angle_deg = await self._angle_deg(latest, known_deg)
        else:
            angle_deg = await self._angle_in_new_ring(viewpoint, known_deg)
        LOG.info("goes on with the platter at %.2f°", angle_deg, extra=about(scan=self._scan.plan.scan_id))
        return angle_deg - self._hardware.axis.angle_deg

    async def _counted_deg(self, known_offset_deg: float | None) -> float | None:
        """Return where counted steps or the axis's index put the platter; None, the axis homed, if neither can."""
        axis = self._hardware.axis
        if known_offset_deg is not None:
            with contextlib.suppress(AxisNotHomed):
                return axis.angle_deg + known_offset_deg
        homing, index_offset_deg = await axis.home(), self._scan.index_offset_deg
        if homing.found_by == "here" or index_offset_deg is None:
            return None
        return axis.angle_deg + index_offset_deg

    def _latest(self, side: int, ring: int | None = None) -> list[FrameEntry]:
        """Return each camera's latest photo from there, by camera.

        One whose angle was seen, and a plain one, shows the mat best.
        """
        best: dict[int, FrameEntry] = {}
        for frame in self._scan.frames.values():
            if frame.side == side and ring in (None, frame.ring):
                best[frame.camera] = max(best.get(frame.camera, frame), frame, key=_worth)
        return [best[camera] for camera in sorted(best)]

    async def _angle_in_new_ring(self, viewpoint: Viewpoint, known_deg: float | None) -> float:
        """There are photos of other rings at most: a hand may have turned the platter since, and the camera moved."""
        latest, mat = self._latest(viewpoint.side), self._scan.plan.mat
        if not latest:
            return viewpoint.angle_deg if known_deg is None else known_deg
        try:
            seen_deg = await self._seen_from_another_height(latest, mat)
        except CannotLocate as reason:
            if known_deg is not None:
                return known_deg
            self._warn(f"{reason}, so ring {viewpoint.ring + 1} counts its angles from where the platter stands")
            return _true_deg(latest[0])
        limit_deg = heading_limit_deg(lifted=self._hardware.lift is not None)
        if known_deg is not None and _apart_deg(known_deg, seen_deg) < limit_deg:
            return known_deg
        LOG.info("the mat says %.1f°, seen from another height", seen_deg)
        return seen_deg

    async def _seen_from_another_height(self, latest: list[FrameEntry], mat: MatSpec | None) -> float:
        seen = await self._corners_before(latest, mat) if mat else None
        if seen is None or mat is None:
            raise CannotLocate("photos show no mat")
        frame, before = seen
        plan = self._scan.plan.of_camera(frame.camera)
        turn_deg = partial(heading_turned_deg, before, size_px=plan.size_px, focal_px=plan.focal_px)
        return _true_deg(frame) + await self._turn_since(mat, turn_deg, frame.camera)

    async def _angle_deg(self, latest: list[FrameEntry], known_deg: float | None) -> float:
        mat = self._scan.plan.mat
        seen = await self._corners_before(latest, mat) if mat else None
        if seen is None or mat is None:
            if known_deg is None:
                self._warn("photos show no mat, so the platter is taken to stand where the latest photo was taken")
            return _true_deg(max(latest, key=_worth)) if known_deg is None else known_deg
        frame, before = seen
        try:
            seen_deg = _true_deg(frame) + await self._turn_since(mat, partial(turned_deg, before), frame.camera)
        except CannotLocate as reason:
            if known_deg is None:
                raise MatUnseen(
                    f"platter: where it stands cannot be seen: {reason}; clear the view of the mat, then Resume"
                ) from reason
            self._warn(f"where the platter stands cannot be seen: {reason}; counted steps are believed")
            return known_deg
        return known_deg if known_deg is not None and _apart_deg(known_deg, seen_deg) < SAME_PLACE_DEG else seen_deg

    async def _corners_before(self, latest: list[FrameEntry], mat: MatSpec) -> tuple[FrameEntry, Corners] | None:
        """Return the mat in the first of these photos that shows it; None when none does."""
        for frame in latest:
            photo = self._scan.folder.path / frame.file.name
            with contextlib.suppress(CannotLocate):
                return frame, await self._worker.run(partial(_corners_in, photo, mat))
        return None

    async def _turn_since(self, mat: MatSpec, turn_deg: Callable[[Corners], float], camera: int) -> float:
        """Take photos until one shows how far the platter has turned. Raises CannotLocate."""
        look = 1
        while True:
            try:
                return await self._look(mat, turn_deg, camera, self._scan.plan.settle_s * 2 ** (look - 1))
            except CannotLocate:
                if look == LOOKS:
                    raise
            look += 1

    async def _look(self, mat: MatSpec, turn_deg: Callable[[Corners], float], camera: int, wait_s: float) -> float:
        clock = self._hardware.clock
        await clock.wait_until(clock.now_s() + wait_s)
        frame = await self._hardware.cameras[camera].capture()
        return await self._worker.run(lambda: turn_deg(mat_corners(frame.photo.y, mat)))


def _corners_in(photo: Path, mat: MatSpec) -> Corners:
    return mat_corners(read_grey(photo), mat)


def _worth(frame: FrameEntry) -> tuple[bool, bool, datetime]:
    return frame.seen_angle_deg is not None, frame.is_plain, frame.taken_at


def _true_deg(frame: FrameEntry) -> float:
    """Return where the platter stood: steps may have been lost on the way there."""
    return frame.angle_deg if frame.seen_angle_deg is None else frame.seen_angle_deg


def _apart_deg(one_deg: float, other_deg: float) -> float:
    """Return the smaller way between two angles."""
    return abs((one_deg - other_deg + 180) % 360 - 180)

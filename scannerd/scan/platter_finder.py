"""Before a scan goes on: what to add to the axis's angle, so that the new photos fit to the old ones."""

import contextlib
import logging
from collections.abc import Callable

from drivers.protocols import AxisNotHomed, NeedsPerson
from offload.logs.fields import about
from offload.wire.bundle import FrameEntry, MatSpec
from scannerd.fault_kind import FaultKind
from scannerd.hardware import Hardware
from scannerd.scan.relocate import CannotLocate, Corners, mat_corners, turned_deg
from scannerd.store.photo import read_grey
from scannerd.store.scans import StoredScan
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
    """Compares a new photo of the mat with the scan's latest; without a mat it has to believe counted steps."""

    def __init__(
        self, scan: StoredScan, hardware: Hardware, worker: WorkerThread, warn: Callable[[str], None]
    ) -> None:
        self._scan = scan
        self._hardware = hardware
        self._worker = worker
        self._warn = warn

    async def offset_deg(self, known_offset_deg: float | None) -> float:
        """Return platter angle minus axis angle; homes an axis that does not know its own.

        `known_offset_deg` is given when this process has turned the platter for this scan before. Raises NeedsPerson
        when the mat should be seen and is not, DriverError.
        """
        known_deg = await self._counted_deg(known_offset_deg)
        angle_deg = await self._angle_deg(known_deg)
        LOG.info("goes on with the platter at %.2f°", angle_deg, extra=about(scan=self._scan.plan.scan_id))
        return angle_deg - self._hardware.axis.angle_deg

    async def _counted_deg(self, known_offset_deg: float | None) -> float | None:
        """Return where counted steps put the platter; None, and the axis homed, when they began anew."""
        axis = self._hardware.axis
        if known_offset_deg is not None:
            with contextlib.suppress(AxisNotHomed):
                return axis.angle_deg + known_offset_deg
        await axis.home()
        return None

    async def _angle_deg(self, known_deg: float | None) -> float:
        latest = max(self._scan.frames.values(), key=lambda frame: frame.taken_at)
        mat = self._scan.plan.mat
        before = await self._corners_before(latest, mat) if mat else None
        if before is None or mat is None:
            if known_deg is None:
                self._warn("photos show no mat, so the platter is taken to stand where the latest photo was taken")
            return latest.angle_deg if known_deg is None else known_deg
        try:
            seen_deg = latest.angle_deg + await self._turn_since(before, mat)
        except CannotLocate as reason:
            if known_deg is None:
                raise MatUnseen(
                    f"platter: where it stands cannot be seen: {reason}; clear the view of the mat, then resume"
                ) from reason
            self._warn(f"where the platter stands cannot be seen: {reason}; counted steps are believed")
            return known_deg
        return known_deg if known_deg is not None and _apart_deg(known_deg, seen_deg) < SAME_PLACE_DEG else seen_deg

    async def _corners_before(self, latest: FrameEntry, mat: MatSpec) -> Corners | None:
        """Return the mat in the scan's latest photo; None when this scan's photos do not show it."""
        photo = self._scan.folder.path / latest.file.name
        try:
            return await self._worker.run(lambda: mat_corners(read_grey(photo), mat))
        except CannotLocate:
            return None

    async def _turn_since(self, before: Corners, mat: MatSpec) -> float:
        """Take photos until one shows how far the platter has turned. Raises CannotLocate."""
        look = 1
        while True:
            try:
                return await self._look(before, mat, self._scan.plan.settle_s * 2 ** (look - 1))
            except CannotLocate:
                if look == LOOKS:
                    raise
            look += 1

    async def _look(self, before: Corners, mat: MatSpec, wait_s: float) -> float:
        clock = self._hardware.clock
        await clock.wait_until(clock.now_s() + wait_s)
        frame = await self._hardware.camera.capture()
        return await self._worker.run(lambda: turned_deg(before, mat_corners(frame.photo.y, mat)))


def _apart_deg(one_deg: float, other_deg: float) -> float:
    """Return the smaller way between two angles."""
    return abs((one_deg - other_deg + 180) % 360 - 180)

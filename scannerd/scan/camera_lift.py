"""The motor that raises the camera between rings."""

import contextlib
import logging

from drivers.protocols import Axis, AxisNotHomed, NeedsPerson, OutsideLimits
from scannerd.store.lift_rest import LiftRest
from scannerd.worker_thread import WorkerThread

LOG = logging.getLogger(__name__)


class LiftUnknown(NeedsPerson):
    """Nobody knows where the lift stands, and nobody may be asked."""


class CameraLift:
    """A self-locking arm without an end switch: its count is true from a place that somebody vouches for."""

    def __init__(self, axis: Axis, rest: LiftRest, worker: WorkerThread, mark_deg: float) -> None:
        """`mark_deg` is the elevation at the mark where a person can put the camera."""
        self._axis = axis
        self._rest = rest
        self._worker = worker
        self.mark_deg = mark_deg

    @property
    def elevation_deg(self) -> float | None:
        """Of the camera above the platter; None while it is unknown."""
        try:
            return self._axis.angle_deg
        except AxisNotHomed:
            return None

    def stands_at(self, elevation_deg: float) -> bool:
        """Whether a move there would move nothing."""
        here_deg = self.elevation_deg
        return here_deg is not None and abs(here_deg - elevation_deg) <= self._axis.step_deg

    async def remember(self) -> None:
        """Take up the elevation at which an earlier process left the camera, if known. Raises DriverError."""
        if self.elevation_deg is not None:
            return
        rested_deg = await self._worker.run(self._rest.read)
        if rested_deg is not None:
            # Limits that were changed since make the note worthless.
            with contextlib.suppress(OutsideLimits):
                await self._axis.believe(rested_deg)
                await self._axis.release()

    async def believe_at_mark(self) -> None:
        """Somebody has put the camera at its mark. Raises DriverError."""
        await self._axis.believe(self.mark_deg)

    async def go_to(self, elevation_deg: float) -> None:
        """Raise or lower the camera; the motor lets go afterwards. Raises LiftUnknown, DriverError, StoreFault.

        Cancelling decelerates; where the camera stopped is known to this process only.
        """
        if self.elevation_deg is None:
            raise LiftUnknown(
                f"lift: where the camera stands is unknown; set [quality] ask_a_person = true for this scan, put the "
                f"camera at its mark, {self.mark_deg:g}° above the platter, and resume"
            )
        await self._worker.run(self._rest.forget)
        try:
            reached_deg = await self._axis.move_to(elevation_deg)
        finally:
            await self._axis.release()
        await self._worker.run(lambda: self._rest.keep(reached_deg))
        LOG.info("camera at %.1f° above the platter", reached_deg)

"""One camera at the table: what it is locked to, and how it tells that the object rests."""

import math
from collections.abc import Callable
from dataclasses import replace

from drivers.protocols import Camera, CameraSettings, Frame
from scannerd.quality.look import Remedy
from scannerd.scan.settle import Settle

NO_SHIFT = (0.0, 0.0)
UNKNOWN_SHIFT = (math.nan, math.nan)
"""Equals no other."""
SAME_EXPOSURE = 0.05
LIGHT_FACTORS = {Remedy.DARKER: 0.6, Remedy.BRIGHTER: 1.7}
"""On the exposure time: two thirds of a stop."""


def shifted(usual: CameraSettings, exposure_ev: float, focus_dioptres: float) -> CameraSettings:
    """Return the settings of a bracket: so many stops more light by exposure time alone, focused so much nearer."""
    focus = usual.focus_dioptres
    return replace(
        usual,
        exposure_us=usual.exposure_us * 2**exposure_ev,
        focus_dioptres=None if focus is None else max(0.0, focus + focus_dioptres),
    )


class Eye:
    """Of one run of one scan."""

    def __init__(
        self,
        camera: Camera,
        settle: Settle,
        steady: Callable[[CameraSettings], CameraSettings] = lambda settings: settings,
    ) -> None:
        """`steady` says how the same light is gathered without flicker, where the exposure is changed."""
        self.camera = camera
        self.settle = settle
        self._steady = steady
        self._unshifted: CameraSettings | None = None
        self._shift = NO_SHIFT

    def floor_s(self, frame: Frame) -> float:
        """Return what a frame takes from the beginning of its exposure to being in memory."""
        return frame.exposure_us * 1e-6 + self.camera.description.readout_s

    async def unshift(self) -> None:
        """Give the camera back what was locked before the first bracket. Raises DriverError."""
        await self.shift(*NO_SHIFT)

    async def shift(self, exposure_ev: float, focus_dioptres: float) -> bool:
        """Lock other settings than the scan's, or its own again; return whether they did not hold already.

        Raises DriverError.
        """
        shift = (exposure_ev, focus_dioptres)
        if shift == self._shift:
            return False
        usual = self._unshifted or self.camera.settings
        wanted = shifted(usual, *shift)
        await self._lock(usual, self._steady(wanted) if exposure_ev else wanted, shift)
        return True

    def exposes_as(self, frame: Frame) -> bool:
        """Whether a photo would be exposed now as that one was."""
        now = self.camera.settings
        return math.isclose(
            now.exposure_us * now.analogue_gain, frame.exposure_us * frame.analogue_gain, rel_tol=SAME_EXPOSURE
        )

    async def remedy(self, remedy: Remedy) -> CameraSettings | None:
        """Do what may help before the same photo is taken again; nothing turns. Raises DriverError.

        Returns what the whole scan's lock is from now on, None where it stays.
        """
        if remedy is Remedy.REFOCUS and self.camera.settings.focus_dioptres is not None:
            # The lens is sent once more to where it was locked: a motor that slipped or sagged comes back.
            await self.camera.lock(self.camera.settings)
        factor = LIGHT_FACTORS.get(remedy)
        if factor is None:
            return None
        await self.unshift()
        usual = self.camera.settings
        wanted = self._steady(replace(usual, exposure_us=usual.exposure_us * factor))
        return await self._lock(usual, wanted, NO_SHIFT)

    async def _lock(
        self, usual: CameraSettings, settings: CameraSettings, shift: tuple[float, float]
    ) -> CameraSettings:
        """Return what took effect. Until a frame shows it, nobody knows what is locked, but what is to come back."""
        self._unshifted, self._shift = usual, UNKNOWN_SHIFT
        shown = await self.camera.lock(settings)
        self._shift = shift
        if shift == NO_SHIFT:
            self._unshifted = None
        return shown

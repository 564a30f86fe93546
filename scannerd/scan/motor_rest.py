"""The motors' current while a scan waits: off at once after a fault, and after a while in any pause.

A platter that nobody holds may be turned by hand: what goes on afterwards has to look where it stands.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from drivers.protocols import Axis
from scannerd.scan.control import RunControl

POLL_S = 1.0
"""How often it is looked whether what was waited for is over."""


class MotorRest:
    """Of one run of one scan."""

    def __init__(
        self, motors: Sequence[Axis], control: RunControl, idle_release_s: float, poll_s: float = POLL_S
    ) -> None:
        """Seconds are people's, not the hardware's."""
        self._motors = motors
        self._control = control
        self._idle_release_s = idle_release_s
        self._poll_s = poll_s

    async def let_go(self) -> None:
        """Switch the current off now. Raises DriverError."""
        for motor in self._motors:
            await motor.release()

    async def wait_for_resume(self, patience_s: float | None = None) -> bool:
        """Return after Resume, or when patience is at an end, whether the current was switched off meanwhile.

        Raises RunCancelled, RunStopped, DriverError.
        """
        try:
            async with asyncio.timeout(self._idle_release_s):
                await self._control.wait_for_resume(patience_s)
            return False
        except TimeoutError:
            await self.let_go()
        rest_s = None if patience_s is None else max(0.0, patience_s - self._idle_release_s)
        await self._control.wait_for_resume(rest_s)
        return True

    async def wait_until(self, over: Callable[[], Awaitable[bool]]) -> bool:
        """Return True once it is over, False after Resume before that. Raises RunCancelled, RunStopped."""
        while True:
            try:
                async with asyncio.timeout(self._poll_s):
                    await self._control.wait_for_resume()
                return False
            except TimeoutError:
                # Never at once: what comes and goes must not make the scan spin.
                if await over():
                    return True

"""What people want of a running scan; the runner looks here between viewpoints."""

import asyncio
import contextlib


class RunCancelled(Exception):
    """Cancel was asked for; the scan ends here and is not offered for resuming."""


class RunStopped(Exception):
    """The daemon goes down, or Stop was asked for; the scan can be resumed."""


class RunControl:
    """Wishes that take effect at the next frame boundary."""

    def __init__(self) -> None:
        self._cancel = self._stop = self._pause = False
        self._changed = asyncio.Event()
        self._retakes: dict[int, None] = {}

    @property
    def pause_wanted(self) -> bool:
        """Somebody asked for a pause, and nobody has asked to go on."""
        return self._pause

    @property
    def undisturbed(self) -> bool:
        """Whether nobody wants anything at the next boundary."""
        return not (self._pause or self._cancel or self._stop or self._retakes)

    def pause(self) -> None:
        """Wait at the next boundary."""
        self._pause = True
        self._changed.set()

    def resume(self) -> None:
        """Go on."""
        self._pause = False
        self._changed.set()

    def cancel(self) -> None:
        """End at the next boundary, for good."""
        self._cancel = True
        self._changed.set()

    def stop(self) -> None:
        """End at the next boundary, resumable."""
        self._stop = True
        self._changed.set()

    def retake(self, index: int) -> None:
        """Take this viewpoint's photo again at the next boundary; asking twice is asking once."""
        self._retakes[index] = None
        self._changed.set()

    def next_retake(self) -> int | None:
        """Return the viewpoint whose retake was asked for first, and count it as done."""
        index = next(iter(self._retakes), None)
        if index is not None:
            del self._retakes[index]
        return index

    def raise_if_over(self) -> None:
        """Raise RunCancelled or RunStopped when one of them was asked for."""
        if self._cancel:
            raise RunCancelled
        if self._stop:
            raise RunStopped

    async def wait_for_resume(self, patience_s: float | None = None) -> None:
        """Return after `resume`, or when patience is at an end. Raises RunCancelled, RunStopped."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._resumed()
        self._pause = False

    async def _resumed(self) -> None:
        while True:
            self.raise_if_over()
            if not self._pause:
                return
            self._changed.clear()
            await self._changed.wait()

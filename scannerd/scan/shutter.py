"""The cameras of one stop: one says when the object rests and takes its photo, the others theirs from then on."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from drivers.protocols import Clock, DriverError, Frame, Glimpse
from scannerd.scan.eye import Eye
from scannerd.scan.plan import Viewpoint
from scannerd.scan.settle import Settling
from scannerd.scan.shot import Neighbour, Shot

RunBeside = Callable[[Coroutine[None, None, Neighbour], str], "asyncio.Task[Neighbour]"]
"""Begins a task of this name."""


class Shutter:
    """Opened once."""

    def __init__(
        self,
        clock: Clock,
        eyes: Sequence[Eye],
        viewpoint: Viewpoint,
        beside: Sequence[Viewpoint],
        run_beside: RunBeside,
    ) -> None:
        """`beside`: what other cameras take at the same stop."""
        self._clock = clock
        self._eyes = eyes
        self._viewpoint = viewpoint
        self._beside = beside
        self._run_beside = run_beside
        self._loop = asyncio.get_running_loop()
        self._others: list[asyncio.Task[Neighbour]] = []
        self._to_come = {view.index for view in beside}
        """Whose photos are not in their cameras' memory yet."""
        self._is_open = False
        self._kept_s = 0.0
        self._left = False

    async def open(
        self, settling: Settling, since_s: float, kept: Callable[[], None], leave: Callable[[], bool]
    ) -> Shot:
        """Return the photo of the camera that says when the object rests. Raises DriverError.

        `settling` decides about its frames since `since_s`. `kept` is called when the photo is in that camera's
        memory, `leave` when all photos are in their cameras': it says whether the table left.
        """
        eye, self._is_open = self._eyes[self._viewpoint.camera], True

        def begun() -> None:
            # A stream that was started anew while the frame was copied keeps another one.
            if self._is_open and not self._others:
                self._kept_s = self._clock.now_s()
                kept()
                self._begin_others(settling, since_s, leave)

        rests = False

        def keep(glimpse: Glimpse) -> bool:
            """In the camera's thread, which tells of the frame before it hands it over: the phases stay in order.

            What a preview shows at rest is photographed then; the table may leave once that is done.
            """
            nonlocal rests
            if glimpse.is_preview:
                rests = settling.keep(glimpse)
                return rests
            return (rests or settling.keep(glimpse)) and bool(self._loop.call_soon_threadsafe(begun))

        try:
            frame = await eye.camera.capture(keep)
        except BaseException:
            await self._abandon()
            raise
        finally:
            self._is_open = False
        done_s = self._clock.now_s()
        return self._shot(eye, frame, settling, since_s, (self._kept_s if self._left else done_s, done_s))

    async def neighbours(self) -> list[Neighbour]:
        """Return what the other cameras took, or why they did not."""
        return [await task for task in self._others]

    def _begin_others(self, settling: Settling, since_s: float, leave: Callable[[], bool]) -> None:
        def in_memory(index: int) -> None:
            if self._to_come == {index}:
                self._left = leave()
            self._to_come.discard(index)

        for view in self._beside:
            work = self._neighbour(view, settling, since_s, in_memory)
            self._others.append(self._run_beside(work, f"photo {view.index}"))
        if not self._beside:
            self._left = leave()

    async def _neighbour(
        self, viewpoint: Viewpoint, settling: Settling, since_s: float, in_memory: Callable[[int], None]
    ) -> Neighbour:
        eye, kept_s = self._eyes[viewpoint.camera], 0.0

        def keep(glimpse: Glimpse) -> bool:
            nonlocal kept_s
            if glimpse.is_preview:
                return True
            kept_s = self._clock.now_s()
            return bool(self._loop.call_soon_threadsafe(in_memory, viewpoint.index))

        try:
            frame = await eye.camera.capture(keep)
        except DriverError as fault:
            return Neighbour(viewpoint, fault)
        shot = self._shot(eye, frame, settling, since_s, (kept_s, self._clock.now_s()))
        return Neighbour(viewpoint, replace(shot, beside=True))

    async def _abandon(self) -> None:
        """The stop has no first photo: what the others would take is of no use."""
        for task in self._others:
            task.cancel()
        await asyncio.gather(*self._others, return_exceptions=True)

    def _shot(
        self, eye: Eye, frame: Frame, settling: Settling, since_s: float, free_done_s: tuple[float, float]
    ) -> Shot:
        """`free_done_s`: when the table could leave, and when the frame was copied."""
        return Shot(
            frame=frame,
            taken_at=datetime.now(UTC),
            waiting_since_s=since_s,
            exposed_s=self._clock.from_monotonic_s(frame.exposed_at_s),
            free_s=free_done_s[0],
            done_s=free_done_s[1],
            floor_capture_s=eye.floor_s(frame),
            settled=not settling.gave_up,
            believed=settling.believed,
        )

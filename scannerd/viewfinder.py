"""What the camera sees, small: live while nothing else needs the camera, the scan's latest photo while one runs."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from drivers.picture import Planes
from drivers.protocols import Camera
from scannerd.quality.edges import draw_edges
from scannerd.store.photo import encode_jpeg, encode_planes
from scannerd.worker_thread import WorkerThread

WIDTH_PX = 640
JPEG_QUALITY = 75
FRESH_S = 0.4
"""A live picture younger than this serves everybody who looks."""
PATIENCE_S = 15.0
"""The longest a viewer waits for a newer picture before being shown the last one again."""

LOOK_AGAIN_S = 1.0
"""How soon a waiting viewer notices that the scan is over and the camera free."""


class NoPicture(RuntimeError):
    """There is nothing to show. The message says why and what to do."""


@dataclass(frozen=True)
class ViewfinderPicture:
    """A small JPEG. Whoever has `seq` need not fetch it again."""

    jpeg: bytes
    seq: int
    at: datetime
    index: int | None = None
    """The viewpoint it was taken from, when a scan took it."""
    angle_deg: float | None = None


@dataclass
class _Seen:
    small: Planes
    seq: int
    at: datetime
    taken_s: float
    index: int | None = None
    angle_deg: float | None = None
    jpegs: dict[bool, bytes] = field(default_factory=dict)


class Viewfinder:
    """Shares what each camera sees among all who look. It never delays a scan by more than one frame."""

    def __init__(
        self,
        cameras: Callable[[], Sequence[Camera]],
        camera_is_free: Callable[[], bool],
        light_up: Callable[[], None] = lambda: None,
    ) -> None:
        """`cameras` returns those in use; `camera_is_free` says whether a photo may be taken for looking only.

        `light_up` is called before such a photo.
        """
        self._light_up = light_up
        self._cameras = cameras
        self._camera_is_free = camera_is_free
        self._looking = asyncio.Lock()
        self._newer = asyncio.Event()
        self._thread = WorkerThread("viewfinder")
        self._latest: dict[int, _Seen] = {}
        self._seq = 0
        self._loop = asyncio.get_running_loop()

    def offer(self, small: Planes, index: int | None, angle_deg: float | None, camera: int = 0) -> None:
        """Show the companion of a scan's photo. From any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, small, index, angle_deg, camera)

    async def picture(
        self, *, edges: bool = False, newer_than: int | None = None, camera: int = 0
    ) -> ViewfinderPicture:
        """Return what a camera sees; with `newer_than`, waits a while for another picture than that one.

        `edges` draws the edges that the gate looks at. Raises NoPicture, DriverError.
        """
        if camera >= len(self._cameras()):
            raise NoPicture(f"camera {camera}: the scanner has {len(self._cameras())}, the first is 0")
        look = self._live if self._camera_is_free() else self._scanned
        seen = await look(newer_than, camera)
        if edges not in seen.jpegs:
            seen.jpegs[edges] = await self._thread.run(lambda: _encoded(seen.small, edges))
        return ViewfinderPicture(seen.jpegs[edges], seen.seq, seen.at, seen.index, seen.angle_deg)

    def close(self) -> None:
        """End the thread; safe to call twice."""
        self._thread.close()

    async def _live(self, newer_than: int | None, camera: int) -> _Seen:
        async with self._looking:
            latest = self._latest.get(camera)
            age_s = time.monotonic() - latest.taken_s if latest is not None else FRESH_S
            if latest is not None and age_s < FRESH_S:
                if latest.seq != newer_than:
                    return latest
                await asyncio.sleep(FRESH_S - age_s)
            if not self._camera_is_free():
                return await self._scanned(None, camera)
            self._light_up()
            glimpse = await self._cameras()[camera].glimpse()
            return self._put(glimpse.picture, None, None, camera)

    async def _scanned(self, newer_than: int | None, camera: int) -> _Seen:
        deadline_s = time.monotonic() + PATIENCE_S
        while (latest := self._latest.get(camera)) is None or latest.seq == newer_than:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or self._camera_is_free():
                break
            with contextlib.suppress(TimeoutError):
                # Not wait_for, which may lose a cancellation.
                async with asyncio.timeout(min(left_s, LOOK_AGAIN_S)):
                    await self._newer.wait()
        if latest is None:
            raise NoPicture("the camera is busy and has not taken a photo yet; look again in a few seconds")
        return latest

    def _put(self, small: Planes, index: int | None, angle_deg: float | None, camera: int) -> _Seen:
        self._seq += 1
        seen = _Seen(small, self._seq, datetime.now(UTC), time.monotonic(), index, angle_deg)
        self._latest[camera] = seen
        self._newer.set()
        self._newer = asyncio.Event()
        return seen


def _encoded(small: Planes, edges: bool) -> bytes:
    picture = small.shrunk_to_width(WIDTH_PX)
    return encode_jpeg(draw_edges(picture.rgb()), JPEG_QUALITY) if edges else encode_planes(picture, JPEG_QUALITY)

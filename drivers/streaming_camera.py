"""`Camera` over a stream that never stops between photos: one thread that owns it, a new start when it is silent.

Which hardware delivers the frames is the session's business. Its settings are locked before the first photo; a stream
that falls silent is started anew once, with the same settings, before anybody hears of it.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from drivers.camera_stream_faults import BrokenPicture
from drivers.picture import Planes
from drivers.protocols import (
    CameraDescription,
    CameraSettings,
    CameraTimeout,
    CameraUnusable,
    DriverError,
    Frame,
    Glimpse,
    Window,
    always,
)
from drivers.raw_picture import Raw

LOG = logging.getLogger(__name__)

BROKEN_AT_MOST = 5
"""Pictures of one capture that may have lost something on the way."""


class ExposedFrame(Protocol):
    """One frame of a stream, in the camera's memory until it is let go."""

    @property
    def is_preview(self) -> bool:
        """Whether `photo` would only now take one; what is known of a frame is the photo's from then on."""

    @property
    def exposure_us(self) -> float:
        """How long the shutter was open."""

    @property
    def analogue_gain(self) -> float:
        """What it was amplified by."""

    @property
    def exposed_at_s(self) -> float:
        """Start of the exposure on the system's monotonic clock; never later than it truly was."""

    @property
    def numbers(self) -> dict[str, float]:
        """What else is worth keeping with the photo."""

    def photo(self) -> Planes:
        """Return a copy of the whole picture."""

    def raw(self) -> Raw | None:
        """Return a copy of what the sensor saw; None where nobody asked for it."""

    def jpeg(self) -> bytes | None:
        """Return the photo's own file, of cameras that make one."""

    def small(self) -> Planes:
        """Return a copy of the companion."""

    def let_go(self) -> None:
        """Give the memory back to the camera."""


class FramesToCome(Protocol):
    """Frames from now on: a context, left when nobody wants any more."""

    def __enter__(self) -> Any:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, holding nothing."""


class StreamSession(Protocol):
    """An open camera that streams, locked to settings."""

    description: CameraDescription
    shown: CameraSettings
    abandon: threading.Event

    @property
    def model(self) -> str:
        """What the hardware calls itself."""

    @property
    def wanted(self) -> CameraSettings:
        """What was last asked for."""

    @property
    def limits(self) -> Mapping[str, tuple[Any, Any, Any]]:
        """Lowest, highest and usual value of what can be set, by libcamera's names and in its units."""

    def lock(self, settings: CameraSettings) -> CameraSettings:
        """Return what took effect, once a frame shows it. Raises CameraTimeout, CameraUnusable."""

    def pace(self, frame_s: float | None) -> None:
        """Set the time from frame to frame."""

    def frames(self, exposed_after_s: float) -> FramesToCome:
        """Return the frames to come."""

    def next(self, frames: Any) -> ExposedFrame:
        """Return the next one; let it go afterwards. Raises CameraTimeout, DriverError when nobody waits any more."""

    def close(self) -> None:
        """Stop and free the camera. Raises CameraUnusable when it cannot be freed; try again then."""


S = TypeVar("S", bound=StreamSession)
T = TypeVar("T")


class StreamingCamera(Generic[S]):
    """`Camera` over sessions of one kind. Every call into the hardware comes from one thread of its own."""

    def __init__(
        self,
        begin: Callable[[CameraSettings, float | None, bool], S],
        meter: Callable[[S, Window], CameraSettings],
        wanted: CameraSettings,
        cable: str,
    ) -> None:
        """Remember what is wanted; nothing is opened yet.

        `begin` opens a session, locked and paced, whose frames come raw, too, or not; `cable` says what to try when
        frames do not come.
        """
        self._begin = begin
        self._meter = meter
        self._wanted = wanted
        self._cable = cable
        self._session: S | None = None
        self._closing: S | None = None
        self._description: CameraDescription | None = None
        self._shown: CameraSettings | None = None
        self._frame_s: float | None = None
        self._keeps_raw = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="camera")
        self._closed = False

    @property
    def description(self) -> CameraDescription:
        """What this camera is; known once it was open."""
        if self._description is None:
            raise DriverError("camera: not open, so nobody knows yet which one it is")
        return self._description

    @property
    def settings(self) -> CameraSettings:
        """What is locked now, as the sensor rounded it; known once it was open."""
        if self._shown is None:
            raise DriverError("camera: not open, so nothing is locked yet")
        return self._shown

    async def open(self) -> None:
        """Start the stream and lock exposure, gain, white balance and focus. Raises CameraUnusable, CameraTimeout."""
        if self._closed:
            raise DriverError("camera: closed; build a new one")
        await self._in_thread(lambda abandon: self._open())

    async def meter(self, window: Window) -> CameraSettings:
        """Find exposure, white balance and focus on this window, then lock all of it. Raises CameraUnusable."""
        return await self._in_session(lambda session: self._now_locked(session, self._meter(session, window)))

    async def lock(self, settings: CameraSettings) -> CameraSettings:
        """Return what took effect, once a frame shows it. Raises CameraTimeout, CameraUnusable."""
        return await self._in_session(lambda session: self._now_locked(session, session.lock(settings)))

    async def pace(self, frame_s: float | None) -> None:
        """Let frames follow each other by this much; None: by as little as can be. Takes effect some frames later."""
        await self._in_session(lambda session: self._paced(session, frame_s))

    async def keep_raw(self, wanted: bool) -> None:
        """Let captured frames carry what the sensor saw, or no more. Raises CameraUnusable, CameraTimeout."""
        if wanted != self._keeps_raw:
            await self._in_thread(lambda abandon: self._keep_raw(wanted))

    async def glimpse(self) -> Glimpse:
        """Return the companion of a frame exposed after this call. Raises CameraTimeout, DriverError."""
        called_s = time.monotonic()
        return await self._in_session(lambda session: _glimpse(session, called_s))

    async def capture(self, keep: Callable[[Glimpse], bool] = always) -> Frame:
        """Return the first frame exposed after this call that `keep` accepts. Raises CameraTimeout, DriverError."""
        called_s = time.monotonic()
        return await self._in_session(lambda session: _capture(session, called_s, keep))

    async def close(self) -> None:
        """Stop the stream and free the camera; safe to call twice. Cancelled, it leaves the thread that hangs."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._in_thread(lambda abandon: self._close())
        except CameraUnusable as stuck:  # nobody who closes can do anything about it
            LOG.error("%s", stuck)
        finally:
            # Whoever gives up on a camera that hangs does not wait for its thread after all.
            self._thread.shutdown(wait=False)

    async def _in_session(self, job: Callable[[S], T]) -> T:
        return await self._in_thread(lambda abandon: self._tried_twice(job, abandon))

    async def _in_thread(self, call: Callable[[threading.Event], T]) -> T:
        """Hand over an event that says when nobody waits any more, so that the thread does not wait for ever."""
        abandon = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, abandon)
        except asyncio.CancelledError:
            abandon.set()
            raise

    def _tried_twice(self, job: Callable[[S], T], abandon: threading.Event) -> T:
        """Do it; when no frame comes, start the camera anew and do it once more."""
        if self._description is None or self._closed:
            raise DriverError("camera: not open")
        if self._session is None:  # lost by an earlier restart that did not help
            self._open()
        try:
            return self._done(job, abandon)
        except CameraTimeout as silence:
            LOG.warning("%s; the camera is started anew", silence)
            self._restart(silence)
            return self._done(job, abandon)

    def _done(self, job: Callable[[S], T], abandon: threading.Event) -> T:
        assert self._session is not None
        self._session.abandon = abandon
        return job(self._session)

    def _restart(self, silence: CameraTimeout) -> None:
        self._close()
        try:
            self._open()
        except CameraTimeout as still:
            raise CameraTimeout(
                f"{silence.args[0].split(';')[0]}, nor after a new start; {self._cable}, then Resume"
            ) from still
        LOG.info("the camera delivers frames again")

    def _open(self) -> None:
        if self._session is not None:
            return
        self._close()
        session = self._begin(self._wanted, self._frame_s, self._keeps_raw)
        self._session, self._description, self._shown = session, session.description, session.shown

    def _close(self) -> None:
        """A session that is not let go of is kept: the camera is not free for another one."""
        session, self._session = self._session, None
        self._closing = self._closing or session
        if self._closing is not None:
            self._closing.close()
            self._closing = None

    def _keep_raw(self, wanted: bool) -> None:
        """Streams are set up once: another one begins. A camera that cannot do it goes on as before."""
        if wanted and self.description.raw_bytes is None:
            raise CameraUnusable(
                f"{self.description.model}: delivers nothing raw; set [camera] raw to never, or use another camera"
            )
        before, self._keeps_raw = self._keeps_raw, wanted
        self._close()
        try:
            self._open()
        except DriverError:
            self._keeps_raw = before
            raise

    def _now_locked(self, session: S, shown: CameraSettings) -> CameraSettings:
        """Remember it for the next start."""
        self._wanted, self._shown = session.wanted, shown
        return shown

    def _paced(self, session: S, frame_s: float | None) -> None:
        session.pace(frame_s)
        self._frame_s = frame_s


def _glimpse(session: StreamSession, called_s: float) -> Glimpse:
    with session.frames(called_s) as frames:
        frame = session.next(frames)
        try:
            return _glimpse_of(frame)
        finally:
            frame.let_go()


def _capture(session: StreamSession, called_s: float, keep: Callable[[Glimpse], bool]) -> Frame:
    broken = 0
    with session.frames(called_s) as frames:
        while True:
            frame = session.next(frames)
            try:
                # The whole picture first where nobody asks to look before.
                photo = frame.photo() if keep is always else None
                glimpse = _glimpse_of(frame)
                wanted = keep(glimpse)
                if wanted and glimpse.is_preview:
                    photo, glimpse = frame.photo(), _glimpse_of(frame)
                    wanted = keep(glimpse)
                if wanted:
                    return _frame_of(frame, photo or frame.photo(), glimpse)
            except BrokenPicture:
                broken += 1
                if broken == BROKEN_AT_MOST:
                    raise
            finally:
                frame.let_go()


def _glimpse_of(frame: ExposedFrame) -> Glimpse:
    picture = frame.small()
    return Glimpse(picture, frame.exposed_at_s, frame.exposure_us, frame.is_preview)


def _frame_of(frame: ExposedFrame, photo: Planes, glimpse: Glimpse) -> Frame:
    return Frame(
        photo=photo,
        small=glimpse.picture,
        exposure_us=frame.exposure_us,
        analogue_gain=frame.analogue_gain,
        exposed_at_s=frame.exposed_at_s,
        metadata=frame.numbers,
        raw=frame.raw(),
        jpeg=frame.jpeg(),
    )

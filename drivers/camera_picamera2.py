"""A Raspberry Pi camera through picamera2, as a running stream of which single frames are kept.

The stream never stops between photos, and its settings are locked before the first one. A stream that falls silent is
started anew once, with the same settings, before anybody hears of it.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from drivers.camera_meter import meter
from drivers.camera_session import CameraSession
from drivers.camera_stream import Exposed
from drivers.clock import SystemClock
from drivers.options import Picamera2Options
from drivers.picture import Planes
from drivers.protocols import (
    CameraDescription,
    CameraSettings,
    CameraTimeout,
    CameraUnusable,
    Clock,
    DriverError,
    Frame,
    Glimpse,
    Window,
    always,
)

LOG = logging.getLogger(__name__)
T = TypeVar("T")

NUMBERS_WANTED = (
    "DigitalGain", "ColourTemperature", "FocusFoM", "FrameDuration", "LensPosition", "Lux", "SensorTemperature"
)  # fmt: skip
"""Metadata that is worth keeping with a frame."""


class Picamera2Camera:
    """`Camera` over one libcamera camera. Every call into picamera2 comes from one thread of its own."""

    def __init__(self, options: Picamera2Options, clock: Clock | None = None) -> None:
        """Remember what is wanted; nothing is opened yet. `clock` is the hardware's, else the system's."""
        self._options = options
        self._clock = clock or SystemClock()
        self._session: CameraSession | None = None
        self._closing: CameraSession | None = None
        self._description: CameraDescription | None = None
        self._wanted = CameraSettings(
            options.exposure_us, options.analogue_gain, options.colour_gains, options.lens_position_dioptres
        )
        self._shown: CameraSettings | None = None
        self._frame_s: float | None = None
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
        return await self._in_session(lambda session: self._now_locked(session, meter(session, window)))

    async def lock(self, settings: CameraSettings) -> CameraSettings:
        """Return what took effect, once a frame shows it. Raises CameraTimeout, CameraUnusable."""
        return await self._in_session(lambda session: self._now_locked(session, session.lock(settings)))

    async def pace(self, frame_s: float | None) -> None:
        """Let frames follow each other by this much; None: by as little as can be. Takes effect some frames later."""
        await self._in_session(lambda session: self._paced(session, frame_s))

    async def glimpse(self) -> Glimpse:
        """Return the companion of a frame exposed after this call. Raises CameraTimeout, DriverError."""
        called_s = time.monotonic()
        return await self._in_session(lambda session: _glimpse(session, called_s))

    async def capture(self, keep: Callable[[Glimpse], bool] = always) -> Frame:
        """Return the first frame exposed after this call that `keep` accepts. Raises CameraTimeout, DriverError."""
        called_s = time.monotonic()
        return await self._in_session(lambda session: _capture(session, called_s, keep))

    async def close(self) -> None:
        """Stop the stream and free the camera; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._in_thread(lambda abandon: self._close())
        except CameraUnusable as stuck:  # nobody who closes can do anything about it
            LOG.error("%s", stuck)
        finally:
            self._thread.shutdown()

    async def _in_session(self, job: Callable[[CameraSession], T]) -> T:
        return await self._in_thread(lambda abandon: self._tried_twice(job, abandon))

    async def _in_thread(self, call: Callable[[threading.Event], T]) -> T:
        """Hand over an event that says when nobody waits any more, so that the thread does not wait for ever."""
        abandon = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, abandon)
        except asyncio.CancelledError:
            abandon.set()
            raise

    def _tried_twice(self, job: Callable[[CameraSession], T], abandon: threading.Event) -> T:
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

    def _done(self, job: Callable[[CameraSession], T], abandon: threading.Event) -> T:
        assert self._session is not None
        self._session.abandon = abandon
        return job(self._session)

    def _restart(self, silence: CameraTimeout) -> None:
        self._close()
        try:
            self._open()
        except CameraTimeout as still:
            raise CameraTimeout(
                f"{silence.args[0].split(';')[0]}, nor after a new start; push the camera's ribbon cable firmly into "
                "both sockets, then Resume"
            ) from still
        LOG.info("the camera delivers frames again")

    def _open(self) -> None:
        if self._session is not None:
            return
        self._close()
        session = CameraSession(self._options, self._wanted, self._frame_s, self._clock)
        self._session, self._description, self._shown = session, session.description, session.shown

    def _close(self) -> None:
        """A session that is not let go of is kept: the camera is not free for another one."""
        session, self._session = self._session, None
        self._closing = self._closing or session
        if self._closing is not None:
            self._closing.close()
            self._closing = None

    def _now_locked(self, session: CameraSession, shown: CameraSettings) -> CameraSettings:
        """Remember it for the next start."""
        self._wanted, self._shown = session.wanted, shown
        return shown

    def _paced(self, session: CameraSession, frame_s: float | None) -> None:
        session.pace(frame_s)
        self._frame_s = frame_s


def _glimpse(session: CameraSession, called_s: float) -> Glimpse:
    with session.frames(called_s) as frames:
        frame = session.next(frames)
        try:
            return _glimpse_of(frame)
        finally:
            frame.let_go()


def _capture(session: CameraSession, called_s: float, keep: Callable[[Glimpse], bool]) -> Frame:
    with session.frames(called_s) as frames:
        while True:
            frame = session.next(frames)
            try:
                # The whole picture first where nobody asks to look before.
                photo = frame.photo() if keep is always else None
                glimpse = _glimpse_of(frame)
                if keep(glimpse):
                    return _frame_of(frame, photo or frame.photo(), glimpse)
            finally:
                frame.let_go()


def _glimpse_of(frame: Exposed) -> Glimpse:
    return Glimpse(picture=frame.small(), exposed_at_s=frame.exposed_at_s, exposure_us=frame.exposure_us)


def _frame_of(frame: Exposed, photo: Planes, glimpse: Glimpse) -> Frame:
    return Frame(
        photo=photo,
        small=glimpse.picture,
        exposure_us=frame.exposure_us,
        analogue_gain=float(frame.metadata["AnalogueGain"]),
        exposed_at_s=frame.exposed_at_s,
        metadata={name: float(frame.metadata[name]) for name in NUMBERS_WANTED if name in frame.metadata},
    )

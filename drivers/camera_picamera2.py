"""A Raspberry Pi camera through picamera2, as a running stream of which single frames are kept.

The stream never stops between photos, and its settings are locked before the first one.
"""

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from picamera2 import Picamera2

from drivers.camera_controls import check_bounds, manual_controls, pace_controls, shown_settings, shows
from drivers.camera_stream import (
    Abandoned,
    Exposed,
    FrameLate,
    Frames,
    check_configured,
    stream_configuration,
)
from drivers.options import Picamera2Options
from drivers.picture import Planes, companion_size_px
from drivers.protocols import (
    CameraDescription,
    CameraSettings,
    CameraTimeout,
    CameraUnusable,
    DriverError,
    Frame,
    Glimpse,
    always,
)
from drivers.sensors import MAKE, SENSORS, sensor_facts

T = TypeVar("T")

FRAMES_TO_LOCK = 30
"""Controls reach the sensor some frames late; this many without seeing them is a fault."""
FRAMES_TO_WAIT = 4
GRACE_S = 3.0
"""What a busy Pi may take on top of the frames themselves."""
NUMBERS_WANTED = (
    "DigitalGain", "ColourTemperature", "FocusFoM", "FrameDuration", "LensPosition", "Lux", "SensorTemperature"
)  # fmt: skip
"""Metadata that is worth keeping with a frame."""


class Picamera2Camera:
    """`Camera` over one libcamera camera. Every call into picamera2 comes from one thread of its own."""

    def __init__(self, options: Picamera2Options) -> None:
        """Remember what is wanted; nothing is opened yet."""
        self._options = options
        self._picamera2: Any = None
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
        """What this camera is; known once it is open."""
        if self._description is None:
            raise DriverError("camera: not open, so nobody knows yet which one it is")
        return self._description

    @property
    def settings(self) -> CameraSettings:
        """What is locked now, as the sensor rounded it; known once it is open."""
        if self._shown is None:
            raise DriverError("camera: not open, so nothing is locked yet")
        return self._shown

    async def open(self) -> None:
        """Start the stream and lock exposure, gain, white balance and focus. Raises CameraUnusable, CameraTimeout."""
        if self._closed:
            raise DriverError("camera: closed; build a new one")
        await self._in_thread(self._open)

    async def lock(self, settings: CameraSettings) -> CameraSettings:
        """Return what took effect, once a frame shows it. Raises CameraTimeout, NeedsPerson."""
        return await self._in_thread(lambda abandon: self._lock(settings, abandon))

    async def pace(self, frame_s: float | None) -> None:
        """Let frames follow each other by this much; None: by as little as can be. Takes effect some frames later."""
        await self._in_thread(lambda abandon: self._pace(frame_s))

    async def glimpse(self) -> Glimpse:
        """Return the companion of a frame exposed after this call. Raises CameraTimeout, DriverError."""
        called_s = time.monotonic()
        return await self._in_thread(lambda abandon: self._glimpse(called_s, abandon))

    async def capture(self, keep: Callable[[Glimpse], bool] = always) -> Frame:
        """Return the first frame exposed after this call that `keep` accepts. Raises CameraTimeout, DriverError."""
        called_s = time.monotonic()
        return await self._in_thread(lambda abandon: self._capture(called_s, keep, abandon))

    async def close(self) -> None:
        """Stop the stream and free the camera; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        await self._in_thread(lambda abandon: self._close())
        self._thread.shutdown()

    async def _in_thread(self, call: Callable[[threading.Event], T]) -> T:
        """Hand over an event that says when nobody waits any more, so that the thread does not wait for ever."""
        abandon = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, abandon)
        except asyncio.CancelledError:
            abandon.set()
            raise

    def _open(self, abandon: threading.Event) -> None:
        if self._picamera2 is not None:
            return
        index = self._options.camera_index
        found = len(Picamera2.global_camera_info())
        if found <= index:
            raise CameraUnusable(
                f"camera {index}: libcamera sees {found} cameras; check the ribbon cable, then restart"
            )
        try:
            self._picamera2 = Picamera2(index)
        except RuntimeError as error:
            reason = error.__cause__ or error
            raise CameraUnusable(f"camera {index}: {reason}; stop the other program that uses it") from error
        try:
            self._start(abandon)
        except BaseException:
            self._close()
            raise

    def _start(self, abandon: threading.Event) -> None:
        self._wanted = check_bounds(self._wanted, self._picamera2.camera_controls, self._model)
        size_px = (self._options.width_px, self._options.height_px)
        controls = manual_controls(self._wanted) | pace_controls(self._frame_s)
        try:
            self._picamera2.configure(
                stream_configuration(self._picamera2, size_px, self._options.buffer_count, controls)
            )
        except RuntimeError as error:
            raise CameraUnusable(f"{self._model}: {error}; change [camera] width_px and height_px") from error
        check_configured(self._picamera2, self._model, size_px)
        self._description = self._describe()
        self._picamera2.start()
        self._wait_for_lock(abandon)

    def _lock(self, settings: CameraSettings, abandon: threading.Event) -> CameraSettings:
        camera = self._opened()
        self._wanted = check_bounds(settings, camera.camera_controls, self._model)
        camera.set_controls(manual_controls(self._wanted))
        return self._wait_for_lock(abandon)

    def _wait_for_lock(self, abandon: threading.Event) -> CameraSettings:
        """Return what a frame shows, once it shows what is wanted."""
        with self._frames(0.0, abandon) as frames:
            for _ in range(FRAMES_TO_LOCK):
                frame = self._next(frames)
                frame.let_go()
                shown = shown_settings(frame.metadata, self._has_focus_motor)
                if shows(shown, self._wanted):
                    self._shown = shown
                    return shown
        raise CameraTimeout(
            f"{self._model}: {shown} after {FRAMES_TO_LOCK} frames, {self._wanted} expected; restart the camera"
        )

    def _pace(self, frame_s: float | None) -> None:
        self._opened().set_controls(pace_controls(frame_s))
        self._frame_s = frame_s

    def _glimpse(self, called_s: float, abandon: threading.Event) -> Glimpse:
        with self._frames(called_s, abandon) as frames:
            frame = self._next(frames)
            try:
                return _glimpse_of(frame)
            finally:
                frame.let_go()

    def _capture(self, called_s: float, keep: Callable[[Glimpse], bool], abandon: threading.Event) -> Frame:
        with self._frames(called_s, abandon) as frames:
            while True:
                frame = self._next(frames)
                try:
                    # The whole picture first where nobody asks to look before.
                    photo = frame.photo() if keep is always else None
                    glimpse = _glimpse_of(frame)
                    if keep(glimpse):
                        return _frame_of(frame, photo or frame.photo(), glimpse)
                finally:
                    frame.let_go()

    def _frames(self, exposed_after_s: float, abandon: threading.Event) -> Frames:
        return Frames(self._opened(), exposed_after_s, abandon)

    def _next(self, frames: Frames) -> Exposed:
        asked_s = time.monotonic()
        try:
            return frames.next(self._patience_s())
        except FrameLate as error:
            raise CameraTimeout(
                f"no image from {self._model} in {time.monotonic() - asked_s:.1f} s (exposure "
                f"{self._wanted.exposure_us:.0f} µs); check the ribbon cable, then Resume"
            ) from error
        except Abandoned as error:
            raise DriverError("camera: nobody waits for this frame any more") from error

    def _patience_s(self) -> float:
        frame_s = max(self.description.readout_s + self._wanted.exposure_us * 1e-6, self._frame_s or 0.0)
        return FRAMES_TO_WAIT * frame_s + GRACE_S

    def _opened(self) -> Any:
        if self._picamera2 is None:
            raise DriverError("camera: not open")
        return self._picamera2

    @property
    def _model(self) -> str:
        return str(self._picamera2.camera_properties.get("Model", "camera"))

    @property
    def _has_focus_motor(self) -> bool:
        return "LensPosition" in self._picamera2.camera_controls

    def _describe(self) -> CameraDescription:
        facts = sensor_facts(self._model)
        if facts is None:
            raise CameraUnusable(f"{self._model}: not a known sensor; connect one of {', '.join(SENSORS)}")
        focal_length_mm = self._options.focal_length_mm or facts.focal_length_mm
        if focal_length_mm is None:
            raise CameraUnusable(f"{self._model}: takes interchangeable lenses; set [camera] lens_focal_length_mm")
        size_px = self._picamera2.camera_configuration()["main"]["size"]
        small_px = companion_size_px(*size_px)
        shortest_frame_us = self._picamera2.camera_controls["FrameDurationLimits"][0]
        return CameraDescription(
            make=MAKE,
            model=facts.model,
            focal_length_mm=focal_length_mm,
            sensor_width_mm=facts.sensor_width_mm,
            width_px=size_px[0],
            height_px=size_px[1],
            small_width_px=small_px[0],
            small_height_px=small_px[1],
            readout_s=shortest_frame_us * 1e-6,
        )

    def _close(self) -> None:
        if self._picamera2 is None:
            return
        camera, self._picamera2 = self._picamera2, None
        camera.close()
        del camera
        # picamera2's objects refer to each other in circles that hold a file of the DMA heap open.
        gc.collect()


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

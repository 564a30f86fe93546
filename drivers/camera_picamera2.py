"""A Raspberry Pi camera through picamera2, as a running stream of which single frames are kept.

The stream never stops between photos: a mode switch costs half a second where the next frame of a running stream is
there within one frame time. Exposure, gains and white balance are locked before the first photo.
"""

import asyncio
import gc
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from picamera2 import Picamera2

from drivers.options import Picamera2Options
from drivers.protocols import CameraDescription, CameraTimeout, DriverError, Frame, NeedsPerson
from drivers.sensors import MAKE, SENSORS, sensor_facts

T = TypeVar("T")

PIXEL_FORMAT = "BGR888"
"""libcamera names formats from the high byte down: in memory this is R, G, B."""
AF_MODE_MANUAL = 0
FRAMES_TO_LOCK = 30
"""Controls reach the sensor some frames late; this many without seeing them is a fault."""
GRACE_S = 3.0
"""What a busy Pi may take on top of the frames themselves."""
EXPOSURE_TOLERANCE = 0.02
"""The sensor rounds an exposure to whole lines, and a gain to its register's steps."""
GAIN_TOLERANCE = 0.05
FOCUS_TOLERANCE_DIOPTRES = 0.05
NUMBERS_WANTED = ("DigitalGain", "ColourTemperature", "FocusFoM", "LensPosition", "Lux", "SensorTemperature")
"""Metadata that is worth keeping with a frame."""


class Picamera2Camera:
    """`Camera` over one libcamera camera. Every call into picamera2 comes from one thread of its own."""

    def __init__(self, options: Picamera2Options) -> None:
        """Remember what is wanted; nothing is opened yet."""
        self._options = options
        self._picamera2: Any = None
        self._description: CameraDescription | None = None
        self._locked: dict[str, Any] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="camera")
        self._closed = False

    @property
    def description(self) -> CameraDescription:
        """What this camera is; known once it is open."""
        if self._description is None:
            raise DriverError("camera: not open, so nobody knows yet which one it is")
        return self._description

    async def open(self) -> None:
        """Start the stream and lock exposure, gain, white balance and focus. Raises NeedsPerson, CameraTimeout."""
        if self._closed:
            raise DriverError("camera: closed; build a new one")
        await self._in_thread(self._open)

    async def capture(self) -> Frame:
        """Return a frame whose exposure began after this call. Raises CameraTimeout, DriverError."""
        called_s = time.monotonic()
        return await self._in_thread(lambda: self._capture(called_s))

    async def close(self) -> None:
        """Stop the stream and free the camera; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        await self._in_thread(self._close)
        self._thread.shutdown()

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _open(self) -> None:
        if self._picamera2 is not None:
            return
        index = self._options.camera_index
        found = len(Picamera2.global_camera_info())
        if found <= index:
            raise NeedsPerson(f"camera {index}: libcamera sees {found} cameras; check the ribbon cable, then restart")
        try:
            self._picamera2 = Picamera2(index)
        except RuntimeError as error:
            reason = error.__cause__ or error
            raise NeedsPerson(f"camera {index}: {reason}; stop the other program that uses it") from error
        try:
            self._start()
        except BaseException:
            self._close()
            raise

    def _start(self) -> None:
        self._configure()
        self._description = self._describe()
        self._picamera2.start()
        self._wait_for_lock()

    def _configure(self) -> None:
        """libcamera shrinks without a word what the sensor cannot fill; a scan must not learn it from its photos."""
        wanted = (self._options.width_px, self._options.height_px)
        configuration = self._configuration()
        try:
            self._picamera2.configure(configuration)
        except RuntimeError as error:
            raise NeedsPerson(f"{self._model}: {error}; change [camera] width_px and height_px") from error
        size = self._picamera2.camera_configuration()["main"]["size"]
        if size != wanted:
            raise NeedsPerson(
                f"{self._model}: takes {size[0]}x{size[1]} in place of {wanted[0]}x{wanted[1]}; "
                "change [camera] width_px and height_px"
            )

    def _configuration(self) -> Any:
        options = self._options
        return self._picamera2.create_still_configuration(
            main={"size": (options.width_px, options.height_px), "format": PIXEL_FORMAT},
            raw=None,
            buffer_count=options.buffer_count,
            controls=self._locked_controls(),
        )

    def _locked_controls(self) -> dict[str, Any]:
        options = self._options
        controls: dict[str, Any] = {
            "AeEnable": False,
            "AwbEnable": False,
            "ExposureTime": round(options.exposure_us),
            "AnalogueGain": max(options.analogue_gain, self._picamera2.camera_controls["AnalogueGain"][0]),
            "ColourGains": options.colour_gains,
        }
        if options.lens_position_dioptres is not None:
            if "LensPosition" not in self._picamera2.camera_controls:
                raise NeedsPerson(f"{self._model}: has no focus motor; remove [camera] lens_position_dioptres")
            controls |= {"AfMode": AF_MODE_MANUAL, "LensPosition": options.lens_position_dioptres}
        self._check_bounds(controls)
        self._locked = controls
        return controls

    def _check_bounds(self, controls: dict[str, Any]) -> None:
        """libcamera clamps without a word what a sensor cannot do, and the lock would then never be seen."""
        for name, unit in (("ExposureTime", " µs"), ("AnalogueGain", "")):
            low, high, _ = self._picamera2.camera_controls[name]
            if not low <= controls[name] <= high:
                raise NeedsPerson(
                    f"{self._model}: {name} {controls[name]}{unit} is outside {low} to {high}{unit}; change [camera]"
                )

    def _wait_for_lock(self) -> None:
        deadline_s = time.monotonic() + self._patience_s(FRAMES_TO_LOCK)
        for _ in range(FRAMES_TO_LOCK):
            metadata = self._await_job(self._picamera2.capture_metadata, deadline_s)
            if self._is_locked(metadata):
                return
        raise CameraTimeout(
            f"{self._model}: exposure {metadata['ExposureTime']} µs, gain {metadata['AnalogueGain']:.2f} after "
            f"{FRAMES_TO_LOCK} frames, {self._locked['ExposureTime']} µs, gain {self._locked['AnalogueGain']:.2f} "
            "expected; restart the camera"
        )

    def _is_locked(self, metadata: dict[str, Any]) -> bool:
        locked = self._locked
        return (
            math.isclose(metadata["ExposureTime"], locked["ExposureTime"], rel_tol=EXPOSURE_TOLERANCE)
            and math.isclose(metadata["AnalogueGain"], locked["AnalogueGain"], rel_tol=GAIN_TOLERANCE)
            and np.allclose(metadata["ColourGains"], locked["ColourGains"], rtol=GAIN_TOLERANCE)
            and self._is_focused(metadata)
        )

    def _is_focused(self, metadata: dict[str, Any]) -> bool:
        wanted = self._options.lens_position_dioptres
        return wanted is None or math.isclose(metadata["LensPosition"], wanted, abs_tol=FOCUS_TOLERANCE_DIOPTRES)

    def _capture(self, called_s: float) -> Frame:
        if self._picamera2 is None:
            raise DriverError("camera: not open")
        deadline_s = called_s + self._patience_s(frames=4)
        flush_ns = math.ceil(called_s * 1e9)
        request = self._await_job(self._picamera2.capture_request, deadline_s, flush=flush_ns)
        try:
            metadata = request.get_metadata()
            pixels: NDArray[np.uint8] = request.make_array("main")
        finally:
            request.release()
        exposure_us = float(metadata["ExposureTime"])
        return Frame(
            pixels=pixels,
            exposure_us=exposure_us,
            analogue_gain=float(metadata["AnalogueGain"]),
            exposed_at_s=metadata["SensorTimestamp"] * 1e-9 - exposure_us * 1e-6,
            metadata={name: float(metadata[name]) for name in NUMBERS_WANTED if name in metadata},
        )

    def _await_job(self, job: Callable[..., Any], deadline_s: float, **arguments: Any) -> Any:
        """Let picamera2 wait for a frame, not for ever."""
        asked_s = time.monotonic()
        try:
            return job(wait=max(deadline_s - asked_s, 0.001), **arguments)
        except TimeoutError as error:
            self._picamera2.cancel_all_and_flush()
            raise CameraTimeout(
                f"no image from {self._model} in {time.monotonic() - asked_s:.1f} s (exposure "
                f"{self._options.exposure_us:.0f} µs); check the ribbon cable, then Resume"
            ) from error

    def _patience_s(self, frames: int) -> float:
        frame_s = self.description.readout_s + self._options.exposure_us * 1e-6
        return frames * frame_s + GRACE_S

    @property
    def _model(self) -> str:
        return str(self._picamera2.camera_properties.get("Model", "camera"))

    def _describe(self) -> CameraDescription:
        facts = sensor_facts(self._model)
        if facts is None:
            raise NeedsPerson(f"{self._model}: not a known sensor; connect one of {', '.join(SENSORS)}")
        focal_length_mm = self._options.focal_length_mm or facts.focal_length_mm
        if focal_length_mm is None:
            raise NeedsPerson(f"{self._model}: takes interchangeable lenses; set [camera] lens_focal_length_mm")
        size = self._picamera2.camera_configuration()["main"]["size"]
        shortest_frame_us = self._picamera2.camera_controls["FrameDurationLimits"][0]
        return CameraDescription(
            make=MAKE,
            model=facts.model,
            focal_length_mm=focal_length_mm,
            sensor_width_mm=facts.sensor_width_mm,
            width_px=size[0],
            height_px=size[1],
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

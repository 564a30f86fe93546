"""One picamera2 from opening to closing: configured, streaming, locked to settings. Nothing here is asynchronous."""

import gc
import logging
import threading
from typing import Any

from picamera2 import Picamera2

from drivers.camera_controls import check_bounds, in_words, manual_controls, pace_controls, shown_settings, shows
from drivers.camera_memory import buffer_bytes, buffers_that_fit, this_memory
from drivers.camera_stream import (
    Exposed,
    Frames,
    check_configured,
    configure_streams,
)
from drivers.camera_stream_faults import LOOK_UP_S, waiting_for_frame
from drivers.options import Picamera2Options
from drivers.patience import Patience
from drivers.picture import companion_size_px
from drivers.protocols import CameraDescription, CameraSettings, CameraTimeout, CameraUnusable, Clock
from drivers.sensors import SENSORS, sensor_facts

LOG = logging.getLogger(__name__)

FRAMES_TO_LOCK = 30
"""Controls reach the sensor some frames late; this many without seeing them is a fault."""
SENSOR_DELAY_FRAMES = 5
"""From the request that carries controls to the frame that shows them; the slowest sensors take so many."""
FRAMES_TO_WAIT = 4
GRACE_S = 3.0
"""What a busy Pi may take on top of the frames themselves."""
STORED_BYTES_PER_PIXEL = 2
"""Of a mosaic, in the widest of its formats."""
LETTING_GO_S = 8.0
"""Stopping takes some frames; with a cable that hangs half out of its socket libcamera may wait for ever
(picamera2#1264)."""


class CameraSession:
    """An open camera. `close` it, and what it was is lost."""

    def __init__(
        self,
        options: Picamera2Options,
        settings: CameraSettings,
        frame_s: float | None,
        clock: Clock,
        *,
        keeps_raw: bool = False,
    ) -> None:
        """Open, start the stream and lock; `keeps_raw`: frames come raw, too.

        Raises CameraUnusable, CameraTimeout; nothing stays open then.
        """
        self._options = options
        self._keeps_raw = keeps_raw
        self._clock = clock
        self._frame_s = frame_s
        self._closing: threading.Thread | None = None
        self._settled = False
        """Whether frames show what is wanted, and nothing else is under way."""
        self._picamera2 = _opened(options.camera_index)
        self.abandon = threading.Event()
        """Set: nobody waits any more for what is going on."""
        try:
            self._model = str(self._picamera2.camera_properties.get("Model", "camera"))
            self._wanted = check_bounds(settings, self.limits, self._model)
            self._buffer_count = options.buffer_count or self._buffers_that_fit()
            self._configure()
            self.description = self._describe()
            self._picamera2.start()
            self.shown = self._await_lock()
            """What was last seen to be locked, as the sensor rounded it."""
        except BaseException:
            self.close()
            raise

    @property
    def limits(self) -> dict[str, tuple[Any, Any, Any]]:
        """Lowest, highest and usual value of every control that this camera has."""
        return self._picamera2.camera_controls  # type: ignore[no-any-return]

    @property
    def model(self) -> str:
        """What libcamera calls the sensor."""
        return self._model

    @property
    def has_focus_motor(self) -> bool:
        """Whether the lens can be moved."""
        return "LensPosition" in self.limits

    @property
    def wanted(self) -> CameraSettings:
        """What was last asked for."""
        return self._wanted

    @property
    def frames_under_way(self) -> int:
        """How many frames may still come that know nothing of controls set now."""
        return self._buffer_count + SENSOR_DELAY_FRAMES

    def lock(self, settings: CameraSettings) -> CameraSettings:
        """Return what took effect, once a frame shows it. Raises CameraTimeout, CameraUnusable."""
        wanted = check_bounds(settings, self.limits, self._model)
        if self._settled and wanted == self._wanted:
            return self.shown
        # Frames of before that look the same prove nothing.
        surely_seen = self._settled and not shows(self.shown, wanted)
        self._wanted = wanted
        self.set_controls(manual_controls(wanted))
        self._settled = False
        return self._await_lock(0 if surely_seen else self.frames_under_way)

    def leave_to(self, automatics: dict[str, Any]) -> None:
        """Let the camera choose, until the next lock."""
        self.set_controls(automatics)
        self._settled = False

    def pace(self, frame_s: float | None) -> None:
        """Set the time from frame to frame."""
        self._frame_s = frame_s
        self.set_controls(pace_controls(frame_s))

    def set_controls(self, controls: dict[str, Any]) -> None:
        """Let the next request that is queued carry them."""
        self._picamera2.set_controls(controls)

    def frames(self, exposed_after_s: float) -> Frames:
        """Return the frames to come."""
        return Frames(self._picamera2, exposed_after_s, self.abandon)

    def next(self, frames: Frames) -> Exposed:
        """Return the next one; let it go afterwards. Raises CameraTimeout, DriverError when nobody waits any more."""
        with waiting_for_frame(self._model, self._wanted.exposure_us, "ribbon cable"):
            return frames.next(Patience(self._clock, self._patience_s()))

    def shown_in(self, frame: Exposed) -> CameraSettings:
        """Return what a frame was taken with."""
        return shown_settings(frame.metadata, self.has_focus_motor)

    def close(self) -> None:
        """Stop the stream and free the camera. Raises CameraUnusable when libcamera does not let go of it.

        Try again then: later it may.
        """
        if self._closing is None:
            camera, self._picamera2 = self._picamera2, None
            self._closing = threading.Thread(target=camera.close, name="camera-close", daemon=True)
            self._closing.start()
            del camera
        patience = Patience(self._clock, LETTING_GO_S)
        while self._closing.is_alive() and (left_s := patience.left_s) > 0:
            self._closing.join(min(left_s, LOOK_UP_S))
        if self._closing.is_alive():
            raise CameraUnusable(
                f"{self._model}: does not let go after {LETTING_GO_S:.0f} s; switch the scanner off, push the "
                "camera's ribbon cable firmly into both sockets, switch it on again"
            )
        self._closing = None
        # picamera2's objects refer to each other in circles that hold a file of the DMA heap open.
        gc.collect()

    def _configure(self) -> None:
        size_px = (self._options.width_px, self._options.height_px)
        controls = manual_controls(self._wanted) | pace_controls(self._frame_s)
        try:
            configure_streams(self._picamera2, size_px, self._buffer_count, controls, keeps_raw=self._keeps_raw)
        except RuntimeError as error:
            raise CameraUnusable(f"{self._model}: {error}; change [camera] width_px and height_px") from error
        except OSError as error:
            raw_bytes = self._raw_bytes if self._keeps_raw else 0
            megabytes = self._buffer_count * (buffer_bytes(*size_px) + raw_bytes) / 1e6
            raise CameraUnusable(
                f"{self._model}: {self._buffer_count} buffers of {size_px[0]}x{size_px[1]} px need {megabytes:.0f} "
                f"MB of the kernel's contiguous memory: {error.strerror}; give it more (dtoverlay=vc4-kms-v3d,"
                "cma-512 in /boot/firmware/config.txt, then restart), or change [camera] width_px, height_px or raw"
            ) from error
        check_configured(self._picamera2, self._model, size_px)

    def _buffers_that_fit(self) -> int:
        sensor_px = tuple(self._picamera2.camera_properties["PixelArraySize"])
        size_px = (self._options.width_px, self._options.height_px)
        return buffers_that_fit(size_px, sensor_px, this_memory(), keeps_raw=self._keeps_raw)

    @property
    def _raw_bytes(self) -> int:
        """Of one mosaic of the mode that the sensor is in, once it is configured."""
        width_px, height_px = self._picamera2.camera_configuration()["sensor"]["output_size"]
        return int(width_px * height_px) * STORED_BYTES_PER_PIXEL

    def _await_lock(self, blind_frames: int = 0) -> CameraSettings:
        """Return what a frame shows, once it shows what is wanted; the first few prove nothing."""
        with self.frames(0.0) as frames:
            for number in range(blind_frames + FRAMES_TO_LOCK):
                frame = self.next(frames)
                frame.let_go()
                shown = self.shown_in(frame)
                if number >= blind_frames and shows(shown, self._wanted):
                    self.shown, self._settled = shown, True
                    return shown
        raise CameraTimeout(
            f"{self._model}: {in_words(shown)} after {number + 1} frames, {in_words(self._wanted)} expected; "
            "switch the scanner off and on again"
        )

    def _patience_s(self) -> float:
        frame_s = max(self.description.readout_s + self._wanted.exposure_us * 1e-6, self._frame_s or 0.0)
        return FRAMES_TO_WAIT * frame_s + GRACE_S

    def _describe(self) -> CameraDescription:
        facts = sensor_facts(self._model)
        if facts is None:
            raise CameraUnusable(f"{self._model}: not a known sensor; connect one of {', '.join(SENSORS)}")
        focal_length_mm = self._options.focal_length_mm or facts.focal_length_mm
        if focal_length_mm is None:
            raise CameraUnusable(f"{self._model}: takes interchangeable lenses; set [camera] lens_focal_length_mm")
        width_px, height_px = self._picamera2.camera_configuration()["main"]["size"]
        small_width_px, small_height_px = companion_size_px(width_px, height_px)
        return CameraDescription(
            make=facts.make,
            model=facts.model,
            focal_length_mm=focal_length_mm,
            sensor_width_mm=facts.sensor_width_mm,
            width_px=width_px,
            height_px=height_px,
            small_width_px=small_width_px,
            small_height_px=small_height_px,
            readout_s=self.limits["FrameDurationLimits"][0] * 1e-6,
            raw_bytes=self._raw_bytes,
        )


def _opened(index: int) -> Any:
    found = len(Picamera2.global_camera_info())
    if found <= index:
        raise CameraUnusable(f"camera {index}: libcamera sees {found} cameras; check the ribbon cable, then restart")
    try:
        return Picamera2(index)
    except RuntimeError as error:
        reason = error.__cause__ or error
        raise CameraUnusable(f"camera {index}: {reason}; stop the other program that uses it") from error

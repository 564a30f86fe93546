"""One video device from opening to closing: configured, streaming, locked to settings. Nothing is asynchronous."""

import errno
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

from drivers.camera_controls import check_bounds, in_words
from drivers.camera_stream_faults import LOOK_UP_S, Abandoned, FrameLate, waiting_for_frame
from drivers.options_v4l2 import USUAL_FOCAL_LENGTH_MM, V4l2Options
from drivers.patience import Patience
from drivers.picture import companion_size_px
from drivers.protocols import CameraDescription, CameraSettings, CameraTimeout, CameraUnusable, Clock
from drivers.v4l2_bus import bus_of
from drivers.v4l2_controls import Ranges, automatic_values, limits, manual_values, ranges, shown_settings
from drivers.v4l2_device import PixelFormat, VideoDevice, video_devices
from drivers.v4l2_frame import V4l2Frame
from drivers.v4l2_picture import FORMATS
from drivers.v4l2_turns import NoRoom

MAKE = "USB camera"
FRAMES_TO_TAKE_EFFECT = 8
"""A USB camera does not say with which settings a frame was taken; none was seen to need more."""
FRAMES_UNSETTLED = 4
"""Of a stream that goes on after a pause: settings were kept, but first frames come dark, torn or from before."""
STREAM_ON_S = 0.3
"""From STREAMON to the beginning of the first frame."""
FRAMES_TO_WAIT = 6
GRACE_S = 3.0
USUAL_FRAME_S = 1 / 30
FOCAL_OVER_WIDTH = 0.785
"""Of a lens that sees 65° across, as most webcams' do."""


def stream_start_s(frame_s: float, exposure_us: float) -> float:
    """Return what a camera's turn costs before the first frame that counts."""
    return STREAM_ON_S + FRAMES_UNSETTLED * max(frame_s, exposure_us * 1e-6)


class V4l2Frames:
    """Every frame of a running stream that began to be exposed after a moment, in order, no closer than the pace."""

    def __init__(self, session: "V4l2Session", exposed_after_s: float, pace_s: float) -> None:
        self._session = session
        self._after_s = exposed_after_s
        self._pace_s = pace_s

    def __enter__(self) -> "V4l2Frames":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held: what nobody looked at stays in the kernel's queue."""

    def next(self, patience: Patience, abandon: threading.Event) -> V4l2Frame:
        """Return the next one; let it go afterwards. Raises FrameLate, Abandoned, OSError."""
        for frame in self._session.arriving(patience, abandon):
            if frame.exposed_at_s >= self._after_s:
                self._after_s = max(self._after_s, frame.exposed_at_s + self._pace_s)
                return frame
            frame.let_go()
        raise FrameLate


class V4l2Session:
    """An open camera. `close` it, and what it was is lost."""

    def __init__(self, options: V4l2Options, settings: CameraSettings, frame_s: float | None, clock: Clock) -> None:
        """Open, start the stream and lock. Raises CameraUnusable, CameraTimeout; nothing stays open then."""
        self._options, self._clock = options, clock
        self._pace_s = frame_s
        self._settled = False
        self._paused = False
        self.abandon = threading.Event()
        """Set: nobody waits any more for what is going on."""
        self._device, self._path = _opened(options.device)
        self.bus = bus_of(self._path)
        """The USB bus that it hangs on."""
        try:
            self._has: Ranges = ranges(self._device)
            self._format = self._configured()
            self._frame_s = self._device.frame_s() or USUAL_FRAME_S
            self.description = self._describe()
            self.shown = shown_settings(self._device, self._has)
            """What the camera was last seen to be locked to."""
            self._wanted = check_bounds(settings, dict(self.limits), self.model)
            self._set(manual_values(self._wanted, self._has))
            self._device.start(options.buffer_count)
            # Again, and seen: some cameras forget what they were told before the stream began.
            self.lock(settings)
        except OSError as error:
            self.close()
            if error.errno == errno.ENOSPC:
                raise NoRoom(
                    f"{self._device.name} at {self._path}: its USB bus has no room for a stream of "
                    f"{options.width_px}x{options.height_px} px beside what it carries already; plug the cameras "
                    "into different USB buses (lsusb -t shows them), or make width_px and height_px smaller",
                    self.bus,
                ) from error
            raise CameraUnusable(
                f"{self._device.name} at {self._path}: {error.strerror or error}; stop the other program that uses "
                "it, or plug it in anew"
            ) from error
        except BaseException:
            self.close()
            raise

    @property
    def limits(self) -> Mapping[str, tuple[Any, Any, Any]]:
        """Lowest, highest and usual value of what can be set, by libcamera's names."""
        return limits(self._has)

    @property
    def model(self) -> str:
        """What the camera calls itself."""
        return self._device.name

    @property
    def wanted(self) -> CameraSettings:
        """What was last asked for."""
        return self._wanted

    def lock(self, settings: CameraSettings) -> CameraSettings:
        """Return what took effect, once frames must show it. Raises CameraTimeout, CameraUnusable."""
        wanted = check_bounds(settings, dict(self.limits), self.model)
        if self._settled and wanted == self._wanted:
            return self.shown
        self._wanted, self._settled = wanted, False
        values = manual_values(wanted, self._has)
        with self._reached():
            self._set(values)
        self._let_pass(FRAMES_TO_TAKE_EFFECT)
        with self._reached():
            taken = {number: self._device.value(number) for number in values}
            self.shown = shown_settings(self._device, self._has)
        if taken != values:
            raise CameraUnusable(
                f"{self.model}: {in_words(self.shown)} although {in_words(wanted)} was set; plug it in anew"
            )
        self._settled = True
        return self.shown

    def stop_stream(self) -> None:
        """Make room on the bus until `go_on`; a camera that is gone has made it."""
        self._paused = True
        with suppress(OSError):
            self._device.pause()

    def go_on(self) -> None:
        """Stream again after a pause, locked as before it. Raises CameraTimeout, CameraUnusable."""
        if not self._paused:
            return
        with self._reached():
            self._device.go_on()
        self._paused = False
        if not self._settled:
            return
        values = manual_values(self._wanted, self._has)
        with self._reached():
            kept = all(self._device.value(number) == value for number, value in values.items())
        if kept:
            self._let_pass(FRAMES_UNSETTLED)
        else:  # nobody knows what such firmware does to its first frames
            self._settled = False
            self.lock(self._wanted)

    def leave_to_camera(self) -> None:
        """Let the camera choose, until the next lock."""
        self._settled = False
        with self._reached():
            for number, values in automatic_values(self._has).items():
                self._set_first_possible(number, values)

    def chosen(self) -> CameraSettings:
        """Return what the camera says that it has chosen."""
        with self._reached():
            return shown_settings(self._device, self._has)

    def pace(self, frame_s: float | None) -> None:
        """Set the time from frame to frame: a stream keeps its own, frames in between are not looked at."""
        self._pace_s = frame_s

    def frames(self, exposed_after_s: float) -> V4l2Frames:
        """Return the frames to come."""
        return V4l2Frames(self, exposed_after_s, self._pace_s or 0.0)

    def next(self, frames: V4l2Frames) -> V4l2Frame:
        """Return the next one; let it go afterwards. Raises CameraTimeout, DriverError when nobody waits any more."""
        with waiting_for_frame(self.model, self._wanted.exposure_us, "USB cable"), self._reached():
            return frames.next(Patience(self._clock, self._patience_s()), self.abandon)

    def arriving(self, patience: Patience, abandon: threading.Event) -> Iterator[V4l2Frame]:
        """Yield whole frames as they come, until patience runs out. Raises Abandoned, OSError."""
        while (left_s := patience.left_s) > 0:
            if abandon.is_set():
                raise Abandoned
            buffer = self._device.filled(min(left_s, LOOK_UP_S))
            if buffer is None:
                continue
            if not buffer.is_monotonic:
                raise CameraUnusable(
                    f"{self.model}: does not stamp its frames by the monotonic clock, so nobody knows when they were "
                    "exposed; load uvcvideo with clock=CLOCK_MONOTONIC, or use another camera"
                )
            frame = V4l2Frame(self._device, buffer, self._format, self.shown, self._frame_s)
            if buffer.is_broken:
                frame.let_go()
                continue
            yield frame

    def close(self) -> None:
        """Stop the stream and free the device."""
        self._device.close()

    def _configured(self) -> PixelFormat:
        wanted_px = (self._options.width_px, self._options.height_px)
        got = PixelFormat(0, 0, 0, 0, True)
        for fourcc in FORMATS:
            got = self._device.configure(fourcc, *wanted_px)
            if (got.fourcc, got.width_px, got.height_px) == (fourcc, *wanted_px):
                return got
        raise CameraUnusable(
            f"{self.model}: takes {got.width_px}x{got.height_px} in place of {wanted_px[0]}x{wanted_px[1]}; change "
            f"[camera] width_px and height_px (v4l2-ctl -d {self._path} --list-formats-ext shows what there is)"
        )

    def _set(self, values: dict[int, int]) -> None:
        for number, value in values.items():
            self._device.set(number, value)

    def _set_first_possible(self, number: int, values: tuple[int, ...]) -> None:
        *others, last = values
        for value in others:
            with suppress(OSError):
                return self._device.set(number, value)
        return self._device.set(number, last)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Say in words that the camera does not answer."""
        try:
            yield
        except OSError as error:
            raise CameraTimeout(
                f"no answer from {self.model} at {self._path}: {error.strerror or error}; check the USB cable, "
                "then Resume"
            ) from error

    def _let_pass(self, frame_count: int) -> None:
        with self.frames(time.monotonic()) as frames:
            for _ in range(frame_count):
                self.next(frames).let_go()

    def _patience_s(self) -> float:
        frame_s = max(self._frame_s + self._wanted.exposure_us * 1e-6, self._pace_s or 0.0)
        return FRAMES_TO_WAIT * frame_s + GRACE_S

    def _describe(self) -> CameraDescription:
        focal_length_mm = self._options.focal_length_mm or USUAL_FOCAL_LENGTH_MM
        width_px, height_px = self._format.width_px // 2 * 2, self._format.height_px // 2 * 2
        small_width_px, small_height_px = companion_size_px(width_px, height_px)
        return CameraDescription(
            make=MAKE,
            model=self.model,
            focal_length_mm=focal_length_mm,
            sensor_width_mm=self._options.sensor_width_mm or focal_length_mm / FOCAL_OVER_WIDTH,
            width_px=width_px,
            height_px=height_px,
            small_width_px=small_width_px,
            small_height_px=small_height_px,
            readout_s=self._frame_s,
        )


def _opened(wanted: str | None) -> tuple[VideoDevice, str]:
    reasons = []
    for path in [wanted] if wanted else video_devices():
        try:
            device = VideoDevice(path)
        except OSError as error:
            reasons.append(f"{path}: {error.strerror or error}")
            continue
        if wanted or device.is_usb:
            return device, path
        device.close()
    found = "; ".join(reasons) or "the kernel sees no camera on USB"
    raise CameraUnusable(f"camera: {found}; plug the USB camera in, or set [camera] device, then Resume")

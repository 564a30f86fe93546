"""One DSLR from opening to closing: set up, locked, a look or a photo when somebody asks. Nothing is asynchronous."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any

import numpy as np

from drivers.camera_controls import check_bounds
from drivers.camera_stream_faults import BrokenPicture
from drivers.gphoto2_body import ISO, SHUTTER, BodyFault
from drivers.gphoto2_choices import JPEG_ENDINGS, bounds, gain, nearest, seconds
from drivers.gphoto2_picture import camera_says, pixels_of, preview_of, upright
from drivers.gphoto2_setup import opened, require_battery, set_up
from drivers.options_gphoto2 import Gphoto2Options
from drivers.patience import Patience
from drivers.picture import Planes, companion_size_px
from drivers.protocols import CameraDescription, CameraSettings, CameraTimeout, CameraUnusable, Clock, DriverError
from drivers.raw_picture import RawFile

LOOK_LAG_S = 0.3
"""What a preview shows may have happened so long before it arrives."""
LOOKS_S = 4.0
"""So long previews may fail before the camera counts as silent: a body that has just taken a photo shows none."""
GREY = 128
USUAL_FOCAL_LENGTH_MM, USUAL_SENSOR_WIDTH_MM = 50.0, 36.0


class Gphoto2Frame:
    """A look through the lens, until `photo` releases the shutter; a photo from then on."""

    def __init__(self, session: "Gphoto2Session", after_s: float) -> None:
        self._session, self._after_s = session, after_s
        self._files: dict[str, bytes] = {}
        self._photo: Planes | None = None
        self._exposed_at_s = after_s

    @property
    def is_preview(self) -> bool:
        """Whether the shutter was not released yet."""
        return self._photo is None

    @property
    def exposure_us(self) -> float:
        """As the camera is set to."""
        return self._session.shown.exposure_us

    @property
    def analogue_gain(self) -> float:
        """As the camera is set to: ISO over 100."""
        return self._session.shown.analogue_gain

    @property
    def exposed_at_s(self) -> float:
        """The earliest that the exposure can have begun, on the system's monotonic clock."""
        return self._exposed_at_s

    @property
    def numbers(self) -> dict[str, float]:
        """The camera's own file says the rest."""
        return {}

    def photo(self) -> Planes:
        """Release the shutter, and return the whole picture. Raises CameraTimeout, CameraUnusable, BrokenPicture."""
        if self._photo is None:
            self._exposed_at_s = time.monotonic()
            self._files = self._session.take()
            self._photo = self._session.checked(self.jpeg())
        return self._photo

    def jpeg(self) -> bytes:
        """Return the camera's own file. Raises BrokenPicture."""
        found = next((data for ending, data in self._files.items() if ending in JPEG_ENDINGS), None)
        if found is None:
            raise BrokenPicture(f"camera: no JPEG among {sorted(self._files)}; set its image quality to JPEG")
        return upright(found)

    def raw(self) -> RawFile | None:
        """Return the camera's raw file, where one was asked for."""
        others = ((ending, data) for ending, data in self._files.items() if ending not in JPEG_ENDINGS)
        return next((RawFile(data, ending) for ending, data in others), None)

    def small(self) -> Planes:
        """Return the photo's companion; before there is one, what the camera sees. Raises CameraTimeout."""
        width_px, height_px = self._session.small_px
        if self._photo is not None:
            return self._photo.shrunk(width_px, height_px)
        picture, self._exposed_at_s = self._session.look(self._after_s)
        return picture

    def let_go(self) -> None:
        """Nothing is held."""


class Gphoto2Frames:
    """Looks from a moment on."""

    def __init__(self, session: "Gphoto2Session", after_s: float) -> None:
        self.session, self.after_s = session, after_s

    def __enter__(self) -> "Gphoto2Frames":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""


class Gphoto2Session:
    """An open camera. `close` it, and what it was is lost."""

    def __init__(
        self, options: Gphoto2Options, settings: CameraSettings, clock: Clock, *, keeps_raw: bool = False
    ) -> None:
        """Open, set up, lock, and take a photo that proves it. Raises CameraUnusable, CameraTimeout."""
        self._options, self._clock = options, clock
        self._size_px = (options.width_px, options.height_px)
        self.small_px = companion_size_px(*self._size_px)
        self.abandon = threading.Event()
        """Set: nobody waits any more for what is going on."""
        self._body = opened(options.device)
        try:
            with self._answered("does not take settings"):
                self._set = set_up(self._body, options.aperture, keeps_raw=keeps_raw)
                self._can_look = self._body.can_look
                self._shutter, self._iso = self._body.choices(SHUTTER), self._body.choices(ISO)
            self.limits: Mapping[str, tuple[Any, Any, Any]] = self._limits()
            self.shown = self._wanted = settings
            self.lock(settings)
            self.description = self._proved(keeps_raw)
        except BaseException:
            self.close()
            raise

    @property
    def model(self) -> str:
        """What the camera calls itself."""
        return self._body.model

    @property
    def wanted(self) -> CameraSettings:
        """What was last asked for."""
        return self._wanted

    def lock(self, settings: CameraSettings) -> CameraSettings:
        """Return what took effect: the nearest that the camera has. Raises CameraTimeout, CameraUnusable."""
        wanted = check_bounds(settings, dict(self.limits), self.model)
        self._wanted = wanted
        with self._answered("does not take settings"):
            speed = self._nearest(SHUTTER, self._shutter, wanted.exposure_us * 1e-6)
            iso = self._nearest(ISO, self._iso, wanted.analogue_gain)
        self.shown = replace(
            wanted, exposure_us=(seconds(speed) or 0.0) * 1e6, analogue_gain=(gain(iso) if iso else None) or 1.0
        )
        return self.shown

    def pace(self, frame_s: float | None) -> None:
        """A photo is taken when it is asked for."""

    def frames(self, exposed_after_s: float) -> Gphoto2Frames:
        """Return the looks to come."""
        return Gphoto2Frames(self, exposed_after_s)

    def next(self, frames: Gphoto2Frames) -> Gphoto2Frame:
        """Return the next one. Raises DriverError when nobody waits any more."""
        if self.abandon.is_set():
            raise DriverError("camera: nobody waits for this frame any more")
        return Gphoto2Frame(self, frames.after_s)

    def look(self, after_s: float) -> tuple[Planes, float]:
        """Return what the camera sees, and since when at the earliest. Raises CameraTimeout, DriverError.

        A body without live view shows plain grey: nobody takes that for an object at rest.
        """
        if not self._can_look:
            width_px, height_px = self.small_px
            half = np.full((height_px // 2, width_px // 2), GREY, np.uint8)
            return Planes(np.full((height_px, width_px), GREY, np.uint8), half, half.copy()), time.monotonic()
        patience = Patience(self._clock, LOOKS_S)
        while not self.abandon.is_set():
            try:
                jpeg = self._body.look()
            except BodyFault as fault:
                if fault.is_gone or patience.left_s <= 0:
                    raise self._silent("shows nothing", fault) from fault
                continue
            seen_s = time.monotonic() - LOOK_LAG_S
            if seen_s >= after_s:
                return preview_of(jpeg, self.small_px), seen_s
        raise DriverError("camera: nobody waits for this frame any more")

    def take(self) -> dict[str, bytes]:
        """Release the shutter and return the photo's files. Raises CameraTimeout, CameraUnusable."""
        with self._answered("takes no photo"):
            require_battery(self._body)
            return self._body.take(files=self._set.files)

    def checked(self, jpeg: bytes) -> Planes:
        """Return the pixels of a photo of the right size. Raises BrokenPicture, CameraUnusable."""
        pixels = pixels_of(jpeg)
        height_px, width_px = pixels.shape[:2]
        if (width_px, height_px) != self._size_px:
            raise CameraUnusable(
                f"{self.model}: takes {width_px}x{height_px} in place of {self._size_px[0]}x{self._size_px[1]}; "
                "change [camera] width_px and height_px, or the image size in the camera's menu"
            )
        return Planes.from_rgb(pixels)

    def close(self) -> None:
        """Let go of the camera."""
        self._body.close()

    def _limits(self) -> Mapping[str, tuple[Any, Any, Any]]:
        speeds = bounds(self._shutter, seconds)
        if speeds is None:
            raise CameraUnusable(
                f"{self.model}: its exposure cannot be set; turn its mode dial to M, or use another camera"
            )
        gains = bounds(self._iso, gain) or (1.0, 1.0)
        return {
            "ExposureTime": (speeds[0] * 1e6 * 0.99, speeds[1] * 1e6 * 1.01, None),
            "AnalogueGain": (gains[0], gains[1], None),
        }

    def _nearest(self, names: tuple[str, ...], choices: list[str], wanted: float) -> str:
        """Set a setting to what is nearest, unless it is there. Raises BodyFault, CameraUnusable."""
        value = nearest(choices, wanted, seconds if names is SHUTTER else gain)
        if value is None:
            return ""
        if self._body.value(names) != value:
            self._body.set(names, value)
        told = self._body.value(names)
        if told != value:
            raise CameraUnusable(
                f"{self.model}: shows {told} although {value} was set; turn its mode dial to M and close its menus"
            )
        return value

    def _proved(self, keeps_raw: bool) -> CameraDescription:
        """Take a photo: nothing else tells its size, or that the shutter opens at all."""
        began_s = time.monotonic()
        frame = Gphoto2Frame(self, began_s)
        frame.photo()
        readout_s = max(0.0, time.monotonic() - began_s - self.shown.exposure_us * 1e-6)
        if keeps_raw and frame.raw() is None:
            raise CameraUnusable(f"{self.model}: gives no raw file beside its JPEG; set [camera] raw to never")
        says = camera_says(frame.jpeg())
        focal_length_mm = self._options.focal_length_mm or says.focal_length_mm or USUAL_FOCAL_LENGTH_MM
        return CameraDescription(
            make=says.make or "DSLR",
            model=says.model or self.model,
            focal_length_mm=focal_length_mm,
            sensor_width_mm=self._options.sensor_width_mm or says.sensor_width_mm or USUAL_SENSOR_WIDTH_MM,
            width_px=self._size_px[0],
            height_px=self._size_px[1],
            small_width_px=self.small_px[0],
            small_height_px=self.small_px[1],
            readout_s=readout_s,
            raw_bytes=2 * self._size_px[0] * self._size_px[1] if self._set.can_raw else None,
        )

    @contextmanager
    def _answered(self, what: str) -> Iterator[None]:
        try:
            yield
        except BodyFault as fault:
            raise self._silent(what, fault) from fault

    def _silent(self, what: str, fault: BodyFault) -> CameraTimeout:
        return CameraTimeout(
            f"{self.model} at {self._body.port} {what}: {fault}; check that it is switched on, its battery and its "
            "USB cable, then Resume"
        )

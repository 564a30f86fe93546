"""One stream through picamera2: full frames with their small companions, in order, for as long as it runs.

Both come from one exposure, as planes of YUV 4:2:0 in full range, which is what JPEG holds. Nothing is ever
reconfigured while a scan runs: a mode switch costs half a second where the next frame of a running stream is there
within one frame time.
"""

import queue
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from picamera2 import MappedArray
from picamera2.sensor_format import SensorFormat

from drivers.camera_stream_faults import LOOK_UP_S, Abandoned, FrameLate
from drivers.patience import Patience
from drivers.picture import Planes, companion_size_px
from drivers.protocols import CameraUnusable
from drivers.raw_picture import MosaicFormat, RawFormatUnknown, RawMosaic, black_levels_of

PIXEL_FORMAT = "YUV420"
LIMITED_RANGE = "Limited"
USUAL_BLACK_OF_16_BITS = 4096
"""Of all Sony sensors on Raspberry Pi's modules, where the metadata do not say."""
NUMBERS_WANTED = (
    "DigitalGain", "ColourTemperature", "FocusFoM", "FrameDuration", "LensPosition", "Lux", "SensorTemperature"
)  # fmt: skip


def configure_streams(
    picamera2: Any, size_px: tuple[int, int], buffer_count: int, controls: Any, *, keeps_raw: bool
) -> None:
    """Configure photo and companion, and on request the mosaic; sYCC, picamera2's default for stills, is JPEG's.

    Raises RuntimeError, OSError where memory is missing, CameraUnusable.
    """

    def configure(raw: Any) -> None:
        picamera2.configure(
            picamera2.create_still_configuration(
                main={"size": size_px, "format": PIXEL_FORMAT},
                lores={"size": companion_size_px(*size_px), "format": PIXEL_FORMAT},
                raw=raw,
                buffer_count=buffer_count,
                # No finished frame is held back: nobody asks for one that was exposed before the question.
                queue=False,
                controls=controls,
            )
        )

    if not keeps_raw:
        configure(None)
        return
    configure({"format": picamera2.sensor_format, "size": size_px})
    if not _mosaic_is_readable(picamera2):
        # A Pi 5 compresses mosaics in a way of its own unless it is asked for whole pixels.
        configure({"format": SensorFormat(picamera2.sensor_format).unpacked, "size": size_px})
    raw = picamera2.camera_configuration()["raw"]
    if not _mosaic_is_readable(picamera2):
        raise CameraUnusable(
            f"camera: raw frames come as {raw['format']}, which nobody can read; set [camera] raw to never"
        )


def _mosaic_is_readable(picamera2: Any) -> bool:
    try:
        MosaicFormat.named(picamera2.camera_configuration()["raw"]["format"])
    except RawFormatUnknown:
        return False
    return True


def check_configured(picamera2: Any, model: str, size_px: tuple[int, int]) -> None:
    """Refuse what libcamera made of it silently, lest a scan learns it from its photos. Raises CameraUnusable."""
    configured = picamera2.camera_configuration()
    taken_px = configured["main"]["size"]
    if taken_px != size_px:
        raise CameraUnusable(
            f"{model}: takes {taken_px[0]}x{taken_px[1]} in place of {size_px[0]}x{size_px[1]}; "
            "change [camera] width_px and height_px"
        )
    formats = {configured[name]["format"] for name in ("main", "lores")}
    # picamera2's own words for the colour space leave the range out.
    space = picamera2.libcamera_config.at(0).color_space
    if formats != {PIXEL_FORMAT} or (space is not None and space.range.name == LIMITED_RANGE):
        raise CameraUnusable(
            f"{model}: delivers {'/'.join(sorted(formats))} in {space}, {PIXEL_FORMAT} in full range expected; "
            "update libcamera and picamera2"
        )


class Exposed:
    """A frame that lies in the camera's memory; look at it, then let it go."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self.metadata: dict[str, Any] = request.get_metadata()

    @property
    def is_preview(self) -> bool:
        """The stream's frames are photos, every one."""
        return False

    @property
    def exposure_us(self) -> float:
        """How long the shutter was open."""
        return float(self.metadata["ExposureTime"])

    @property
    def exposed_at_s(self) -> float:
        """Start of the exposure on the system's monotonic clock: the sensor's timestamp is the end of it."""
        return float(self.metadata["SensorTimestamp"]) * 1e-9 - self.exposure_us * 1e-6

    @property
    def analogue_gain(self) -> float:
        """What the sensor amplified by."""
        return float(self.metadata["AnalogueGain"])

    @property
    def numbers(self) -> dict[str, float]:
        """Metadata that is worth keeping with a photo."""
        return {name: float(self.metadata[name]) for name in NUMBERS_WANTED if name in self.metadata}

    def photo(self) -> Planes:
        """Return a copy of the whole picture."""
        return self._copied("main")

    def small(self) -> Planes:
        """Return a copy of the companion."""
        return self._copied("lores")

    def jpeg(self) -> None:
        """It makes none."""

    def raw(self) -> RawMosaic | None:
        """Return a copy of the mosaic; None where none was asked for."""
        stream = self._request.config["raw"]
        if stream is None:
            return None
        width_px, height_px = stream["size"]
        with MappedArray(self._request, "raw", reshape=False, write=False) as mapped:
            rows = mapped.array[: height_px * stream["stride"]].reshape(height_px, stream["stride"])
            return mosaic_of(rows, width_px, MosaicFormat.named(stream["format"]), self.metadata)

    def _copied(self, stream: str) -> Planes:
        width_px, height_px = self._request.config[stream]["size"]
        with MappedArray(self._request, stream, reshape=False, write=False) as mapped:
            return _planes(mapped.array, width_px, height_px, self._request.config[stream]["stride"])

    def let_go(self) -> None:
        """Give the memory back to the camera."""
        self._request.release()


def _planes(buffer: NDArray[np.uint8], width_px: int, height_px: int, stride_bytes: int) -> Planes:
    """Copy brightness and colours out of a buffer whose rows are padded, colours' by half as much."""
    bright_end = height_px * stride_bytes
    colour_end = bright_end + height_px * stride_bytes // 4
    rows = buffer[:bright_end].reshape(height_px, stride_bytes)
    colours = [
        buffer[start : start + height_px * stride_bytes // 4].reshape(height_px // 2, stride_bytes // 2)
        for start in (bright_end, colour_end)
    ]
    return Planes(rows[:, :width_px].copy(), *(colour[:, : width_px // 2].copy() for colour in colours))


def mosaic_of(rows: NDArray[np.uint8], width_px: int, pixels: MosaicFormat, metadata: dict[str, Any]) -> RawMosaic:
    """Copy a mosaic out of a buffer; libcamera's levels are those of 16 bits."""
    levels = metadata.get("SensorBlackLevels") or (USUAL_BLACK_OF_16_BITS,) * 4
    red, beside_red, beside_blue, blue = (level / (1 << (16 - pixels.bits)) for level in levels)
    gain_red, gain_blue = metadata["ColourGains"]
    return RawMosaic(
        rows=rows[:, : pixels.row_bytes(width_px)].copy(),
        width_px=width_px,
        format=pixels,
        black_levels=black_levels_of(pixels.pattern, (red, beside_red, beside_blue, blue)),
        colour_gains=(float(gain_red), float(gain_blue)),
        srgb_from_balanced=tuple(metadata["ColourCorrectionMatrix"])
        if "ColourCorrectionMatrix" in metadata
        else None,
    )


def _nobody_listens(request: Any) -> None:
    """Frames that come now are for nobody."""


class Frames:
    """Every frame of a running stream from now on, in order. A context: leaving it gives back what was not looked at.

    picamera2 hands over each finished frame by `pre_callback`, in its own thread; asked for one frame after the other
    it would skip those that come while the caller thinks. What the caller holds the sensor cannot fill, so a frame is
    to be let go before the next is asked for.
    """

    def __init__(self, picamera2: Any, exposed_after_s: float, abandon: threading.Event) -> None:
        self._picamera2 = picamera2
        self._after_s = exposed_after_s
        self._abandon = abandon
        self._arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> "Frames":
        self._picamera2.pre_callback = self._take
        return self

    def __exit__(self, *_: object) -> None:
        # Never None: picamera2 looks whether there is one, then reads it again to call it; its thread would die.
        self._picamera2.pre_callback = _nobody_listens
        with self._lock:
            self._closed = True
        while not self._arrived.empty():
            self._arrived.get_nowait().release()

    def _take(self, request: Any) -> None:
        """In picamera2's thread, which an exception would end."""
        with self._lock:
            if not self._closed:
                request.acquire()
                self._arrived.put(request)

    def next(self, patience: Patience) -> Exposed:
        """Return the next one; let it go afterwards. Raises FrameLate, Abandoned."""
        for request in self._requests(patience):
            frame = Exposed(request)
            if frame.exposed_at_s >= self._after_s:
                return frame
            frame.let_go()
        raise FrameLate

    def _requests(self, patience: Patience) -> Iterator[Any]:
        while (left_s := patience.left_s) > 0:
            if self._abandon.is_set():
                raise Abandoned
            try:
                yield self._arrived.get(timeout=min(left_s, LOOK_UP_S))
            except queue.Empty:
                continue

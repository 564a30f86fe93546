"""One frame of a USB camera, and what is known of it."""

from functools import cached_property

from drivers.picture import Planes
from drivers.protocols import CameraSettings
from drivers.v4l2_device import FilledBuffer, PixelFormat, VideoDevice
from drivers.v4l2_picture import companion, photo


class V4l2Frame:
    """One frame, in the kernel's buffer until it is let go."""

    def __init__(self, device: VideoDevice, buffer: FilledBuffer, pixel_format: PixelFormat, shown: CameraSettings,
                 frame_s: float) -> None:  # fmt: skip
        self._device, self._buffer, self._format = device, buffer, pixel_format
        self._shown = shown
        self._frame_s = frame_s

    @property
    def is_preview(self) -> bool:
        """The stream's frames are photos, every one."""
        return False

    @property
    def exposure_us(self) -> float:
        """As the camera is set to."""
        return self._shown.exposure_us

    @property
    def analogue_gain(self) -> float:
        """As the camera is set to, on the driver's scale."""
        return self._shown.analogue_gain

    @property
    def exposed_at_s(self) -> float:
        """The earliest that the exposure can have begun, on the system's monotonic clock.

        The stamp is its start, which some firmware takes for that of the readout, or the frame's arrival.
        """
        readout_s = 0.0 if self._buffer.at_start_of_exposure else self._frame_s
        return self._buffer.timestamp_s - readout_s - self.exposure_us * 1e-6

    @property
    def numbers(self) -> dict[str, float]:
        """Where the lens stood, if a motor moves it."""
        focus = self._shown.focus_dioptres
        return {} if focus is None else {"LensPosition": focus}

    def photo(self) -> Planes:
        """Return the whole picture. Raises BrokenPicture."""
        return photo(self._data, self._format)

    def raw(self) -> None:
        """The kernel gives nothing of the kind."""

    def jpeg(self) -> None:
        """Its compression is too strong to be kept as it is, and knows no EXIF."""

    def small(self) -> Planes:
        """Return the companion. Raises BrokenPicture."""
        return companion(self._data, self._format)

    def let_go(self) -> None:
        """Give the buffer back; a camera that is gone does not want it any more."""
        try:
            self._device.queue(self._buffer.index)
        except OSError:
            return  # the next frame says so

    @cached_property
    def _data(self) -> bytes:
        return self._device.content(self._buffer)

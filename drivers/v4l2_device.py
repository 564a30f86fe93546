"""One video device of the kernel, through its ioctls (Documentation/userspace-api/media/v4l).

Nothing here knows what a photo is: formats, controls, and buffers that the kernel fills. What goes wrong comes out as
OSError; ENODEV says that it was unplugged.
"""

import ctypes
import os
import select
from contextlib import suppress
from dataclasses import dataclass
from fcntl import ioctl
from mmap import mmap
from os import open as open_file
from pathlib import Path
from typing import Any

import videodev2 as v4l2

CAPTURE, MAPPED = v4l2.V4L2_BUF_TYPE_VIDEO_CAPTURE, v4l2.V4L2_MEMORY_MMAP


@dataclass(frozen=True)
class ControlRange:
    """What a control can be set to, in the camera's own units."""

    lowest: int
    highest: int
    step: int
    usual: int

    def nearest(self, value: float) -> int:
        """Return the nearest value there is."""
        inside = min(max(value, self.lowest), self.highest)
        return min(self.lowest + round((inside - self.lowest) / self.step) * self.step, self.highest)


@dataclass(frozen=True)
class PixelFormat:
    """What the kernel agreed to deliver."""

    fourcc: int
    width_px: int
    height_px: int
    row_bytes: int
    full_range: bool
    """Brightness from 0 to 255, not from 16 to 235."""


@dataclass(frozen=True)
class FilledBuffer:
    """A buffer that holds a frame until it is queued again."""

    index: int
    used_bytes: int
    timestamp_s: float
    is_monotonic: bool
    at_start_of_exposure: bool
    """False: the frame had arrived."""
    is_broken: bool
    sequence: int


def video_devices() -> list[str]:
    """Return what may be cameras, the first one first; each has further nodes that deliver no pictures."""
    return [str(path) for path in sorted(Path("/dev").glob("video*"), key=lambda path: (len(path.name), path.name))]


class VideoDevice:
    """An open video device. `close` it."""

    def __init__(self, path: str) -> None:
        """Open it. Raises OSError, also where it does not deliver pictures."""
        self._fd = open_file(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._memory: list[Any] = []
        try:
            told = self._asked(v4l2.VIDIOC_QUERYCAP, v4l2.v4l2_capability())
            can = told.device_caps if told.capabilities & v4l2.V4L2_CAP_DEVICE_CAPS else told.capabilities
            if not (can & v4l2.V4L2_CAP_VIDEO_CAPTURE and can & v4l2.V4L2_CAP_STREAMING):
                raise OSError(f"{path} delivers no pictures")
        except BaseException:
            os.close(self._fd)
            raise
        self.name = _text(told.card)
        """What the camera calls itself."""
        self.is_usb = _text(told.bus_info).startswith("usb-")
        """Else it may be a ribbon cable's receiver or an image processor, of which a Pi has a dozen."""

    def control(self, number: int) -> ControlRange | None:
        """Return a control's range; None when the camera does not have it."""
        asked = v4l2.v4l2_queryctrl()
        asked.id = number
        try:
            told = self._asked(v4l2.VIDIOC_QUERYCTRL, asked)
        except OSError:  # EINVAL: not there
            return None
        if told.flags & v4l2.V4L2_CTRL_FLAG_DISABLED:
            return None
        return ControlRange(told.minimum, told.maximum, max(1, told.step), told.default_value)

    def value(self, number: int) -> int:
        """Return what a control is at."""
        asked = v4l2.v4l2_control()
        asked.id = number
        return int(self._asked(v4l2.VIDIOC_G_CTRL, asked).value)

    def set(self, number: int, value: int) -> None:
        """Set a control."""
        asked = v4l2.v4l2_control()
        asked.id, asked.value = number, value
        self._asked(v4l2.VIDIOC_S_CTRL, asked)

    def configure(self, fourcc: int, width_px: int, height_px: int) -> PixelFormat:
        """Ask for a format; the kernel makes the nearest of it."""
        asked = v4l2.v4l2_format()
        asked.type = CAPTURE
        asked.fmt.pix.width, asked.fmt.pix.height = width_px, height_px
        asked.fmt.pix.pixelformat, asked.fmt.pix.field = fourcc, v4l2.V4L2_FIELD_ANY
        got = self._asked(v4l2.VIDIOC_S_FMT, asked).fmt.pix
        full_range = got.quantization == v4l2.V4L2_QUANTIZATION_FULL_RANGE
        return PixelFormat(got.pixelformat, got.width, got.height, got.bytesperline, full_range)

    def frame_s(self) -> float | None:
        """Return the time from frame to frame; None when the camera does not say."""
        asked = v4l2.v4l2_streamparm()
        asked.type = CAPTURE
        try:
            took = self._asked(v4l2.VIDIOC_G_PARM, asked).parm.capture.timeperframe
        except OSError:
            return None
        return took.numerator / took.denominator if took.denominator else None

    def start(self, buffer_count: int) -> None:
        """Let the kernel fill buffers, one after the other. ENOSPC: the bus has no room for the stream."""
        for index in range(self._asked(v4l2.VIDIOC_REQBUFS, _request_for(buffer_count)).count):
            buffer = self._buffer(index)
            self._asked(v4l2.VIDIOC_QUERYBUF, buffer)
            self._memory.append(mmap(self._fd, buffer.length, offset=buffer.m.offset))
            self.queue(index)
        self._asked(v4l2.VIDIOC_STREAMON, ctypes.c_int(CAPTURE))

    def pause(self) -> None:
        """Stop filling them, which frees the room on the bus; what lies in them is lost, controls stay."""
        self._asked(v4l2.VIDIOC_STREAMOFF, ctypes.c_int(CAPTURE))

    def go_on(self) -> None:
        """Fill them again after a pause, which took all of them from the kernel."""
        for index in range(len(self._memory)):
            self.queue(index)
        self._asked(v4l2.VIDIOC_STREAMON, ctypes.c_int(CAPTURE))

    def filled(self, timeout_s: float) -> FilledBuffer | None:
        """Return the oldest frame that was not looked at, or None when none came in time."""
        waiting = select.poll()
        waiting.register(self._fd, select.POLLIN)
        if not waiting.poll(timeout_s * 1000):
            return None
        try:
            told = self._asked(v4l2.VIDIOC_DQBUF, self._buffer(0))
        except BlockingIOError:
            return None
        kind, source = told.flags & v4l2.V4L2_BUF_FLAG_TIMESTAMP_MASK, told.flags & v4l2.V4L2_BUF_FLAG_TSTAMP_SRC_MASK
        return FilledBuffer(
            index=told.index,
            used_bytes=told.bytesused,
            timestamp_s=told.timestamp.tv_sec + told.timestamp.tv_usec * 1e-6,
            is_monotonic=kind == v4l2.V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
            at_start_of_exposure=source == v4l2.V4L2_BUF_FLAG_TSTAMP_SRC_SOE,
            is_broken=bool(told.flags & v4l2.V4L2_BUF_FLAG_ERROR),
            sequence=told.sequence,
        )

    def content(self, buffer: FilledBuffer) -> bytes:
        """Return a copy of what a buffer holds."""
        return bytes(self._memory[buffer.index][: buffer.used_bytes])

    def queue(self, index: int) -> None:
        """Give a buffer to the kernel."""
        self._asked(v4l2.VIDIOC_QBUF, self._buffer(index))

    def close(self) -> None:
        """Stop and let go, also of a camera that is gone."""
        with suppress(OSError):
            self.pause()
        for memory in self._memory:
            memory.close()
        self._memory = []
        with suppress(OSError):
            self._asked(v4l2.VIDIOC_REQBUFS, _request_for(0))
        os.close(self._fd)

    def _buffer(self, index: int) -> Any:
        buffer = v4l2.v4l2_buffer()
        buffer.type, buffer.memory, buffer.index = CAPTURE, MAPPED, index
        return buffer

    def _asked(self, request: int, argument: Any) -> Any:
        ioctl(self._fd, request, argument)
        return argument


def _request_for(buffer_count: int) -> Any:
    asked = v4l2.v4l2_requestbuffers()
    asked.count, asked.type, asked.memory = buffer_count, CAPTURE, MAPPED
    return asked


def _text(characters: Any) -> str:
    return bytes(characters).split(b"\0")[0].decode(errors="replace").strip()

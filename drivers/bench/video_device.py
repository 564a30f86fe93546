"""A USB camera as the kernel shows it: beneath the ioctls of the driver for video devices.

The same sensor and world as the camera on the ribbon cable has, behind the interface of the kernel's uvcvideo:
formats, controls in the camera's own units, buffers that are filled in order, and frames that are lost while none is
free. A picture is computed when somebody reads a buffer.
"""

import errno
import os
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

import videodev2 as v4l2

from drivers.bench.automatics import AfState, Eye
from drivers.bench.camera_rig import CameraRig, LatentFrame
from drivers.bench.light_meter import LightMeter
from drivers.bench.sensor import Sensor
from drivers.bench.sensor_models import SensorMode
from drivers.bench.sensor_settings import SensorSettings
from drivers.bench.usb_bus import UsbBus
from drivers.bench.video_controls import VideoControls
from drivers.bench.video_picture import motion_jpeg, yuyv
from drivers.bench.world import Shot

CARD = b"Bench Webcam"
FORMATS = (v4l2.V4L2_PIX_FMT_MJPEG, v4l2.V4L2_PIX_FMT_YUYV)
BYTES_PER_PIXEL = {v4l2.V4L2_PIX_FMT_MJPEG: 0.5, v4l2.V4L2_PIX_FMT_YUYV: 2.0}
"""Of the room on the bus that a camera asks for, whatever it sends then."""
METERED_SHARE = 4
"""The automatics look at a picture of so much less width."""


class BenchVideo:
    """One video device, which `BenchKernel` shows; the sensor's thread calls what `FrameSink` names."""

    def __init__(self, rig: CameraRig, path: str = "/dev/video0", usb: UsbBus | None = None) -> None:
        """Plugged in, at a bus of its own if none is named."""
        self._rig = rig
        self.path = path
        self.usb = usb or UsbBus()
        self._sensor = Sensor(rig.world.clock, rig.model)
        self._lock = threading.Lock()
        self._plugged_in = True
        self._owner: int | None = None
        self._open: set[int] = set()
        self.controls = VideoControls(rig.model)
        self.formats = list(FORMATS)
        """Which it offers; take one away before it is opened."""
        self.bus = b"usb-bench-1"
        """Where it is plugged in."""
        self.bus_is_full = False
        """Other devices carry so much over the same bus that there is no room for this one's stream."""
        self.forgets_when_stopped = False
        """Its firmware goes back to what it was switched on with whenever the stream stops."""
        self.starts = 0
        """How often its stream was started."""
        self.tears_pictures = 0
        """So many of the pictures to come lose their end on the way."""
        self._fourcc, self._size_px = FORMATS[0], (0, 0)
        self._mode: SensorMode = rig.model.full
        self._meter: LightMeter | None = None
        self._free: deque[int] = deque()
        self._filled: deque[int] = deque()
        self._in_readout: int | None = None
        self._content: dict[int, tuple[LatentFrame, float, int]] = {}

    @property
    def plugged_in(self) -> bool:
        """Whether the kernel shows it."""
        return self._plugged_in

    def stop(self) -> None:
        """Let no thread of it run on; safe to call twice."""
        self._sensor.stop()
        self.usb.release(self)

    def pull_out(self) -> None:
        """Pull the plug."""
        with self._lock:
            self._plugged_in, self._owner = False, None
            for fd in self._open:
                os.eventfd_write(fd, 1)
        self.stop()

    def plug_in(self) -> None:
        """Plug it in again: it has forgotten what it was set to."""
        self.controls = VideoControls(self._rig.model)
        self._plugged_in = True

    def take_request(self) -> Mapping[str, Any] | None:
        """Claim a free buffer; without one the frame is lost."""
        if self._rig.hangs:
            return None
        with self._lock:
            self._in_readout = self._free.popleft() if self._free else None
        return None if self._in_readout is None else self.controls.taken()

    @property
    def eye(self) -> Eye:
        """What the camera's own automatics look at."""
        assert self._meter is not None
        return self._meter.eye

    def expose(self, shot: Shot, settings: SensorSettings, focus: AfState, sequence: int) -> None:
        """The shutter has closed: what it saw lies in the buffer, uncomputed."""
        assert self._in_readout is not None
        self.controls.realised(settings)
        latent = self._rig.latent(self._rig.expose(shot, self._size_px), [self._size_px])
        opened_s = self._rig.world.clock.system_s(shot.start_s)
        self._content[self._in_readout] = (latent, opened_s, sequence)

    def deliver(self) -> None:
        """The frame is in memory."""
        arrived = self._sensor.waited(self._rig.world.take_lateness_s())
        with self._lock:
            buffer, self._in_readout = self._in_readout, None
            if buffer is not None and arrived and self._owner is not None:
                self._filled.append(buffer)
                os.eventfd_write(self._owner, 1)

    def read(self, index: int) -> bytes:
        """Return what lies in a buffer."""
        planes = self._content[index][0].planes(self._size_px)
        data = motion_jpeg(planes) if self._fourcc == v4l2.V4L2_PIX_FMT_MJPEG else yuyv(planes)
        if self.tears_pictures:
            self.tears_pictures -= 1
            return b"\xff" * 100
        return data

    def open(self) -> int:
        """open(2)."""
        fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC | os.EFD_SEMAPHORE)
        self._open.add(fd)
        return fd

    def map(self, length: int, offset: int) -> "_Mapped":
        """mmap(2)."""
        return _Mapped(self, offset // length)

    def ioctl(self, fd: int, request: int, argument: Any) -> int:
        """ioctl(2)."""
        if not self._plugged_in or fd not in self._open:
            self._open.discard(fd)
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        answers = {
            v4l2.VIDIOC_QUERYCAP: self._tell_capability,
            v4l2.VIDIOC_QUERYCTRL: self.controls.tell,
            v4l2.VIDIOC_G_CTRL: self.controls.get,
            v4l2.VIDIOC_S_CTRL: self.controls.set,
            v4l2.VIDIOC_S_FMT: self._set_format,
            v4l2.VIDIOC_G_PARM: self._tell_frame_time,
            v4l2.VIDIOC_QUERYBUF: self._tell_buffer,
            v4l2.VIDIOC_QBUF: self._queue,
        }
        if request == v4l2.VIDIOC_REQBUFS:
            self._reserve(fd, argument)
        elif request == v4l2.VIDIOC_DQBUF:
            self._dequeue(fd, argument)
        elif request == v4l2.VIDIOC_STREAMON:
            self._start()
        elif request == v4l2.VIDIOC_STREAMOFF:
            self._stop(fd)
        elif request in answers:
            answers[request](argument)
        else:
            raise OSError(errno.ENOTTY, f"bench: ioctl {request & 0xFFFFFFFF:#x} is not simulated")
        return 0

    def _tell_capability(self, told: Any) -> None:
        told.card[: len(CARD)] = CARD
        told.bus_info[: len(self.bus)] = self.bus
        told.capabilities = v4l2.V4L2_CAP_DEVICE_CAPS
        told.device_caps = v4l2.V4L2_CAP_VIDEO_CAPTURE | v4l2.V4L2_CAP_STREAMING

    def _set_format(self, asked: Any) -> None:
        if self._owner is not None:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        pix, full = asked.fmt.pix, self._rig.model.full
        pix.width, pix.height = min(pix.width, full.width_px), min(pix.height, full.height_px)
        if pix.pixelformat not in self.formats:
            pix.pixelformat = self.formats[0]
        self._fourcc, self._size_px = pix.pixelformat, (pix.width, pix.height)
        pix.bytesperline = 0 if self._fourcc == v4l2.V4L2_PIX_FMT_MJPEG else pix.width * 2
        pix.sizeimage = pix.width * pix.height * 2
        modes = [
            mode for mode in self._rig.model.modes if mode.width_px >= pix.width and mode.height_px >= pix.height
        ]
        self._mode = modes[0]
        self._rig.configure(self._size_px)
        self._meter = LightMeter(self._rig, (max(2, pix.width // METERED_SHARE), max(2, pix.height // METERED_SHARE)))

    def _tell_frame_time(self, told: Any) -> None:
        told.parm.capture.timeperframe.numerator = round(self._mode.frame_time_s * 1e6)
        told.parm.capture.timeperframe.denominator = 1_000_000

    def _reserve(self, fd: int, asked: Any) -> None:
        """No buffers: the device is let go."""
        if asked.count == 0:
            self._open.discard(fd)
        if self._owner not in (None, fd):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        self._owner = fd if asked.count else None
        self._free.clear()
        self._filled.clear()

    def _tell_buffer(self, told: Any) -> None:
        width_px, height_px = self._size_px
        told.length = width_px * height_px * 2
        told.m.offset = told.index * told.length

    def _queue(self, buffer: Any) -> None:
        with self._lock:
            self._free.append(buffer.index)

    def _dequeue(self, fd: int, told: Any) -> None:
        os.eventfd_read(fd)
        with self._lock:
            told.index = self._filled.popleft()
        _, opened_s, told.sequence = self._content[told.index]
        told.timestamp.tv_sec, told.timestamp.tv_usec = int(opened_s), int(opened_s % 1 * 1e6)
        told.flags = v4l2.V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | v4l2.V4L2_BUF_FLAG_TSTAMP_SRC_SOE
        told.bytesused = self._size_px[0] * self._size_px[1] * 2

    def _start(self) -> None:
        bytes_s = self._size_px[0] * self._size_px[1] * BYTES_PER_PIXEL[self._fourcc] / self._mode.frame_time_s
        if self.bus_is_full or not self.usb.claim(self, bytes_s):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.starts += 1
        self._rig.world.camera_started()
        self._sensor.start(self._mode, self.controls.settings(), self)

    def _stop(self, fd: int) -> None:
        """As the kernel: all buffers are the program's again, and what lay in them is lost."""
        if fd != self._owner:
            return
        self.stop()
        with self._lock:
            for _ in self._filled:
                os.eventfd_read(fd)
            self._free.clear()
            self._filled.clear()
            self._in_readout = None
        if self.forgets_when_stopped:
            self.controls = VideoControls(self._rig.model)


class _Mapped:
    """A buffer in a process's memory."""

    def __init__(self, video: BenchVideo, index: int) -> None:
        self._video, self._index = video, index

    def __getitem__(self, part: slice) -> bytes:
        return self._video.read(self._index)[part]

    def close(self) -> None:
        """Nothing is held."""

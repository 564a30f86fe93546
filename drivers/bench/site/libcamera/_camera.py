"""The camera and its manager: requests in, finished requests out through an event fd."""

import os
import threading
from collections import deque

import numpy as np

from drivers.bench.light_meter import LightMeter
from drivers.bench.mosaic import BLACK_OF_16_BITS, in_memory
from drivers.bench.sensor import Sensor
from drivers.bench.sensor_settings import SensorSettings
from libcamera import _controls as controls
from libcamera import _properties as properties
from libcamera._configuration import CameraConfiguration
from libcamera._geometry import Rectangle
from libcamera._request import Request

MEMORY_ORDER = {"BGR888": (0, 1, 2), "RGB888": (2, 1, 0), "XBGR8888": (0, 1, 2), "XRGB8888": (2, 1, 0)}
"""Which of red, green and blue comes first in memory."""
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
"""The bench's sensors see the colours of sRGB."""


class Camera:
    """One camera, on a rig of the bench; the sensor's thread calls `take_request`, `expose` and `deliver`."""

    def __init__(self, manager, rig):
        # picamera2 numbers cameras by their ids, the last one first.
        self.id = f"/base/soc/i2c0mux/i2c@{int(rig.number == 0)}/{rig.model.name}@{0x1A - rig.number:x}"
        self._manager = manager
        self._rig = rig
        self._sensor = Sensor(rig.world.clock, rig.model)
        self._meter = None
        self._lock = threading.Lock()
        self._queue = deque()
        self._in_readout = None
        self._acquired = False
        self._configuration = None
        self._mode = rig.model.modes[0]

    @property
    def properties(self):
        return properties.of(self._rig.model)

    @property
    def controls(self):
        return controls.advertised(self._rig.model, self._mode)

    def acquire(self):
        if self._acquired:
            raise RuntimeError(f"{self.id}: Device or resource busy")
        self._acquired = True

    def release(self):
        self._acquired = False

    def generate_configuration(self, roles):
        return CameraConfiguration(roles, self._rig.model)

    def configure(self, configuration):
        self._configuration = configuration
        self._mode = configuration.mode
        sizes_px = [(stream.size.width, stream.size.height) for stream in configuration if not stream.is_raw]
        for size_px in sizes_px:
            self._rig.configure(size_px)
        self._meter = LightMeter(self._rig, min(sizes_px))
        return 0

    def create_request(self, cookie):
        return Request(cookie)

    def queue_request(self, request):
        with self._lock:
            self._queue.append(request)

    def start(self, initial):
        settings = SensorSettings().after(self._by_name(initial))
        self._rig.world.camera_started()
        self._sensor.start(self._mode, settings, self)

    def stop(self):
        self._rig.world.camera_lets_go.wait()
        self._sensor.stop()
        with self._lock:
            unfinished, self._queue = list(self._queue), deque()
        for request in unfinished:
            request.cancel()
            self._manager.finish(request)

    def take_request(self):
        if self._rig.hangs:
            return None
        with self._lock:
            self._in_readout = self._queue.popleft() if self._queue else None
        return None if self._in_readout is None else self._by_name(self._in_readout.controls)

    @property
    def eye(self):
        return self._meter.eye

    def expose(self, shot, settings, focus, sequence):
        request = self._in_readout
        wanted = {stream: stream.configuration for stream in request.buffers if not stream.configuration.is_raw}
        sizes_px = [(stream.size.width, stream.size.height) for stream in wanted.values()]
        frame = self._rig.latent(self._rig.expose(shot, sizes_px[0]), sizes_px)
        for stream, configuration in wanted.items():
            self._rig.heap.attach(request.buffers[stream].planes[0].fd, latent(frame, configuration))
        for stream, buffer in request.buffers.items():
            if stream.configuration.is_raw:
                frame.comes_raw = True
                self._rig.heap.attach(buffer.planes[0].fd, latent_mosaic(frame, stream.configuration, self._mode))
        opened_ns = round(self._rig.world.clock.system_s(shot.start_s) * 1e9)
        timestamp_ns = opened_ns + round(shot.exposure_us * 1e3)
        request.complete(self._metadata(settings, focus, timestamp_ns), sequence, timestamp_ns)

    def deliver(self):
        if not self._sensor.waited(self._rig.world.take_lateness_s()):
            self._in_readout.cancel()
        self._manager.finish(self._in_readout)
        self._in_readout = None

    def _metadata(self, settings, focus, timestamp_ns):
        full = self._rig.model.full
        motor = {controls.AfState: int(focus), controls.LensPosition: settings.focus_dioptres}
        return (motor if self._rig.model.focus_range_dioptres else {}) | {
            controls.SensorTimestamp: timestamp_ns,
            controls.ExposureTime: round(settings.exposure_us),
            controls.AnalogueGain: settings.analogue_gain,
            controls.DigitalGain: 1.0,
            controls.ColourGains: settings.colour_gains,
            controls.ColourCorrectionMatrix: IDENTITY,
            controls.ColourTemperature: 4500,
            controls.FocusFoM: 1000,
            controls.FrameDuration: round(settings.frame_s(self._mode) * 1e6),
            controls.Lux: 400.0,
            controls.ScalerCrop: Rectangle(0, 0, full.width_px, full.height_px),
            controls.SensorBlackLevels: (BLACK_OF_16_BITS,) * 4,
            controls.SensorTemperature: 40.0,
        }

    def _by_name(self, requested):
        unknown = [control.name for control in requested if control not in self.controls]
        if unknown:
            raise RuntimeError(f"{self.id}: controls {', '.join(unknown)} are not advertised")
        return {control.name: value for control, value in requested.items()}


class CameraManager:
    """The process's only one. Cameras come and go with the bench."""

    _only = None

    @classmethod
    def singleton(cls):
        if cls._only is None:
            cls._only = cls()
        return cls._only

    def __init__(self):
        self.version = "bench"
        self.cameras = []
        self.event_fd = -1
        self._lock = threading.Lock()
        self._finished = []

    def get(self, camera_id):
        return next((camera for camera in self.cameras if camera.id == camera_id), None)

    def find(self, part):
        return next((camera for camera in self.cameras if part in camera.id), None)

    def finish(self, request):
        """Hand a finished or cancelled request to whoever polls the event fd."""
        with self._lock:
            self._finished.append(request)
            os.eventfd_write(self.event_fd, 1)

    def get_ready_requests(self):
        with self._lock:
            if self._finished:
                os.eventfd_read(self.event_fd)
            finished, self._finished = self._finished, []
        return finished


def plug_in(*rigs):
    """Connect the bench's cameras, in the order of their numbers."""
    manager = CameraManager.singleton()
    if manager.cameras:
        raise RuntimeError("bench: one is installed in this process already; close it first")
    manager.event_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    manager.cameras = [Camera(manager, rig) for rig in rigs]


def unplug():
    """Pull the ribbon cable: the stream stops, and nothing of it is left. Safe to call twice."""
    manager = CameraManager.singleton()
    while manager.cameras:
        manager.cameras.pop().stop()
        manager.get_ready_requests()
    if manager.event_fd >= 0:
        os.close(manager.event_fd)
        manager.event_fd = -1


def latent(frame, wanted):
    """Return what computes the buffer of one stream of a frame."""
    size_px, pixel_format = (wanted.size.width, wanted.size.height), str(wanted.pixel_format)
    if pixel_format == "YUV420":
        return lambda: packed_planes(frame.planes(size_px), wanted.stride)
    return lambda: packed(frame.rgb(size_px), pixel_format, wanted.stride)


def latent_mosaic(frame, wanted, mode):
    """Return what computes the raw buffer of a frame."""
    size_px, pixel_format, stride = (wanted.size.width, wanted.size.height), str(wanted.pixel_format), wanted.stride
    spare_bits = 16 - mode.bit_depth if pixel_format.endswith("16") else 0
    return lambda: in_memory(frame.mosaic(size_px, mode.bit_depth) << spare_bits, pixel_format, stride)


def packed_planes(picture, stride):
    """Return brightness, then both colours, rows padded: (bytes,), uint8."""
    memory = np.zeros(stride * picture.height_px * 3 // 2, np.uint8)
    start = 0
    for plane, row_bytes in ((picture.y, stride), (picture.u, stride // 2), (picture.v, stride // 2)):
        rows, columns = plane.shape
        memory[start : start + rows * row_bytes].reshape(rows, row_bytes)[:, :columns] = plane
        start += rows * row_bytes
    return memory


def packed(pixels, pixel_format, stride):
    """Return RGB (height, width, 3) laid out as the format wants it, rows padded: (bytes,), uint8."""
    height, width = pixels.shape[:2]
    order = MEMORY_ORDER[pixel_format]
    channels = 4 if pixel_format.startswith("X") else 3
    if channels == 3 and order == (0, 1, 2) and stride == width * channels:
        return pixels.reshape(-1)
    reordered = np.full((height, width, channels), 255, np.uint8)
    reordered[..., :3] = pixels[..., order]
    rows = np.zeros((height, stride), np.uint8)
    rows[:, : width * channels] = reordered.reshape(height, width * channels)
    return rows.reshape(-1)

"""Streams, and which sensor mode feeds them."""

import enum

from libcamera._geometry import ColorSpace, Orientation, PixelFormat, Size

STRIDE_ALIGNMENT_BYTES = 64
BYTES_PER_PIXEL = {"BGR888": 3, "RGB888": 3, "XBGR8888": 4, "XRGB8888": 4, "YUV420": 1}
"""Of a row; two planes of a quarter each follow the rows of YUV420."""
RAW_FORMATS = {"SRGGB12_CSI2P": 1.5, "SRGGB12": 2, "SRGGB10_CSI2P": 1.25, "SRGGB10": 2}
PI5_FORMATS = {"RGGB_PISP_COMP1": 1, "SRGGB16": 2}
"""Bytes a pixel: packed, two pixels share three bytes, or four five."""


class StreamRole(enum.Enum):
    Raw = 0
    StillCapture = 1
    VideoRecording = 2
    Viewfinder = 3


class Stream:
    """The identity of a stream; `configuration` is what it was last validated with."""

    def __init__(self):
        self.configuration = None


class StreamFormats:
    """Which sizes the sensor offers in which raw format."""

    def __init__(self, model):
        self._model = model
        self.pixel_formats = (PixelFormat(model.raw_format),)

    def sizes(self, _pixel_format):
        return [Size(mode.width_px, mode.height_px) for mode in self._model.modes]


class StreamConfiguration:
    def __init__(self, role, model):
        self._model = model
        self.is_raw = role == StreamRole.Raw
        self.stream = Stream()
        self.stream.configuration = self
        self.formats = StreamFormats(model)
        self.size = Size(model.modes[0].width_px, model.modes[0].height_px)
        self.pixel_format = PixelFormat(model.raw_format if self.is_raw else "XBGR8888")
        self.color_space = ColorSpace.Raw() if self.is_raw else ColorSpace.Sycc()
        self.buffer_count = 4
        self.mode = None
        self.stride = 0

    @property
    def frame_size(self):
        rows = self.size.height * 3 // 2 if str(self.pixel_format) == "YUV420" else self.size.height
        return self.stride * rows

    def validate(self):
        """Make the best of what was asked for."""
        if self.is_raw and self._model.on_a_pi5:
            packed = str(self.pixel_format).endswith("_CSI2P")
            self.pixel_format = PixelFormat("RGGB_PISP_COMP1" if packed else "SRGGB16")
        formats = (RAW_FORMATS | PI5_FORMATS) if self.is_raw else BYTES_PER_PIXEL
        bytes_per_pixel = formats.get(str(self.pixel_format))
        if bytes_per_pixel is None or self.size.width < 1 or self.size.height < 1:
            return CameraConfiguration.Status.Invalid
        asked = (self.size.width, self.size.height)
        self.size = self._possible_size()
        row_bytes = int(self.size.width * bytes_per_pixel)
        aligned = -(-row_bytes // STRIDE_ALIGNMENT_BYTES) * STRIDE_ALIGNMENT_BYTES
        self.stride = max(self.stride, aligned)
        unchanged = asked == (self.size.width, self.size.height)
        return CameraConfiguration.Status.Valid if unchanged else CameraConfiguration.Status.Adjusted

    def _possible_size(self):
        if self.is_raw:
            mode = self.mode or nearest_mode(self._model, self.size)
            return Size(mode.width_px, mode.height_px)
        full = self._model.full
        return Size(min(self.size.width, full.width_px), min(self.size.height, full.height_px))


class SensorConfiguration:
    def __init__(self):
        self.bit_depth = 0
        self.output_size = Size()


class CameraConfiguration:
    class Status(enum.Enum):
        Valid = 0
        Adjusted = 1
        Invalid = 2

    def __init__(self, roles, model):
        self._model = model
        self._streams = [StreamConfiguration(role, model) for role in roles]
        self.orientation = Orientation.Rotate0
        self.sensor_config = None

    def __iter__(self):
        return iter(self._streams)

    def at(self, index):
        return self._streams[index]

    def validate(self):
        if self.sensor_config is not None and self.mode is None:
            return self.Status.Invalid
        for stream in self:
            stream.mode = self.mode
        if self.orientation != Orientation.Rotate0:
            self.orientation = Orientation.Rotate0
            return max((self.Status.Adjusted, *map(StreamConfiguration.validate, self)), key=lambda s: s.value)
        return max(map(StreamConfiguration.validate, self), key=lambda status: status.value)

    @property
    def mode(self):
        """The sensor mode that this configuration asks for; None when the sensor has no such mode."""
        if self.sensor_config is None:
            return nearest_mode(self._model, self._streams[0].size)
        wanted = self.sensor_config
        for mode in self._model.modes:
            if (mode.width_px, mode.height_px, mode.bit_depth) == (
                wanted.output_size.width,
                wanted.output_size.height,
                wanted.bit_depth,
            ):
                return mode
        return None


def nearest_mode(model, size):
    """The smallest mode that fills this size, or the largest there is."""
    fitting = [mode for mode in model.modes if mode.width_px >= size.width and mode.height_px >= size.height]
    return min(fitting or model.modes[-1:], key=lambda mode: mode.width_px)

"""A frame on its way: memory, the controls that it carries, and afterwards what became of it."""

import enum


class FrameMetadata:
    class Status(enum.Enum):
        Success = 0
        Error = 1
        Cancelled = 2

    class Plane:
        def __init__(self, bytes_used):
            self.bytes_used = bytes_used

    def __init__(self, planes):
        self.status = FrameMetadata.Status.Success
        self.sequence = 0
        self.timestamp = 0
        self.planes = [FrameMetadata.Plane(plane.length) for plane in planes]


class FrameBuffer:
    class Plane:
        def __init__(self):
            self.fd, self.offset, self.length = -1, 0, 0

    def __init__(self, planes):
        self.planes = planes
        self.metadata = FrameMetadata(planes)


class Request:
    class Status(enum.Enum):
        Pending = 0
        Complete = 1
        Cancelled = 2

    def __init__(self, cookie):
        self.cookie = cookie
        self.buffers = {}
        self.reuse()

    def add_buffer(self, stream, buffer):
        self.buffers[stream] = buffer

    def set_control(self, control, value):
        self.controls[control] = value

    def reuse(self):
        self.status = Request.Status.Pending
        self.controls = {}
        self.metadata = {}

    def complete(self, metadata, sequence, timestamp_ns):
        """The frame is in memory."""
        self.metadata = metadata
        self.status = Request.Status.Complete
        for buffer in self.buffers.values():
            buffer.metadata.status = FrameMetadata.Status.Success
            buffer.metadata.sequence = sequence
            buffer.metadata.timestamp = timestamp_ns

    def cancel(self):
        """The stream stopped before the frame came."""
        self.status = Request.Status.Cancelled
        for buffer in self.buffers.values():
            buffer.metadata.status = FrameMetadata.Status.Cancelled

"""The kernel above simulated USB cameras: which device a path or a file belongs to."""

import errno
import os
from types import ModuleType
from typing import Any

from drivers.bench.video_device import BenchVideo


class BenchKernel:
    """Several video devices. `install` puts them beneath the driver."""

    def __init__(self, *devices: BenchVideo) -> None:
        """In the order in which the kernel found them."""
        self._devices = devices
        self._files: dict[int, BenchVideo] = {}
        self._replaced: list[tuple[ModuleType, str, Any]] = []

    def install(self, device: ModuleType, session: ModuleType) -> None:
        """Let `drivers.v4l2_device` find this kernel; `drivers.v4l2_session` looks for devices."""
        for module, name, value in (
            (device, "open_file", self._open_file),
            (device, "ioctl", lambda fd, request, argument: self._files[fd].ioctl(fd, request, argument)),
            (device, "mmap", lambda fd, length, offset: self._files[fd].map(length, offset)),
            (session, "video_devices", lambda: [each.path for each in self._devices if each.plugged_in]),
        ):
            self._replaced.append((module, name, getattr(module, name)))
            setattr(module, name, value)

    def remove(self) -> None:
        """Give the driver its kernel back; safe to call twice."""
        for device in self._devices:
            device.stop()
        while self._replaced:
            setattr(*self._replaced.pop())

    def _open_file(self, path: str, _flags: int) -> int:
        for device in self._devices:
            if device.path == path and device.plugged_in:
                fd = device.open()
                self._files[fd] = device
                return fd
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

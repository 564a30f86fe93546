"""The kernel above simulated USB cameras: which device a path or a file belongs to, and what /sys shows of it."""

import errno
import os
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from drivers.bench.usb_bus import UsbBus
from drivers.bench.video_device import BenchVideo


class BenchKernel:
    """Several video devices. `install` puts them beneath the driver."""

    def __init__(self, *devices: BenchVideo) -> None:
        """In the order in which the kernel found them."""
        self._devices = devices
        self._files: dict[int, BenchVideo] = {}
        self._replaced: list[tuple[ModuleType, str, Any]] = []
        self._sysfs: tempfile.TemporaryDirectory[str] | None = None

    def install(self, device: ModuleType, session: ModuleType, bus: ModuleType) -> None:
        """Let `drivers.v4l2_device` find this kernel; `v4l2_session` looks for devices, `v4l2_bus` in /sys."""
        self._sysfs = tempfile.TemporaryDirectory(prefix="bench-sysfs-")
        for port, video in enumerate(self._devices, 1):
            self._show(video, port)
        for module, name, value in (
            (device, "open_file", self._open_file),
            (device, "ioctl", lambda fd, request, argument: self._files[fd].ioctl(fd, request, argument)),
            (device, "mmap", lambda fd, length, offset: self._files[fd].map(length, offset)),
            (bus, "VIDEO_NODES", self._video_nodes),
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
        if self._sysfs is not None:
            self._sysfs.cleanup()
            self._sysfs = None

    def plug_into(self, device: BenchVideo, bus: UsbBus) -> None:
        """Plug a camera that nobody has opened into another bus."""
        device.usb = bus
        self._show(device, 1 + self._devices.index(device))

    @property
    def _video_nodes(self) -> Path:
        assert self._sysfs is not None, "the bench's kernel is not installed"
        return Path(self._sysfs.name) / "class" / "video4linux"

    def _show(self, device: BenchVideo, port: int) -> None:
        """A node of the class, whose link leads down a controller, a bus and a port to the camera's interface."""
        assert self._sysfs is not None, "the bench's kernel is not installed"
        number = device.usb.number
        place = f"devices/platform/axi/xhci-hcd.{number}/usb{number}/{number}-{port}/{number}-{port}:1.0"
        interface = Path(self._sysfs.name) / place
        node = self._video_nodes / Path(device.path).name
        interface.mkdir(parents=True, exist_ok=True)
        node.mkdir(parents=True, exist_ok=True)
        (node / "device").unlink(missing_ok=True)
        (node / "device").symlink_to(interface)

    def _open_file(self, path: str, _flags: int) -> int:
        for device in self._devices:
            if device.path == path and device.plugged_in:
                fd = device.open()
                self._files[fd] = device
                return fd
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

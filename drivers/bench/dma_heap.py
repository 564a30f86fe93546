"""Memory for camera frames where the kernel has no DMA heap, with pictures computed only if somebody looks.

picamera2 asks /dev/dma_heap for buffers and brackets every access with a DMA_BUF_IOCTL_SYNC begin and end: a first
access for as long as it holds the finished request, a second when an application maps the pixels. A stream delivers
40 frames a second and a scan looks at one of them every other second, so here a frame stays a latent image until that
second access begins.
"""

import os
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

LatentImage = Callable[[], NDArray[np.uint8]]
"""Computes the whole buffer: (bytes,), uint8."""
HOLDING_AND_MAPPING = 2


class BenchDmaHeap:
    """Stands where picamera2 calls the kernel: `fcntl.ioctl` on a heap and on its buffers."""

    def __init__(self, kernel: ModuleType) -> None:
        """Take `picamera2.dma_heap`, which knows the kernel's request numbers."""
        self._kernel = kernel
        self._lock = threading.Lock()
        self._accesses: dict[int, int] = {}
        self._latent: dict[int, LatentImage] = {}
        self._replaced: list[tuple[ModuleType, str, Any]] = []

    def install(self, allocator: ModuleType) -> None:
        """Let picamera2 find this heap in place of the kernel's; takes `picamera2.allocators.dmaallocator`."""
        self._replace(self._kernel, "heapNames", [os.devnull])
        self._replace(self._kernel, "fcntl", self)
        self._replace(allocator, "fcntl", self)

    def remove(self) -> None:
        """Give picamera2 the kernel back; safe to call twice."""
        while self._replaced:
            setattr(*self._replaced.pop())
        self._latent.clear()

    def attach(self, fd: int, image: LatentImage) -> None:
        """Put a new frame into a buffer, uncomputed."""
        with self._lock:
            self._latent[fd] = image

    def ioctl(self, fd: int, request: int, argument: Any) -> int:
        """Answer as the kernel would.

        An error of the picture source comes out here, in the thread that maps the pixels.
        """
        if request == self._kernel.DMA_HEAP_IOCTL_ALLOC:
            argument.fd = self._allocate(argument.len)
        elif request == self._kernel.DMA_BUF_IOCTL_SYNC:
            self._sync(fd, argument.flags)
        elif request != self._kernel.DMA_BUF_SET_NAME:
            raise OSError(f"bench DMA heap: ioctl {request:#x} is not simulated")
        return 0

    def _replace(self, module: ModuleType, name: str, value: Any) -> None:
        self._replaced.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    def _allocate(self, size: int) -> int:
        fd = os.memfd_create("bench-dma-buffer")
        os.ftruncate(fd, size)
        with self._lock:
            self._accesses[fd] = 0
            self._latent.pop(fd, None)
        return fd

    def _sync(self, fd: int, flags: int) -> None:
        with self._lock:
            if flags & self._kernel.DMA_BUF_SYNC_END:
                self._accesses[fd] -= 1
                return
            self._accesses[fd] += 1
            image = self._latent.pop(fd, None) if self._accesses[fd] == HOLDING_AND_MAPPING else None
        if image is not None:
            self._develop(fd, image)

    def _develop(self, fd: int, image: LatentImage) -> None:
        try:
            os.pwrite(fd, image().data, 0)
        except BaseException:
            # An access that fails to begin is never ended.
            with self._lock:
                self._accesses[fd] -= 1
            raise

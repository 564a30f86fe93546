"""The renderer in a process of its own, so that the daemon's memory and time stay the daemon's.

The parent writes pickled requests to the child's standard input; scene and pixels travel through one anonymous shared
memory (a memfd); a byte on the child's standard output says that the pixels are there. `render_child` is the other
end. A session of its own keeps Ctrl-C in the terminal from the child.
"""

import contextlib
import mmap
import os
import pickle
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

import drivers
from drivers.bench.scene import Exposure, Scene
from drivers.protocols import DriverError

LENGTH = struct.Struct("<Q")
DONE = b"\x06"
_ANSWER_S = 120.0
"""The first photo of a size takes some seconds, a blurred one as many photos as it has angles."""
_LEAVE_S = 5.0
_TAIL_BYTES = 2000
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Threads would only wait for each other here: pictures are made in pieces that fit into the processor's cache."""


class RenderProcessDied(DriverError):
    """The renderer's process is gone or silent: no camera works then. The message ends with what it wrote last."""


@dataclass(frozen=True)
class LoadScene:
    """The scene lies pickled in the shared memory, which is free again afterwards."""


@dataclass(frozen=True)
class Prepare:
    """Paint what stands still in photos of this size; no answer."""

    width_px: int
    height_px: int


Request = LoadScene | Prepare | Exposure


class RenderProcess:
    """Starts the renderer and asks it for photos. Safe to use from several threads, one photo at a time."""

    def __init__(self, scene: Scene | Path) -> None:
        """Start the process. A path is that of a pickled scene, which then never enters this process."""
        self._lock = threading.Lock()
        self._memory = os.memfd_create("bench-photo")
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._peak_rss_mb = 0.0
        root = str(Path(drivers.__file__).parents[1])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "drivers.bench.render_child", str(self._memory), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            pass_fds=(self._memory,),
            start_new_session=True,
            env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(paths)},
        )
        with open(self._memory, "wb", closefd=False) as shared:
            if isinstance(scene, Path):
                with scene.open("rb") as stored:
                    shutil.copyfileobj(stored, shared)
            else:
                pickle.dump(scene, shared, protocol=pickle.HIGHEST_PROTOCOL)  # array by array: no second copy
        self._ask(LoadScene())

    def prepare(self, width_px: int, height_px: int) -> None:
        """Start painting what stands still in photos of this size; does not wait for it."""
        with self._lock:
            self._ask(Prepare(width_px, height_px))

    def render_into(self, exposure: Exposure, buffer: memoryview | NDArray[np.uint8]) -> None:
        """Write the photo, RGB, row by row, to a buffer of height x width x 3 bytes. Raises RenderProcessDied."""
        size_bytes = exposure.height_px * exposure.width_px * 3
        target = np.frombuffer(buffer, np.uint8) if isinstance(buffer, memoryview) else buffer
        if target.size != size_bytes:
            raise ValueError(f"the buffer holds {target.size} bytes; this photo needs {size_bytes}")
        with self._lock:
            self._ask(exposure)
            self._wait_for_answer()
            with mmap.mmap(self._memory, size_bytes, prot=mmap.PROT_READ) as shared:
                pixels = np.frombuffer(shared, np.uint8)
                target[...] = pixels.reshape(target.shape)
                del pixels  # the map closes only once nothing looks into it

    def peak_rss_mb(self) -> float:
        """Return the most memory the process has had so far; still known after `close`."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return self._peak_rss_mb
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self._peak_rss_mb = int(line.split()[1]) / 1024
        return self._peak_rss_mb

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def close(self) -> None:
        """End the process and free the shared memory; safe to call twice."""
        if self._stderr.closed:
            return
        self.peak_rss_mb()
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):  # it had died before it read everything
            self._process.stdin.close()
        try:
            self._process.wait(_LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._stderr.close()
        os.close(self._memory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, request: object) -> None:
        if self._stderr.closed:
            raise RenderProcessDied("the renderer's process was closed; start another one")
        assert self._process.stdin
        packed = pickle.dumps(request, protocol=pickle.HIGHEST_PROTOCOL)
        try:
            self._process.stdin.write(LENGTH.pack(len(packed)) + packed)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._obituary() from error

    def _wait_for_answer(self) -> bytes:
        """Return the one byte that came."""
        assert self._process.stdout
        answer = self._process.stdout.fileno()
        deadline_s = time.monotonic() + _ANSWER_S
        while not select.select([answer], [], [], max(0.0, deadline_s - time.monotonic()))[0]:
            if time.monotonic() >= deadline_s:
                raise RenderProcessDied(f"no photo from the renderer (pid {self.pid}) in {_ANSWER_S:.0f} s")
        said = os.read(answer, 1)
        if not said:
            raise self._obituary()
        return said

    def _obituary(self) -> RenderProcessDied:
        try:
            ending = f"ended with code {self._process.wait(_LEAVE_S)}"
        except subprocess.TimeoutExpired:
            ending = "closed its output"
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - _TAIL_BYTES))
        last_words = self._stderr.read().decode(errors="replace").strip() or "(nothing on stderr)"
        return RenderProcessDied(f"the renderer (pid {self.pid}) {ending}; restart the bench. It said:\n{last_words}")

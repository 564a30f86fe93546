"""`ReadyPictures` in real time: the renderer's process with an album of pictures that it has rendered before."""

import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path

import numpy as np

from drivers.bench.album.album import Album, Bytes, unpacked
from drivers.bench.album.album_child import SLOW
from drivers.bench.album.requests import AddLeaf, Develop, OpenAlbum
from drivers.bench.album.spec import AlbumSpec, Kind
from drivers.bench.render_process import RenderProcess
from drivers.bench.scene import Exposure
from drivers.picture import Planes

_PAGE_BYTES = mmap.PAGESIZE


class AlbumProcess(RenderProcess):
    """Shows from an album what the camera sees, within milliseconds and without stopping the world.

    What the album has nothing true for is rendered while the world stands still, and counted in `rendered`: a platter
    that rests where no photo was planned, one that swings wildly during a photo, an empty table.
    """

    def __init__(self, scene: Path, albums: Path, spec: AlbumSpec) -> None:
        """Start the process. `scene` is a pickled scene; its album lies, or will lie, in a folder in `albums`."""
        super().__init__(scene)
        self.spec = spec
        self.folder = spec.folder(albums, scene.read_bytes())
        self.developed = 0
        """Pictures that somebody looked at."""
        self.rendered = 0
        """Of these, those for which the world stood still."""
        self.stop_world: Callable[[], AbstractContextManager[None]] = nullcontext
        """Stops the bench's time; to be set to `BenchClock.paused` once there is a bench."""
        sizes = [spec.size_px(kind) for kind in Kind]
        still_bytes, small_bytes = (width * height * 3 // 2 for width, height in sizes)
        offset_bytes = -(-still_bytes // _PAGE_BYTES) * _PAGE_BYTES
        self._pictures = os.memfd_create("bench-album")
        os.ftruncate(self._pictures, offset_bytes + small_bytes)
        shared: Bytes = np.frombuffer(mmap.mmap(self._pictures, 0, prot=mmap.PROT_READ), np.uint8)
        self._slots = {Kind.STILL: shared[:still_bytes], Kind.SMALL: shared[offset_bytes:]}
        memory = Path(f"/proc/{os.getpid()}/fd/{self._pictures}")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ask(OpenAlbum(self.folder, spec, memory, offset_bytes))
        self._wait_for_answer()

    def fill(self) -> Iterator[tuple[int, int]]:
        """Render what the album lacks, yielding how many pictures are there and how many there will be.

        What was rendered stays; stopping half-way loses one picture.
        """
        missing = list(Album(self.folder, self.spec).missing())
        whole = sum(1 for _ in self.spec.leaves())
        for done, leaf in enumerate(missing, start=whole - len(missing) + 1):
            with self._lock:
                self._ask(AddLeaf(leaf))
                self._wait_for_answer()
            yield done, whole

    def planes(self, exposure: Exposure) -> Planes:
        """Return what the sensor saw, as views of memory that the next picture of this size overwrites.

        Raises RenderProcessDied, ValueError for a size that the album does not have.
        """
        kind = self.spec.kind_of(exposure)
        with self._lock, ExitStack() as pause:
            self._ask(Develop(exposure))
            self.developed += 1
            if self._wait_for_answer() == SLOW:
                self.rendered += 1
                pause.enter_context(self.stop_world())
                self._wait_for_answer()
        return unpacked(self._slots[kind], self.spec.size_px(kind))

    def close(self) -> None:
        """End the process and free the memory; safe to call twice."""
        if self._pictures >= 0:
            os.close(self._pictures)
            self._pictures = -1
        super().close()

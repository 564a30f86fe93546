"""The renderer's end of `render_process`: reads requests, leaves photos in the shared memory.

It leaves as soon as its input ends or its parent is gone, even in the middle of a photo. PR_SET_PDEATHSIG would not
do: the kernel sends it when the *thread* that started this process ends.
"""

import mmap
import os
import pickle
import select
import sys
import threading
from queue import SimpleQueue

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.album.album_child import AlbumChild
from drivers.bench.album.requests import AddLeaf, AlbumRequest, Develop, OpenAlbum
from drivers.bench.render_process import DONE, LENGTH, LoadScene, Prepare, Request
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Scene

_PARENT_POLL_S = 0.5
_THREADS = 1


def main() -> None:
    """Serve one parent: its memfd and its process id are the arguments."""
    memory, parent_pid = int(sys.argv[1]), int(sys.argv[2])
    cv2.setNumThreads(_THREADS)
    requests: SimpleQueue[Request | AlbumRequest] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests, parent_pid), name="parent", daemon=True).start()
    renderer: Renderer | None = None
    album: AlbumChild | None = None
    while True:
        request = requests.get()
        if isinstance(request, LoadScene):
            renderer = Renderer(_scene_from(memory))
            continue
        if renderer is None:
            raise RuntimeError("a photo was asked for before there was a scene")
        if isinstance(request, Prepare):
            renderer.prepare(request.width_px, request.height_px)
            continue
        if isinstance(request, OpenAlbum):
            album = AlbumChild(request, renderer)
            _say(DONE)
            continue
        if isinstance(request, AddLeaf | Develop):
            if album is None:
                raise RuntimeError("a picture of an album was asked for before there was one")
            album.answer(request, _say)
            continue
        _publish(memory, renderer.render(request))
        _say(DONE)


def _say(word: bytes) -> None:
    os.write(sys.stdout.fileno(), word)


def _scene_from(memory: int) -> Scene:
    with open(memory, "rb", closefd=False) as shared:
        shared.seek(0)
        scene: Scene = pickle.load(shared)
    os.ftruncate(memory, 0)
    return scene


def _publish(memory: int, pixels: NDArray[np.uint8]) -> None:
    if os.fstat(memory).st_size < pixels.nbytes:
        os.ftruncate(memory, pixels.nbytes)
    with mmap.mmap(memory, pixels.nbytes) as shared:
        view = np.frombuffer(shared, np.uint8)
        view[:] = pixels.reshape(-1)
        del view


def _listen(requests: SimpleQueue[Request | AlbumRequest], parent_pid: int) -> None:
    """Pass requests on until the input ends or the parent is gone, then leave at once."""
    source = sys.stdin.fileno()
    while True:
        while not select.select([source], [], [], _PARENT_POLL_S)[0]:
            if os.getppid() != parent_pid:
                os._exit(0)
        header = _exactly(source, LENGTH.size)
        packed = _exactly(source, LENGTH.unpack(header)[0]) if header else b""
        if not packed:
            os._exit(0)
        requests.put(pickle.loads(packed))


def _exactly(source: int, count: int) -> bytes:
    """Return the next `count` bytes, or none if the input ends before."""
    data = bytearray()
    while len(data) < count:
        piece = os.read(source, count - len(data))
        if not piece:
            return b""
        data += piece
    return bytes(data)


if __name__ == "__main__":
    main()

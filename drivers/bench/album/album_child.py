"""The album at the renderer's end: answers with a picture from the album, or has it rendered if none is true."""

import mmap
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from drivers.bench.album.album import Album, Bytes, enlarged, packed, unpacked
from drivers.bench.album.film import grain, lit
from drivers.bench.album.requests import AddLeaf, AlbumRequest, Develop, OpenAlbum
from drivers.bench.album.spec import Kind
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure
from drivers.picture import Planes

DONE, SLOW = b"\x06", b"\x05"
"""A picture is there; one has to be rendered first, and then it is there."""


class AlbumChild:
    """One album, its renderer, and the memory that the parent reads."""

    def __init__(self, request: OpenAlbum, renderer: Renderer) -> None:
        self._album = Album(request.folder, request.spec)
        self._renderer = renderer
        with request.memory.open("r+b") as memory:
            shared = np.frombuffer(mmap.mmap(memory.fileno(), 0), np.uint8)
        self._slots = {Kind.STILL: shared, Kind.SMALL: shared[request.small_offset_bytes :]}

    def answer(self, request: AlbumRequest, say: Callable[[bytes], None]) -> None:
        """Do what was asked for, and say so."""
        if isinstance(request, AddLeaf):
            self._album.add(request.leaf, self._renderer)
        elif isinstance(request, Develop):
            self._develop(request.exposure, say)
        say(DONE)

    def _develop(self, exposure: Exposure, say: Callable[[bytes], None]) -> None:
        kind = self._album.spec.kind_of(exposure)
        mixture = self._album.mixture(exposure)
        if mixture is not None:
            data = self._printed(kind, self._album.mixed(kind, mixture), exposure)
        else:
            say(SLOW)
            data = self._rendered(kind, exposure)
        self._slots[kind][: data.size] = data

    def _printed(self, kind: Kind, stored: Bytes, exposure: Exposure) -> Bytes:
        """Return the stored picture in this exposure's light, with noise that is new where it would show."""
        size_px = self._album.spec.size_px(kind)
        planes = lit(unpacked(stored, size_px), exposure)
        # A photo's noise is in its file; a companion's would be the same in every frame, and so would a louder one.
        own_gain = exposure.analogue_gain if kind is Kind.SMALL else exposure.analogue_gain - 1
        if own_gain > 0.05:
            planes = Planes(grain(planes.y, size_px[0], own_gain, exposure.noise_seed), planes.u, planes.v)
        elif planes.y.base is not None:
            return stored
        return packed(planes)

    def _rendered(self, kind: Kind, exposure: Exposure) -> Bytes:
        spec = self._album.spec
        width_px, height_px = spec.rendered_px(kind)
        pixels = self._renderer.render(replace(exposure, width_px=width_px, height_px=height_px))
        return packed(enlarged(Planes.from_rgb(pixels), spec.size_px(kind), exposure.noise_seed))

"""The pictures of one scene on the disk, mapped into memory: the kernel keeps what is looked at often."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bench.album.film import grain
from drivers.bench.album.mixture import Mixture, between_mixture, near_mixture
from drivers.bench.album.spec import AlbumSpec, Kind, Leaf
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure
from drivers.picture import Planes

Bytes = NDArray[np.uint8]
MAPPED = 400
"""Pictures; a map costs address space only."""


class Album:
    """One folder. Pictures are added one by one; a file that has its name is whole."""

    def __init__(self, folder: Path, spec: AlbumSpec) -> None:
        self._folder = folder
        self.spec = spec
        folder.mkdir(parents=True, exist_ok=True)
        self._known = {kind: self._angles_mdeg(kind) for kind in Kind}
        self._leaf = lru_cache(MAPPED)(self._mapped)

    def missing(self) -> Iterator[Leaf]:
        """Yield what has not been rendered yet."""
        known = {kind: set(angles) for kind, angles in self._known.items()}
        yield from (leaf for leaf in self.spec.leaves() if leaf.angle_mdeg not in known[leaf.kind])

    def add(self, leaf: Leaf, renderer: Renderer) -> None:
        """Render one picture and keep it."""
        size_px = self.spec.rendered_px(leaf.kind)
        exposure = Exposure(*size_px, (leaf.angle_deg,), noise_seed=leaf.angle_mdeg)
        data = packed(
            enlarged(Planes.from_rgb(renderer.render(exposure)), self.spec.size_px(leaf.kind), leaf.angle_mdeg)
        )
        path = self._path(leaf)
        part = path.with_suffix(".part")
        part.write_bytes(data.data)
        part.replace(path)
        self._known[leaf.kind] = sorted([*self._known[leaf.kind], leaf.angle_mdeg])

    def mixture(self, exposure: Exposure) -> Mixture | None:
        """Return what the exposure is mixed of; None: the album has nothing that shows it truly."""
        kind = self.spec.kind_of(exposure)
        known = self._known[kind]
        if (
            not known
            or not exposure.object_present
            or exposure.upside_down
            or _camera_moved(exposure)
            or _slid_or_leans(exposure)
        ):
            return None
        return near_mixture(exposure, known) if kind is Kind.STILL else between_mixture(exposure, known)

    def mixed(self, kind: Kind, mixture: Mixture) -> Bytes:
        """Return the mixture, (bytes,) uint8: planes Y, U, V. One picture alone comes as a map, only to be read."""
        leaves = [(self._leaf(kind, angle_mdeg), share) for angle_mdeg, share in mixture.items()]
        mixed, done = leaves[0]
        for pixels, share in leaves[1:]:
            # A row of a million columns is a case that OpenCV handles badly.
            columns = (-1, 1024) if pixels.size % 1024 == 0 else (-1, 4)
            sofar, next_one = mixed.reshape(columns), pixels.reshape(columns)
            whole = done + share
            mixed = np.asarray(cv2.addWeighted(sofar, done / whole, next_one, share / whole, 0), np.uint8).reshape(-1)
            done = whole
        return mixed

    def _mapped(self, kind: Kind, angle_mdeg: int) -> Bytes:
        return np.memmap(self._path(Leaf(kind, angle_mdeg)), np.uint8, mode="r")

    def _path(self, leaf: Leaf) -> Path:
        return self._folder / f"{leaf.kind}-{leaf.angle_mdeg:06d}.i420"

    def _angles_mdeg(self, kind: Kind) -> list[int]:
        return sorted(int(path.stem.rpartition("-")[2]) for path in self._folder.glob(f"{kind}-*.i420"))


def _slid_or_leans(exposure: Exposure) -> bool:
    return exposure.object_turned_deg != 0 or exposure.wobble.tilt_deg != 0


def _camera_moved(exposure: Exposure) -> bool:
    return exposure.elevation_deg is not None or exposure.focus_dioptres is not None


def enlarged(planes: Planes, size_px: tuple[int, int], seed: int) -> Planes:
    """Return the planes at a size, with the noise that a sensor of that size has; the same, if it is theirs."""
    if (planes.width_px, planes.height_px) == size_px:
        return planes
    half = (size_px[0] // 2, size_px[1] // 2)
    y = np.asarray(cv2.resize(planes.y, size_px, interpolation=cv2.INTER_CUBIC), np.uint8)
    u, v = (
        np.asarray(cv2.resize(plane, half, interpolation=cv2.INTER_LINEAR), np.uint8)
        for plane in (planes.u, planes.v)
    )
    return Planes(grain(y, size_px[0], 1.0, seed), u, v)


def packed(planes: Planes) -> Bytes:
    """Return Y, U and V one after the other, row by row: (bytes,), uint8."""
    return np.concatenate([plane.reshape(-1) for plane in (planes.y, planes.u, planes.v)])


def unpacked(data: Bytes, size_px: tuple[int, int]) -> Planes:
    """Return views of what `packed` made."""
    width, height = size_px
    y, u, v = np.split(data, [width * height, width * height * 5 // 4])
    half = (height // 2, width // 2)
    return Planes(y.reshape(height, width), u.reshape(half), v.reshape(half))

"""The colour of the thing's surface: texture, vertex colours, solid paint or plain grey."""

from typing import Protocol

import numpy as np

from drivers.bench.picture.paint import StonePaint
from drivers.bench.picture.rays import Floats
from drivers.bench.picture.surface import Hits, Surface
from drivers.bench.picture.textures import Texture
from drivers.bench.scene import SceneObject, turned_over

_PLAIN = 0.6


class Coat(Protocol):
    """What a surface looks like in even white light."""

    def colours(self, hits: Hits, footprint_mm: Floats) -> Floats:
        """Return (n, 3), linear RGB, for hits of which each covers a pixel `footprint_mm` (n,) wide."""


def coat_of(thing: SceneObject, surface: Surface) -> Coat:
    """Return the thing's texture, else its vertex colours, else its paint, else plain grey."""
    if thing.texture is not None and thing.uv is not None:
        return _Textured(thing.texture, thing.uv[thing.faces], surface)
    if thing.vertex_colours is not None:
        return _Coloured(thing.vertex_colours[thing.faces])
    if thing.paint_seed is not None:
        top_mm = float(thing.vertices_mm[:, 2].max())
        return _Painted(StonePaint(thing.paint_seed), top_mm if thing.is_upside_down else None)
    return _Plain()


class _Textured:
    def __init__(self, texture: np.ndarray, corner_uv: Floats, surface: Surface) -> None:
        self._texture = Texture(texture)
        self._corner_uv = np.ascontiguousarray(corner_uv, dtype=np.float32)
        first, second = (corner_uv[:, i] - corner_uv[:, 0] for i in (1, 2))
        width, height = self._texture.size_px
        texels = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2 * width * height
        self._texels_per_mm = np.sqrt(texels / np.maximum(surface.face_areas_mm2, 1e-9)).astype(np.float32)

    def colours(self, hits: Hits, footprint_mm: Floats) -> Floats:
        footprint_px = self._texels_per_mm[hits.face] * footprint_mm
        return self._texture.colours(hits.blend(self._corner_uv), footprint_px)


class _Coloured:
    def __init__(self, corner_colours: Floats) -> None:
        self._corner_colours = np.ascontiguousarray(corner_colours, dtype=np.float32)

    def colours(self, hits: Hits, footprint_mm: Floats) -> Floats:
        return hits.blend(self._corner_colours)


class _Painted:
    def __init__(self, paint: StonePaint, upside_down_top_mm: float | None) -> None:
        self._paint = paint
        self._top_mm = upside_down_top_mm

    def colours(self, hits: Hits, footprint_mm: Floats) -> Floats:
        if len(hits.ray) == 0:
            return np.zeros((0, 3), np.float32)
        points = hits.points_mm if self._top_mm is None else turned_over(hits.points_mm, self._top_mm)
        return self._paint.colours(points, float(np.median(footprint_mm)))


class _Plain:
    def colours(self, hits: Hits, footprint_mm: Floats) -> Floats:
        return np.full((len(hits.ray), 3), _PLAIN, np.float32)

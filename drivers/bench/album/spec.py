"""Which pictures an album holds, and where it lies."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from drivers.bench import picture, renderer
from drivers.bench.scene import Exposure

STILL_OFFSETS_DEG = (-0.04, 0.0, 0.04)
"""Half a pixel of a 12 MP photo apart at the rim of an object: a platter that stands, give or take a last swing."""
SMALL_OFFSETS_DEG = (-1.5, -0.3, -0.15, 0.0, 0.15, 0.3, 1.5, 3.0)
"""A companion's pixel apart where the platter swings; far apart where it only rushes by."""
TURN_MDEG = 360_000


class Kind(StrEnum):
    """The two streams of the camera."""

    STILL = "still"
    SMALL = "small"
    """The companion."""


@dataclass(frozen=True)
class Leaf:
    """One picture of an album: the platter at this angle, 0 to 360°, in thousandths of a degree."""

    kind: Kind
    angle_mdeg: int

    @property
    def angle_deg(self) -> float:
        """Of the platter."""
        return self.angle_mdeg / 1000


@dataclass(frozen=True)
class AlbumSpec:
    """The sizes and the viewpoints; a picture is stored as planes Y, U and V, full range, colours halved (I420)."""

    views: int = 60
    """Evenly round the turn, the first at 0°."""
    width_px: int = 4056
    height_px: int = 3040
    small_width_px: int = 1014
    small_height_px: int = 760
    pictures_px: int = 2028
    """Width at which photos are rendered. Less than `width_px`: they are enlarged and given a sensor's noise."""

    def size_px(self, kind: Kind) -> tuple[int, int]:
        """Return width and height."""
        if kind is Kind.STILL:
            return self.width_px, self.height_px
        return self.small_width_px, self.small_height_px

    def rendered_px(self, kind: Kind) -> tuple[int, int]:
        """Return width and height of what the renderer makes of it."""
        width_px, height_px = self.size_px(kind)
        rendered_px = min(self.pictures_px, width_px)
        return rendered_px, 2 * round(height_px * rendered_px / width_px / 2)

    def kind_of(self, exposure: Exposure) -> Kind:
        """Return which stream an exposure is for. Raises ValueError for a size that is not in the album."""
        size_px = (exposure.width_px, exposure.height_px)
        for kind in Kind:
            if self.size_px(kind) == size_px:
                return kind
        raise ValueError(
            f"the album holds {self.width_px}x{self.height_px} and {self.small_width_px}x{self.small_height_px}, "
            f"not {size_px[0]}x{size_px[1]}; make one of the camera's sizes"
        )

    def leaves(self) -> Iterator[Leaf]:
        """Yield every picture, companions first: without them there is nothing to judge a standstill by."""
        for kind, offsets_deg in ((Kind.SMALL, SMALL_OFFSETS_DEG), (Kind.STILL, STILL_OFFSETS_DEG)):
            angles = {
                round(1000 * (view * 360 / self.views + offset_deg)) % TURN_MDEG
                for view in range(self.views)
                for offset_deg in offsets_deg
            }
            yield from (Leaf(kind, angle_mdeg) for angle_mdeg in sorted(angles))

    def folder(self, albums: Path, scene: bytes) -> Path:
        """Return where the album of this pickled scene lies: another one when scene, sizes or renderer change."""
        mark = hashlib.sha256(scene)
        mark.update(repr((self.size_px(Kind.STILL), self.size_px(Kind.SMALL), self.pictures_px)).encode())
        for source in sorted([*Path(picture.__file__).parent.glob("*.py"), Path(renderer.__file__)]):
            mark.update(source.read_bytes())
        return albums / mark.hexdigest()[:16]

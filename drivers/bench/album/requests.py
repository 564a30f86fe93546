"""What the renderer's process is asked about an album."""

from dataclasses import dataclass
from pathlib import Path

from drivers.bench.album.spec import AlbumSpec, Leaf
from drivers.bench.scene import Exposure


@dataclass(frozen=True)
class OpenAlbum:
    """Pictures go to `memory`: the photo first, its companion from `small_offset_bytes` on."""

    folder: Path
    spec: AlbumSpec
    memory: Path
    small_offset_bytes: int


@dataclass(frozen=True)
class AddLeaf:
    """Render one picture and keep it."""

    leaf: Leaf


@dataclass(frozen=True)
class Develop:
    """Show what the sensor saw."""

    exposure: Exposure


AlbumRequest = OpenAlbum | AddLeaf | Develop

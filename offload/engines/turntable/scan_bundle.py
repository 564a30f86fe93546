"""A sealed scan on disk: manifest and photos, verified."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from offload.engines.protocol import BadInput
from offload.engines.turntable.photos import PhotoFile
from offload.engines.turntable.stands import StandKey
from offload.wire.bundle import FrameEntry, Manifest, StoredFile

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class ScanBundle:
    """The photos that this engine takes, camera by camera, ring by ring, by commanded angle."""

    manifest: Manifest
    frames: tuple[FrameEntry, ...]
    files: tuple[PhotoFile, ...]
    backgrounds: dict[int, PhotoFile] = field(default_factory=dict)
    """Of each camera that has one: its photo of the empty table."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Photos that were not even looked at, with the reason of each."""

    @property
    def stands(self) -> list[StandKey]:
        """Of each photo: which camera took it, and which height that had."""
        return [StandKey(frame.camera, frame.ring) for frame in self.frames]

    @property
    def angles_deg(self) -> NDArray[np.float64]:
        """(V,): commanded."""
        return np.array([frame.angle_deg for frame in self.frames])

    def only(self, views: list[int]) -> "ScanBundle":
        """Return the same scan with these photos alone."""
        frames = tuple(self.frames[view] for view in views)
        return replace(self, frames=frames, files=tuple(self.files[view] for view in views))


def open_bundle(folder: Path) -> ScanBundle:
    """Read the manifest; the photos are verified when they are read. Raises BadInput."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BadInput(f"{folder}: no {MANIFEST}; a sealed scan's folder is expected, {_what_is_in(folder)}")
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BadInput(f"{path}: not a manifest that this version reads: {_first_fault(error)}") from error
    left_out = _left_out(manifest)
    wanted = [frame for frame in manifest.frames if frame.file.name not in left_out]
    frames = tuple(sorted(wanted, key=lambda frame: (frame.camera, frame.ring, frame.angle_deg)))
    files = tuple(_photo(folder, frame.file) for frame in frames)
    plates = {number: camera.background for number, camera in enumerate(manifest.all_cameras())}
    backgrounds = {number: _photo(folder, plate) for number, plate in plates.items() if plate is not None}
    return ScanBundle(manifest, frames, files, backgrounds, left_out)


def _photo(folder: Path, stored: StoredFile) -> PhotoFile:
    return PhotoFile(stored.name, folder / stored.name, stored)


def _left_out(manifest: Manifest) -> dict[str, str]:
    """Repeats and brackets add nothing here; an object that was turned over does not fit to how it lay before."""
    sides = [frame.side for frame in manifest.frames]
    side = max(sorted(set(sides)), key=sides.count)
    reasons = {}
    for frame in manifest.frames:
        if frame.side != side:
            reasons[frame.file.name] = f"shows side {frame.side + 1}; this engine makes its model of side {side + 1}"
        elif not frame.is_plain:
            reasons[frame.file.name] = "is a repeat or part of a bracket; this engine takes the plain photo"
    return reasons


def _what_is_in(folder: Path) -> str:
    if not folder.is_dir():
        return "and there is no such folder"
    count = sum(1 for _ in folder.iterdir())
    return "and this one is empty" if count == 0 else f"and this one has {count} other entries"


def _first_fault(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_input=False)
    where = ".".join(str(part) for part in faults[0]["loc"]) or "the whole"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{where}: {faults[0]['msg']}{more}"

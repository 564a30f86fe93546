"""Raw files beside photos that count already: written, hashed, and only then told by the journal."""

import importlib
from pathlib import Path
from typing import IO

from drivers.raw_picture import Raw, RawFile, RawMosaic
from offload.wire.bundle import FrameEntry, StoredFile
from scannerd import __version__
from scannerd.scan.plan import ScanPlan
from scannerd.store.durable import placed_durably
from scannerd.store.hashing import sha256_of_file

DNG = ".dng"


def write_raw(folder: Path, plan: ScanPlan, entry: FrameEntry, raw: Raw) -> StoredFile:
    """Write a photo's raw file into the scan's folder, and return what to say of it once it is on the disk.

    Named as the photo is. Raises StoreFault; then it is not there.
    """
    ending = raw.ending if isinstance(raw, RawFile) else DNG
    name = str(Path(entry.file.name).with_suffix(ending))
    path = folder / name
    with placed_durably(path, raw.size_bytes) as file:
        if isinstance(raw, RawFile):
            file.write(raw.data)
        else:
            _write_dng(file, plan, entry, raw)
    return StoredFile(name=name, sha256=sha256_of_file(path), size_bytes=path.stat().st_size)


def _write_dng(file: IO[bytes], plan: ScanPlan, entry: FrameEntry, mosaic: RawMosaic) -> None:
    # Loaded with the first mosaic: a daemon that keeps none starts without waiting for a library of TIFF.
    dng = importlib.import_module("scannerd.store.dng")
    camera, software = plan.of_camera(entry.camera).camera, f"scannerd {__version__}"
    facts = dng.DngFacts(camera, entry.exposure_us, entry.analogue_gain, entry.taken_at, software)
    dng.write_dng(file, mosaic, facts)

"""Raw files beside photos that count already: written, hashed, and only then told by the journal."""

import os
from pathlib import Path

from drivers.raw_picture import Raw, RawFile
from offload.wire.bundle import FrameEntry, StoredFile
from scannerd import __version__
from scannerd.scan.plan import ScanPlan
from scannerd.store.dng import DngFacts, write_dng
from scannerd.store.durable import explained, fsync_folder, part_of
from scannerd.store.hashing import sha256_of_file

DNG = ".dng"


def write_raw(folder: Path, plan: ScanPlan, entry: FrameEntry, raw: Raw) -> StoredFile:
    """Write a photo's raw file into the scan's folder, and return what to say of it once it is on the disk.

    Named as the photo is. Raises StoreFault; then it is not there.
    """
    ending = raw.ending if isinstance(raw, RawFile) else DNG
    name = str(Path(entry.file.name).with_suffix(ending))
    path = folder / name
    temporary = part_of(path)
    with explained(path, raw.size_bytes):
        try:
            with temporary.open("w+b") as file:
                if isinstance(raw, RawFile):
                    file.write(raw.data)
                else:
                    write_dng(file, raw, _facts(plan, entry))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        fsync_folder(path.parent)
    return StoredFile(name=name, sha256=sha256_of_file(path), size_bytes=path.stat().st_size)


def _facts(plan: ScanPlan, entry: FrameEntry) -> DngFacts:
    software = f"scannerd {__version__}"
    return DngFacts(
        plan.of_camera(entry.camera).camera, entry.exposure_us, entry.analogue_gain, entry.taken_at, software
    )

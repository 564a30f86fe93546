"""Small copies of photos: not durable, since they can be made anew; so a power cut may take or tear one."""

from pathlib import Path

from offload.wire.bundle import StoredFile
from scannerd.store.durable import explained, part_of
from scannerd.store.layout import ScanFolder
from scannerd.store.photo import PhotoFault, Pixels, encode_jpeg, read_small

QUALITY = 80
_BEGIN, _END = b"\xff\xd8", b"\xff\xd9"
"""Of every JPEG; what a power cut tears lacks one of them."""


def keep_thumbnail(folder: ScanFolder, photo: StoredFile, jpeg: bytes) -> None:
    """Write the small copy of a photo. Raises StoreFault."""
    path = folder.thumbnail_of(photo)
    with explained(path, len(jpeg)):
        part_of(path).write_bytes(jpeg)
        part_of(path).replace(path)


def whole_thumbnail(folder: ScanFolder, photo: StoredFile) -> Path:
    """Return where the small copy lies; it is made from the photo when it is not there or torn.

    Raises StoreFault. Without the photo there is none.
    """
    path = folder.thumbnail_of(photo)
    if not _is_whole(path):
        try:
            keep_thumbnail(folder, photo, encode_jpeg(read_small(folder.path / photo.name), QUALITY))
        except PhotoFault:
            path.unlink(missing_ok=True)
    return path


def remove_thumbnails(folder: ScanFolder) -> None:
    """Remove all of a scan's small copies, on a disk so full that nothing else can be done; they are made anew."""
    for path in folder.thumbnails.glob("*"):
        path.unlink(missing_ok=True)


def small_of(folder: ScanFolder, photo: StoredFile) -> Pixels:
    """Return (height, width, 3) RGB at thumbnail width. Raises PhotoFault, StoreFault."""
    return read_small(whole_thumbnail(folder, photo))


def _is_whole(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            begin = file.read(2)
            file.seek(-2, 2)
            return begin == _BEGIN and file.read(2) == _END
    except OSError:
        return False

"""Which programs a scan can be exported for, and every file of such an export."""

from collections.abc import Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path

from scannerd.export import colmap, meshroom, nerfstudio, realitycapture
from scannerd.export.exported_file import ExportedFile, text_file
from scannerd.export.mask import full_size_mask
from scannerd.export.photo_set import PhotoSet, SetPhoto
from scannerd.export.raw_along import raw_files, raw_note
from scannerd.export.read_me import read_me


class Program(StrEnum):
    """Whose convention the files follow."""

    MESHROOM = "meshroom"
    COLMAP = "colmap"
    NERFSTUDIO = "nerfstudio"
    REALITYCAPTURE = "realitycapture"


_FILES = {
    Program.COLMAP: colmap.files,
    Program.NERFSTUDIO: nerfstudio.files,
    Program.REALITYCAPTURE: realitycapture.files,
}
_MASK_NAMES = {
    Program.MESHROOM: "masks/{index:04d}.png",
    Program.COLMAP: "masks/{name}.png",
    Program.NERFSTUDIO: "masks/{index:04d}.png",
    Program.REALITYCAPTURE: "images/{name}.mask.png",
}


def exported(
    photos: PhotoSet, program: Program, folder: Path | None = None, *, raw: bool = False
) -> list[ExportedFile]:
    """Return every file of an export, small ones first. `folder` is where it will lie, where somebody knows.

    `raw`: those raw files too that there are. Raises ExportFault when the program needs what is missing.
    """
    own = meshroom.files(photos, folder) if program is Program.MESHROOM else _FILES[program](photos)
    shown = photos_for(photos, program)
    words = read_me(photos, program.value, raw_note(shown, wanted=raw))
    return [text_file("README.txt", words), *own, *_pictures(photos, program), *(raw_files(shown) if raw else ())]


def photos_for(photos: PhotoSet, program: Program) -> tuple[SetPhoto, ...]:
    """Return which photos a program gets."""
    return photos.posed if program is Program.NERFSTUDIO else photos.photos


def _pictures(photos: PhotoSet, program: Program) -> Iterator[ExportedFile]:
    for photo in photos_for(photos, program):
        yield ExportedFile(f"images/{photo.name}", photo.path)
        if photo.mask is not None:
            yield ExportedFile(
                _MASK_NAMES[program].format(index=photo.index, name=photo.name), _mask_of(photos, photo)
            )


def _mask_of(photos: PhotoSet, photo: SetPhoto) -> partial[bytes]:
    assert photo.mask is not None
    lens = photos.camera_of(photo).lens
    return partial(full_size_mask, photo.mask, lens.width_px, lens.height_px)

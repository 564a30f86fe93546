"""Raw files in an export, where somebody wants them and the scan has them."""

from collections.abc import Sequence
from pathlib import Path

from scannerd.export.exported_file import ExportedFile
from scannerd.export.photo_set import SetPhoto

FOLDER = "raw"
"""Of their own: COLMAP and RealityCapture take whatever picture lies in `images` for one more photo."""


def raw_files(photos: Sequence[SetPhoto]) -> list[ExportedFile]:
    """Return those that there are, named as their photos are."""
    return [
        ExportedFile(f"{FOLDER}/{Path(photo.name).with_suffix(photo.raw.suffix)}", photo.raw)
        for photo in photos
        if photo.raw is not None
    ]


def raw_note(photos: Sequence[SetPhoto], *, wanted: bool) -> str | None:
    """Return what to say of them; None where nobody asks and there are none."""
    count = len(raw_files(photos))
    if not wanted:
        return (
            f"{count} raw files of these photos are not in here: export with --raw, or with the switch on the page"
            if count
            else None
        )
    if count == 0:
        return "no raw files: the scan kept none (scannerd scan --raw device, or [camera] raw, keeps them)"
    return f"{count} raw files in {FOLDER}/" + (f", {len(photos) - count} photos have none" * (count < len(photos)))

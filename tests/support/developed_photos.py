"""Photos made ready for the disk without a gate: plain ones, with nothing beside them."""

from scannerd.scan.plan import ScanPlan
from scannerd.store.developed import DevelopedPhoto, TakenPhoto, hashed, jpeg_of, name_of
from scannerd.store.photo import thumbnail_jpeg


def develop(photo: TakenPhoto, plan: ScanPlan) -> DevelopedPhoto:
    return hashed(photo, {f"{name_of(photo)}.jpg": jpeg_of(photo, plan)}, thumbnail_jpeg(photo.small))

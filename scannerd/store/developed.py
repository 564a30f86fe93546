"""A photo made ready for the disk: everything that costs time and needs no disk."""

from dataclasses import dataclass
from datetime import datetime

from drivers.picture import Planes
from offload.wire.bundle import FrameEntry, Place, StoredFile
from scannerd import __version__
from scannerd.scan.plan import ScanPlan, Viewpoint
from scannerd.store.hashing import sha256_of_bytes
from scannerd.store.layout import take_name
from scannerd.store.photo import encode_planes, with_exif


@dataclass(frozen=True)
class TakenPhoto:
    """A photo that was judged good enough, on its way to the disk."""

    viewpoint: Viewpoint
    photo: Planes
    small: Planes
    """Its companion."""
    angle_deg: float
    exposure_us: float
    analogue_gain: float
    taken_at: datetime
    sharpness: float | None = None
    attempt: int = 1
    seen_angle_deg: float | None = None
    """As read off the mat."""
    jpeg: bytes | None = None
    """The photo as the camera itself encoded it, with its own EXIF."""


@dataclass(frozen=True)
class DevelopedPhoto:
    """The files of one photo with what the journal will say of them."""

    entry: FrameEntry
    """Its files are named as if this were the viewpoint's first photo; the store names those of a later one."""
    files: dict[str, bytes]
    """By the names in `entry`: the photo and its sidecars."""
    thumbnail: bytes

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(map(len, self.files.values())) + len(self.thumbnail)

    def as_take(self, take: int) -> "DevelopedPhoto":
        """Return the same photo under the names of a viewpoint's second, third … one."""
        first, later = f"/{take_name(self.entry.index, 1)}.", f"/{take_name(self.entry.index, take)}."

        def renamed(file: StoredFile) -> StoredFile:
            return file.model_copy(update={"name": file.name.replace(first, later)})

        changes = {"file": renamed(self.entry.file), "sidecars": tuple(map(renamed, self.entry.sidecars))}
        files = {name.replace(first, later): data for name, data in self.files.items()}
        return DevelopedPhoto(self.entry.model_copy(update=changes), files, self.thumbnail)


def file_of(name: str, data: bytes) -> StoredFile:
    """Return what manifest and journal say of a file."""
    return StoredFile(name=name, sha256=sha256_of_bytes(data), size_bytes=len(data))


def name_of(photo: TakenPhoto) -> str:
    """Return what the names of a photo's files begin with, in the scan's folder."""
    return f"frames/{take_name(photo.viewpoint.index, 1)}"


def jpeg_of(photo: TakenPhoto, plan: ScanPlan) -> bytes:
    """Encode a photo, with what other programs want to know of it. Raises PhotoFault."""
    if photo.jpeg is not None:
        return photo.jpeg
    plan = plan.of_camera(photo.viewpoint.camera)
    plain, software = encode_planes(photo.photo, plan.jpeg_quality), f"scannerd {__version__}"
    return with_exif(plain, plan.camera, photo.exposure_us, photo.analogue_gain, photo.taken_at, software)


def hashed(photo: TakenPhoto, files: dict[str, bytes], thumbnail: bytes) -> DevelopedPhoto:
    """Return what the journal will say of a photo; the first of its files is the JPEG, the others are sidecars."""
    jpeg, *sidecars = (file_of(name, data) for name, data in files.items())
    entry = FrameEntry(
        **{field: getattr(photo.viewpoint, field) for field in Place.model_fields},
        angle_deg=photo.angle_deg,
        file=jpeg,
        exposure_us=photo.exposure_us,
        analogue_gain=photo.analogue_gain,
        sharpness=photo.sharpness,
        attempt=photo.attempt,
        taken_at=photo.taken_at,
        seen_angle_deg=photo.seen_angle_deg,
        sidecars=tuple(sidecars),
    )
    return DevelopedPhoto(entry, files, thumbnail)

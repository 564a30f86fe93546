"""Photos that came without a scan, made a bundle like any other: what a scan would have known is read off the mat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from offload.durable import sha256_of
from offload.geometry.mat_board import MatBoard
from offload.geometry.mat_turn import MatPose, MatReader, Placed, place_photos
from offload.wire.bundle import CameraModel, FrameEntry, Manifest, StoredFile
from offload.wire.jobs import Cause
from offload.wire.reconstruct import ReconstructRequest
from offload.worker.images_refused import ImagesRefused
from offload.worker.photo_look import NotAPhoto, look_at

LEAST_WITH_MAT, LEAST_SHARE_WITH_MAT = 4, 0.25
UNKNOWN_EXPOSURE_US = 10_000.0


@dataclass(frozen=True)
class Photo:
    """One whole photo on this disk."""

    path: Path
    file: StoredFile
    size_px: tuple[int, int]
    camera: CameraModel
    pose: MatPose | None


def read_photos(request: ReconstructRequest, paths: Sequence[Path]) -> list[Photo]:
    """Decode every photo, one at a time, and find the mat in it. Raises ImagesRefused."""
    reader = MatReader(MatBoard(request.mat))
    photos: list[Photo] = []
    for number, (path, url) in enumerate(zip(paths, request.image_urls, strict=True)):
        try:
            seen = look_at(path)
        except NotAPhoto as problem:
            raise ImagesRefused(f"image_urls[{number}]: {url} {problem}; name a whole photo") from problem
        size_px = (seen.width_px, seen.height_px)
        if photos and size_px != photos[0].size_px:
            raise ImagesRefused(
                f"image_urls[{number}]: {size_px[0]}x{size_px[1]} pixels, the first has "
                f"{photos[0].size_px[0]}x{photos[0].size_px[1]}; all photos must have one size"
            )
        name = f"frames/{number:04d}.{seen.suffix}"
        file = StoredFile(name=name, sha256=sha256_of(path), size_bytes=path.stat().st_size)
        photos.append(Photo(path, file, size_px, seen.camera, reader.pose(seen.grey, seen.focal_px)))
    return photos


def bundle_of(job_id: str, created_at: datetime, request: ReconstructRequest, photos: Sequence[Photo]) -> Manifest:
    """Return the bundle of a job's photos. Raises ImagesRefused where too few of them show the mat."""
    shown = sum(photo.pose is not None for photo in photos)
    needed = max(LEAST_WITH_MAT, round(LEAST_SHARE_WITH_MAT * len(photos)))
    if shown < needed:
        mat = request.mat
        raise ImagesRefused(
            f"the mat shows in {shown} of {len(photos)} photos, at least {needed} are needed: pose and scale are "
            f"taken from a mat of {mat.columns}x{mat.rows} squares of {mat.square_mm:g} mm ({mat.dictionary}) on the "
            "turntable, and photos without one cannot be reconstructed here. Name another mat as `mat`, or lay one "
            "under the object (`scannerd mat` prints it)",
            Cause.TOO_FEW_POSES,
        )
    placed = place_photos([photo.pose for photo in photos])
    first = photos[0]
    return Manifest(
        scan_id=job_id,
        created_at=created_at,
        device="images by URL",
        camera=first.camera,
        photo_width_px=first.size_px[0],
        photo_height_px=first.size_px[1],
        mat=request.mat,
        options=request.options,
        frames=tuple(
            _frame(number, photo, place, created_at)
            for number, (photo, place) in enumerate(zip(photos, placed, strict=True))
        ),
    )


def _frame(number: int, photo: Photo, place: Placed, created_at: datetime) -> FrameEntry:
    return FrameEntry(
        index=number,
        ring=place.ring,
        angle_deg=place.angle_deg,
        file=photo.file,
        exposure_us=UNKNOWN_EXPOSURE_US,
        analogue_gain=1.0,
        taken_at=created_at,
    )

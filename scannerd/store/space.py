"""Whether a scan fits on the disk, asked before the first move and before each photo."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scannerd.scan.plan import ScanPlan
from scannerd.store.durable import StoreFull, free_bytes_at

RESULTS_BYTES = 40_000_000
"""Model, texture and pictures that come back from the service; contact sheet and manifest."""
SIDECAR_BYTES_PER_PIXEL = 0.5
"""Edge map and mask of a busy picture as PNG, for each pixel of the small picture."""
WIDEST_SMALL_PX = 2028
"""The small picture is half as wide as the photo up to here, else a quarter."""
OTHER_BYTES = 60_000
"""Thumbnail, sidecar, journal line, and the last block of each file."""


def photo_bytes(plan: ScanPlan) -> int:
    """Return what one photo, its sidecars, thumbnail and raw file take at most, for a busy picture.

    Of several cameras, the one with the largest photos.
    """
    cameras = (plan.of_camera(number) for number in range(1 + len(plan.cameras)))
    return max(photo_bytes_at(*camera.size_px, camera.jpeg_quality) for camera in cameras) + plan.raw_bytes


def photo_bytes_at(width_px: int, height_px: int, jpeg_quality: int) -> int:
    """The same for a photo of this size and quality."""
    pixels = width_px * height_px
    bytes_per_pixel = 0.35 + 0.65 * max(0.0, (jpeg_quality - 80) / 20) ** 2
    small_pixels = pixels / (4 if width_px <= 2 * WIDEST_SMALL_PX else 16)
    return round(pixels * bytes_per_pixel + small_pixels * SIDECAR_BYTES_PER_PIXEL) + OTHER_BYTES


def scan_bytes(plan: ScanPlan, photos: int) -> int:
    """Return what so many photos of a plan, what is known of them and their model take at most."""
    return photos * photo_bytes(plan) + RESULTS_BYTES


@dataclass(frozen=True)
class DiskForecast:
    """Says no before it is too late. `free_bytes` reads the disk that holds a folder."""

    folder: Path
    reserve_bytes: int
    free_bytes: Callable[[Path], int] = free_bytes_at

    @property
    def usable_bytes(self) -> int:
        """What is free beside the reserve; less than 0 when the reserve is touched. Raises OSError."""
        return self.free_bytes(self.folder) - self.reserve_bytes

    def require(self, plan: ScanPlan, photos: int) -> None:
        """Raise StoreFull, naming need and space, unless `photos` more of this plan fit beside the reserve."""
        needed, usable = scan_bytes(plan, photos), self.usable_bytes
        if needed > usable:
            raise StoreFull(
                f"{self.folder}: {photos} photos of {plan.photo_width_px}x{plan.photo_height_px} and their model "
                f"need up to {needed / 1e6:.0f} MB; {max(0, usable) / 1e6:.0f} MB are free beside the reserve of "
                f"{self.reserve_bytes / 1e6:.0f} MB; delete old scans, then try again"
            )

    def require_next(self, plan: ScanPlan, photos: int = 1) -> None:
        """Raise StoreFull unless so many more photos fit beside the reserve."""
        usable, needed = self.usable_bytes, photos * photo_bytes(plan)
        if needed > usable:
            raise self._no_room(usable, f"{photos} photos need" if photos > 1 else "one photo needs", needed)

    def require_bytes(self, size_bytes: int) -> None:
        """Raise StoreFull unless files of this size in all fit beside the reserve."""
        usable, needed = self.usable_bytes, size_bytes + OTHER_BYTES
        if needed > usable:
            raise self._no_room(usable, "this photo needs", needed)

    def _no_room(self, usable_bytes: int, what: str, needed_bytes: int) -> StoreFull:
        return StoreFull(
            f"{self.folder}: {max(0, usable_bytes) / 1e6:.1f} MB free beside the reserve of "
            f"{self.reserve_bytes / 1e6:.0f} MB, {what} up to {needed_bytes / 1e6:.1f} MB; "
            "free some space, then resume: everything so far is kept"
        )

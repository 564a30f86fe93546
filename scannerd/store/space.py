"""Whether a scan fits on the disk, asked before the first move and before each photo."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scannerd.scan.plan import ScanPlan
from scannerd.store.durable import StoreFull, free_bytes_at

RESULTS_BYTES = 40_000_000
"""Model, texture and pictures that come back from the service."""


def photo_bytes(plan: ScanPlan) -> int:
    """Return what one photo and its thumbnail take at most, for a busy picture at the plan's JPEG quality."""
    bytes_per_pixel = 0.35 + 0.65 * max(0.0, (plan.jpeg_quality - 80) / 20) ** 2
    return round(plan.photo_width_px * plan.photo_height_px * bytes_per_pixel) + 40_000


def scan_bytes(plan: ScanPlan, photos: int) -> int:
    """Return what so many photos of a plan and their model take at most."""
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

    def require_next(self, plan: ScanPlan) -> None:
        """Raise StoreFull unless one more photo fits beside the reserve."""
        usable = self.usable_bytes
        if photo_bytes(plan) > usable:
            raise StoreFull(
                f"{self.folder}: {max(0, usable) / 1e6:.1f} MB free beside the reserve of "
                f"{self.reserve_bytes / 1e6:.0f} MB, one photo needs up to {photo_bytes(plan) / 1e6:.1f} MB; "
                "free some space, then resume: everything so far is kept"
            )

"""What a scan will take, said before it begins."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import prod

from drivers.protocols import Axis, Camera
from scannerd.board.scan_shown import Forecast
from scannerd.scan.plan import ScanPlan
from scannerd.store.durable import StoreFull
from scannerd.store.space import DiskForecast, scan_bytes

JUDGE_AND_STORE_S = 0.35
"""Judging, encoding and writing a photo of two megapixels on a Pi 4; larger ones take longer in proportion."""
MEGAPIXELS_OF_THAT = 1.92


def forecast(plan: ScanPlan, axis: Axis, cameras: Sequence[Camera], disk: DiskForecast) -> Forecast:
    """Return time and space for all photos of a plan; without the minutes that a person takes between rings."""
    photos = len(plan.viewpoints)
    numbers = range(len(cameras))
    # Cameras take their photos at once, and the judge looks at one after the other.
    stop_s = max(
        plan.of_camera(number).exposure_us * 1e-6 + cameras[number].description.readout_s for number in numbers
    )
    megapixels = sum(prod(plan.of_camera(number).size_px) for number in numbers) / 1e6
    stop_s += JUDGE_AND_STORE_S * megapixels / MEGAPIXELS_OF_THAT
    try:
        disk.require(plan, photos)
        reason = None
    except StoreFull as full:
        reason = str(full)
    return Forecast(
        photos=photos,
        minutes=round((photos / len(cameras) * stop_s + _turning_s(plan, axis)) / 60, 1),
        megabytes=round(scan_bytes(plan, photos) / 1e6, 1),
        free_megabytes=round(max(0, disk.usable_bytes) / 1e6, 1),
        fits=reason is None,
        reason=reason,
    )


def _turning_s(plan: ScanPlan, axis: Axis) -> float:
    """Return what all moves of the platter take, each with its settling; brackets and repeats move nothing."""
    steps = Counter(round(after.angle_deg - before.angle_deg, 6) for before, after in pairwise(plan.viewpoints))
    return sum(
        count * (axis.move_time_s(0.0, step_deg) + plan.settle_s) for step_deg, count in steps.items() if step_deg
    )

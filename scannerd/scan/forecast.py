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
    # The judge looks at one photo after the other.
    stop_s = _capture_s(plan, cameras)
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


def _capture_s(plan: ScanPlan, cameras: Sequence[Camera]) -> float:
    """Return what the photos of one stop take: at once, but for cameras that stream in turns."""
    longest_s, turns_s = 0.0, 0.0
    for number, camera in enumerate(cameras):
        about = camera.description
        frame_s = plan.of_camera(number).exposure_us * 1e-6 + about.readout_s
        longest_s = max(longest_s, frame_s)
        turns_s += about.turn_s + frame_s if about.turn_s else 0.0
    return max(longest_s, turns_s)


def _turning_s(plan: ScanPlan, axis: Axis) -> float:
    """Return what all moves of the platter take, each with its settling; brackets and repeats move nothing."""
    steps = Counter(round(after.angle_deg - before.angle_deg, 6) for before, after in pairwise(plan.viewpoints))
    return sum(
        count * (axis.move_time_s(0.0, step_deg) + plan.settle_s) for step_deg, count in steps.items() if step_deg
    )

"""`scripts/bench slips`: lost steps found on the mat, and the angle's error after their correction.

The production stepper driver turns the bench's platter; on the way to some viewpoints the bench's motor loses steps,
0.1° to 5° of them, as the seed says. The renderer photographs what is truly there, and the watch sees nothing but
that photo and what the driver believes.
"""

import argparse
import asyncio
import json
import math
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.bench.mat_picture import charuco_mat
from drivers.bench.render_set import thing_named
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure, MeshFileError, Scene
from drivers.options import StepperGpioOptions
from drivers.picture import Planes, companion_size_px
from drivers.protocols import Axis
from drivers.stepper_gpio import StepperGpio
from offload.wire.bundle import CameraModel, MatSpec
from scannerd.config import MatSection
from scannerd.quality.look import MatReading
from scannerd.quality.mat_reading import MatReader
from scannerd.scan.plan import ScanPlan, viewpoints_on
from scannerd.scan.slip import MAX_SLIP_DEG, SlipVerdict, SlipWatch

TO_FIND_DEG = 0.3
RESOLUTION_DEG = 0.05
GOAL_ERROR_DEG = 0.05
SMALLEST_DEG, LARGEST_DEG = 0.1, 5.0
SPEED = 50.0


@dataclass(frozen=True)
class Photo:
    """One photo, the truth beside what was made of it."""

    index: int
    true_deg: float
    expected_deg: float
    """What the scan believed before it looked."""
    lost_deg: float
    """On the way to this photo."""
    verdict: SlipVerdict

    @property
    def true_slip_deg(self) -> float:
        """What was to be found, small slips that had not been corrected before included."""
        return self.true_deg - self.expected_deg


@dataclass(frozen=True)
class Row:
    """One object's scan."""

    object: str
    photos: int
    read: int
    """Photos whose mat could be read."""
    slips: int
    """Of 0.3° and more."""
    found: int
    false_alarms: int
    """Corrections where less than the limit, and its resolution, was wrong."""
    error_max_deg: float
    """Of the angle seen, which is what a photo counts with."""
    error_rms_deg: float
    after_max_deg: float
    """Of the angle commanded for the photo after each correction, as far as nothing was lost on the way to it."""


def main(arguments: Sequence[str]) -> int:
    """Run the bench; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        rows = [
            _row(name, asyncio.run(scan(name, options.views, options.size, options.seed + number)))
            for number, name in enumerate(options.object or ["default"])
        ]
    except MeshFileError as error:
        print(f"scripts/bench slips: {error}", file=sys.stderr)
        return 1
    if options.json:
        goals = {"to_find_deg": TO_FIND_DEG, "error_deg": GOAL_ERROR_DEG, "limit_deg": MAX_SLIP_DEG}
        print(json.dumps({"goals": goals, "rows": [asdict(row) for row in rows]}, indent=2))
    else:
        Console(width=max(100, Console().width)).print(_table(rows))
    met = all(row.found == row.slips and row.error_max_deg <= GOAL_ERROR_DEG and not row.false_alarms for row in rows)
    return 0 if met else 1


async def scan(name: str, views: int, size_px: tuple[int, int], seed: int) -> list[Photo]:
    """Turn the platter once round with slips, and judge each photo. Raises MeshFileError."""
    mat = MatSection().spec()
    assert mat is not None
    renderer = Renderer(Scene(thing_named(name), charuco_mat()))
    rng = np.random.default_rng(seed)
    with install_bench(GreyCard(), speed=SPEED) as bench:
        axis = StepperGpio(StepperGpioOptions(), bench.clock)
        await axis.home()
        try:
            return [photo async for photo in _photos(_plan(views, size_px, mat), axis, bench, renderer, rng)]
        finally:
            await axis.close()


async def _photos(
    plan: ScanPlan, axis: Axis, bench: Bench, renderer: Renderer, rng: np.random.Generator
) -> AsyncIterator[Photo]:
    assert plan.mat is not None
    watch, reader, offset_deg = SlipWatch(plan), MatReader(plan.mat), 0.0
    for viewpoint in plan.viewpoints:
        lost = _steps_lost(rng, bench) if viewpoint.index else 0
        bench.world.motor.lose(lost)
        expected_deg = await axis.move_to(viewpoint.angle_deg - offset_deg) + offset_deg
        true_deg = bench.world.platter.settled_angle_deg
        reading = _read(renderer, reader, plan, true_deg, viewpoint.index)
        verdict = watch.see(viewpoint.index, expected_deg, reading, offset_deg)
        offset_deg = verdict.offset_deg
        yield Photo(viewpoint.index, true_deg, expected_deg, lost * bench.step_deg, verdict)


def _steps_lost(rng: np.random.Generator, bench: Bench) -> int:
    """Return none for two moves of three; sizes are spread evenly over the decades."""
    if rng.random() < 2 / 3:
        return 0
    size_deg = math.exp(rng.uniform(math.log(SMALLEST_DEG), math.log(LARGEST_DEG)))
    return math.ceil(size_deg / bench.step_deg)


def _read(renderer: Renderer, reader: MatReader, plan: ScanPlan, angle_deg: float, seed: int) -> MatReading | None:
    """As the gate reads it: found in the companion, measured in the photo."""
    size_px = (plan.photo_width_px, plan.photo_height_px)
    photo = Planes.from_rgb(renderer.render(Exposure(*size_px, (angle_deg,), noise_seed=seed))).y
    small = np.asarray(cv2.resize(photo, companion_size_px(*size_px), interpolation=cv2.INTER_AREA), np.uint8)
    return reader.read(photo, small)


def _row(name: str, photos: list[Photo]) -> Row:
    read = [photo for photo in photos if photo.verdict.seen_deg is not None]
    errors_deg = [(photo.verdict.seen_deg or 0.0) - photo.true_deg for photo in read]
    slips = [photo for photo in photos if abs(photo.true_slip_deg) >= TO_FIND_DEG - 1e-9]
    small_deg = MAX_SLIP_DEG - RESOLUTION_DEG
    after_deg = [
        abs(photo.true_slip_deg)
        for before, photo in pairwise(photos)
        if before.verdict.correct and photo.lost_deg == 0
    ]
    return Row(
        object=Path(name).stem,
        photos=len(photos),
        read=len(read),
        slips=len(slips),
        found=sum(photo.verdict.correct for photo in slips),
        false_alarms=sum(photo.verdict.correct and abs(photo.true_slip_deg) < small_deg for photo in photos),
        error_max_deg=round(max(map(abs, errors_deg), default=0.0), 4),
        error_rms_deg=round(float(np.sqrt(np.mean(np.square(errors_deg)))), 4),
        after_max_deg=round(max(after_deg, default=0.0), 4),
    )


def _plan(views: int, size_px: tuple[int, int], mat: MatSpec) -> ScanPlan:
    return ScanPlan(
        scan_id="slips",
        created_at=datetime.now(UTC),
        device="bench",
        camera=CameraModel(make="scannerd", model="bench", focal_length_mm=9, pixel_pitch_um=3),
        photo_width_px=size_px[0],
        photo_height_px=size_px[1],
        jpeg_quality=95,
        exposure_us=20_000,
        analogue_gain=1,
        settle_s=0.3,
        max_retakes=3,
        mat=mat,
        viewpoints=viewpoints_on(views),
    )


def _table(rows: list[Row]) -> Table:
    table = Table(title=f"slips of {TO_FIND_DEG}° and more; goal: all found, error ≤ {GOAL_ERROR_DEG}°")
    for heading in ("object", "photos", "mat read", "found", "false alarms", "error max", "rms", "next photo"):
        table.add_column(heading, justify="left" if heading == "object" else "right")
    for row in rows:
        table.add_row(
            row.object,
            str(row.photos),
            str(row.read),
            f"{row.found} of {row.slips}",
            str(row.false_alarms),
            f"{row.error_max_deg:.4f}°",
            f"{row.error_rms_deg:.4f}°",
            f"{row.after_max_deg:.4f}°",
        )
    return table


def _size_px(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and min(int(width), int(height)) >= 160):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write 1600x1200, at least 160 pixels each way")
    return int(width), int(height)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench slips", description="Find lost steps on the mat.")
    parser.add_argument("--object", action="append", help="default, or a mesh file; several: one scan each")
    parser.add_argument("--views", type=int, default=36, help="photos in one turn")
    parser.add_argument("--size", type=_size_px, default=(1600, 1200), help="of a photo: 1600x1200")
    parser.add_argument("--seed", type=int, default=4, help="says where how much is lost")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser

"""Photos' findings of things whose outline is known exactly, seen by the bench's own camera."""

from datetime import UTC, datetime

import cv2
import numpy as np
from turntable_seen import CAMERA, HEIGHT_PX, MAT, WIDTH_PX, BenchTurn, true_lens

from offload.geometry.pose import Pose
from scannerd.geometry.mat_pose import MatCorners
from scannerd.quality.look import Look, MatReading, Verdict
from scannerd.scan.plan import ScanPlan, viewpoints_on

SMALL = (400, 300)
BARREL = (40.0, 100.0)
"""Radius and height, mm."""


def plan_of(views: int, **changes) -> ScanPlan:
    fields = {
        "scan_id": "barrel",
        "created_at": datetime(2026, 11, 22, tzinfo=UTC),
        "device": "bench",
        "camera": CAMERA,
        "photo_width_px": WIDTH_PX,
        "photo_height_px": HEIGHT_PX,
        "jpeg_quality": 90,
        "exposure_us": 20_000,
        "analogue_gain": 1,
        "settle_s": 0.3,
        "max_retakes": 2,
        "mat": MAT,
        "viewpoints": viewpoints_on(views),
    }
    return ScanPlan(**(fields | changes))


def barrel_mask(pose: Pose, radius_mm: float = BARREL[0], height_mm: float = BARREL[1]) -> np.ndarray:
    around = np.linspace(0, 2 * np.pi, 90)
    circle = np.column_stack([radius_mm * np.cos(around), radius_mm * np.sin(around)])
    points = np.concatenate([np.column_stack([circle, np.full(len(around), z)]) for z in (0.0, height_mm)])
    pixels = true_lens().at_size(*SMALL).project(pose.apply(points))
    mask = np.zeros((SMALL[1], SMALL[0]), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(pixels).astype(np.int32)), 255)
    return mask


def reading_of(corners: MatCorners) -> MatReading:
    column = np.rint((corners.points_mm[:, 0] + MAT.width_mm / 2) / MAT.square_mm).astype(np.int64) - 1
    row = np.rint((MAT.height_mm / 2 - corners.points_mm[:, 1]) / MAT.square_mm).astype(np.int64) - 1
    return MatReading(row * (MAT.columns - 1) + column, corners.pixels)


def looks(turn: BenchTurn) -> list[Look]:
    """What a perfect gate sees of a barrel, photo by photo."""
    return [
        Look(Verdict.ACCEPT, "", 1.0, mat=reading_of(frame.corners), mask=barrel_mask(turn.true_pose(frame.index)))
        for frame in turn.frames()
    ]

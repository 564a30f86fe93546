"""The camera poses of a stored scan: fitted to what its sidecars say of the mat, kept as `poses.json`."""

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from offload.wire.bundle import FrameEntry, MatSpec
from offload.wire.poses import ScanPoses
from scannerd.geometry.joint_poses import NoPoses, SeenFrame, joint_poses
from scannerd.geometry.mat_pose import MatCorners, corners_of
from scannerd.scan.plan import ScanPlan
from scannerd.store.durable import StoreFault, write_durably
from scannerd.store.layout import ScanFolder
from scannerd.store.sidecars import read_sidecar

LOG = logging.getLogger(__name__)

NOTHING_SEEN = MatCorners(np.empty((0, 2)), np.empty((0, 2)))


def find_poses(folder: ScanFolder, plan: ScanPlan, frames: Iterable[FrameEntry]) -> ScanPoses:
    """Return the poses of the photos that count. Raises NoPoses, which says what is missing."""
    if plan.mat is None:
        raise NoPoses(f"scan {plan.scan_id}: was taken without a mat ([mat] used = false)")
    by_camera: dict[int, list[SeenFrame]] = {number: [] for number in range(1 + len(plan.cameras))}
    for frame in frames:
        by_camera[frame.camera].append(_seen(folder.path, frame, plan.mat))
    poses = _poses_of(plan, plan.mat, by_camera[0])
    for number in range(1, len(by_camera)):
        poses = _with_camera(poses, plan, plan.mat, number, by_camera[number])
    return poses


def _poses_of(plan: ScanPlan, mat: MatSpec, seen: list[SeenFrame]) -> ScanPoses:
    try:
        return joint_poses(seen, mat, plan.size_px, plan.camera, plan.intrinsics)
    except NoPoses as reason:
        raise NoPoses(f"scan {plan.scan_id}: {reason}") from reason


def _with_camera(poses: ScanPoses, plan: ScanPlan, mat: MatSpec, number: int, seen: list[SeenFrame]) -> ScanPoses:
    """Return the poses with those of another camera: its own lens, the same mat's frame."""
    try:
        own = _poses_of(plan.of_camera(number), mat, seen)
    except NoPoses as reason:
        without = {frame.index: str(reason) for frame in seen}
        changes = {"without": poses.without | without, "other_intrinsics": (*poses.other_intrinsics, None)}
        return poses.model_copy(update=changes)
    turns = (turn.model_copy(update={"camera": number}) for turn in own.turns)
    frames = [*poses.frames, *(frame.model_copy(update={"camera": number}) for frame in own.frames)]
    where = plan.named(number).strip()
    return poses.model_copy(
        update={
            "rms_px": max(poses.rms_px, own.rms_px),
            "turns": (*poses.turns, *turns),
            "frames": tuple(sorted(frames, key=lambda frame: frame.index)),
            "without": poses.without | own.without,
            "warnings": (*poses.warnings, *(f"{warning} {where}" for warning in own.warnings)),
            "other_intrinsics": (*poses.other_intrinsics, own.intrinsics),
        }
    )


def keep_poses(folder: ScanFolder, poses: ScanPoses) -> None:
    """Write them beside the photos. Raises StoreFault."""
    write_durably(folder.poses, poses.model_dump_json(indent=1).encode())


def kept_poses(folder: ScanFolder) -> ScanPoses | None:
    """Return what was kept; None where nothing was. Raises StoreFault when it cannot be read."""
    try:
        return ScanPoses.model_validate_json(folder.poses.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise StoreFault(f"{folder.poses}: cannot be used: {error}; delete it, and it is made again") from error


def _seen(folder: Path, frame: FrameEntry, mat: MatSpec) -> SeenFrame:
    sidecar = read_sidecar(folder, frame)
    corners = NOTHING_SEEN
    if sidecar is not None and sidecar.mat is not None:
        numbers, pixels = np.array(sidecar.mat.numbers, np.int64), np.array(sidecar.mat.pixels, np.float64)
        corners = corners_of(mat, numbers, pixels.reshape(-1, 2))
    return SeenFrame(frame.index, frame.file.name, frame.ring, frame.side, frame.angle_deg, corners)

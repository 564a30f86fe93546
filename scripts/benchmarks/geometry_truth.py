"""What is truly there in a rendered set, and how far off poses and coverage are."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import trimesh
from numpy.typing import NDArray

from offload.geometry.lens import Lens
from offload.geometry.pose import Pose
from offload.wire.bundle import CameraModel, Intrinsics, MatSpec
from offload.wire.poses import FramePose, ScanPoses
from scannerd.coverage.coverage import Coverage
from scannerd.coverage.sight import LEAST_COSINE
from scannerd.coverage.tally import DOWNWARDS, NEEDED
from scannerd.geometry.joint_poses import SeenFrame, joint_poses
from scannerd.geometry.mat_pose import corners_of
from scannerd.quality.look import Look, MatReading, Verdict
from scannerd.quality.mat_reading import MatReader
from scannerd.scan.plan import ScanPlan, Viewpoint
from scannerd.store.scan_poses import NOTHING_SEEN

Floats = NDArray[np.float64]

POINTS = 500
"""Of the object, at which poses are compared."""
OFF_SKIN_MM = 0.3
"""Where a ray begins, so that it does not hit the face it comes from."""


@dataclass(frozen=True)
class PoseRow:
    """One fit."""

    object: str
    lens: str
    rms_px: float
    rotation_deg: float
    centre_mm: float
    mean_px: float
    p95_px: float
    most_px: float
    scale_percent: float
    """Of the object: its true points, intersected anew from where they truly appear."""
    cpu_s: float


@dataclass(frozen=True)
class CoverageRow:
    """One scan's coverage."""

    object: str
    photos: int
    shares: dict[str, tuple[float, float]]
    """What → told, true."""
    cpu_ms: float
    most_ms: float
    report_ms: float


@dataclass(frozen=True)
class TruthSet:
    """One rendered set with its truth."""

    folder: Path
    said: dict[str, Any]
    truths: list[dict[str, Any]]
    mesh: trimesh.Trimesh
    readings: list[MatReading | None]
    """As the gate reads the mat; None where too little of it is seen."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a set and find the mat in its photos."""
        said = json.loads((folder / "set.json").read_text())
        reader = MatReader(MatSpec(**said["mat"]))
        photos = (cv2.imread(str(folder / frame["name"]), cv2.IMREAD_GRAYSCALE) for frame in said["frames"])
        return cls(
            folder,
            said,
            json.loads((folder / "truth.json").read_text())["frames"],
            trimesh.load(folder / "truth.ply", process=False),
            [reader.read(photo, _half(photo)) for photo in photos],
        )

    @property
    def mat(self) -> MatSpec:
        """As it was printed."""
        return MatSpec(**self.said["mat"])

    @property
    def camera(self) -> CameraModel:
        """As its data sheet says."""
        return CameraModel(**self.said["camera"])

    @property
    def size_px(self) -> tuple[int, int]:
        """Of a photo."""
        return self.said["photo_width_px"], self.said["photo_height_px"]

    def lens(self) -> Lens:
        """The true one."""
        truth = self.truths[0]
        (fx, _, cx), (_, fy, cy), _ = truth["K"]
        k1, k2, p1, p2, k3 = truth["distortion"]
        return Lens(*self.size_px, fx, fy / fx, (cx, cy), (k1, k2, p1, p2, k3))

    def pose(self, index: int) -> Pose:
        """The true one."""
        return Pose(np.array(self.truths[index]["R"]), np.array(self.truths[index]["t"]))

    def seen(self) -> list[SeenFrame]:
        """What the fit is given."""
        return [
            SeenFrame(
                index=frame["index"],
                file=frame["name"],
                ring=frame.get("ring", 0),
                side=0,
                commanded_deg=frame["angle_deg"],
                corners=NOTHING_SEEN if reading is None else corners_of(self.mat, reading.numbers, reading.pixels),
            )
            for frame, reading in zip(self.said["frames"], self.readings, strict=True)
        ]

    def plan(self) -> ScanPlan:
        """As such a scan would have been planned."""
        width_px, height_px = self.size_px
        return ScanPlan(
            scan_id="set",
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            device="bench",
            camera=self.camera,
            photo_width_px=width_px,
            photo_height_px=height_px,
            jpeg_quality=95,
            exposure_us=20_000,
            analogue_gain=1,
            settle_s=0.3,
            max_retakes=2,
            mat=self.mat,
            viewpoints=tuple(
                Viewpoint(index=frame["index"], ring=frame.get("ring", 0), angle_deg=frame["angle_deg"])
                for frame in self.said["frames"]
            ),
        )


def _half(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The companion of a photo."""
    return np.asarray(cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def pose_row(name: str, truth: TruthSet, *, stored_lens: bool) -> PoseRow:
    """Fit, and compare. Raises NoPoses."""
    known: Intrinsics | None = truth.lens().intrinsics() if stored_lens else None
    began_s = time.process_time()
    poses = joint_poses(truth.seen(), truth.mat, truth.size_px, truth.camera, known)
    cpu_s = time.process_time() - began_s
    vertices = np.asarray(truth.mesh.vertices, np.float64)
    points = vertices[:: max(1, len(vertices) // POINTS)]
    off_px = np.concatenate([_off_px(pose, poses, truth, points) for pose in poses.frames])
    pairs = [(_pose(frame), truth.pose(frame.index)) for frame in poses.frames]
    return PoseRow(
        object=name,
        lens="known" if stored_lens else "unknown",
        rms_px=poses.rms_px,
        rotation_deg=float(np.mean([_angle_deg(found.R, true.R) for found, true in pairs])),
        centre_mm=float(np.mean([np.linalg.norm(found.centre_mm - true.centre_mm) for found, true in pairs])),
        mean_px=float(off_px.mean()),
        p95_px=float(np.percentile(off_px, 95)),
        most_px=float(off_px.max()),
        scale_percent=100 * (_scale(poses, truth, points) - 1),
        cpu_s=cpu_s,
    )


def _pose(frame: FramePose) -> Pose:
    return Pose(np.array(frame.R), np.array(frame.t_mm))


def _off_px(frame: FramePose, poses: ScanPoses, truth: TruthSet, points: Floats) -> Floats:
    found = Lens.of(poses.intrinsics).project(_pose(frame).apply(points))
    return np.linalg.norm(found - truth.lens().project(truth.pose(frame.index).apply(points)), axis=1)


def _angle_deg(one: Floats, other: Floats) -> float:
    return float(np.rad2deg(np.arccos(np.clip((np.trace(one.T @ other) - 1) / 2, -1, 1))))


def _scale(poses: ScanPoses, truth: TruthSet, points: Floats) -> float:
    """Return the size of what found cameras make of truly seen points, over its true size."""
    lens = Lens.of(poses.intrinsics)
    across, towards = np.zeros((len(points), 3, 3)), np.zeros((len(points), 3))
    for frame in poses.frames:
        pixels = truth.lens().project(truth.pose(frame.index).apply(points))
        flat = cv2.undistortPoints(pixels[:, None], lens.K, np.array(lens.distortion)).reshape(-1, 2)
        rays = np.column_stack([flat, np.ones(len(flat))]) @ _pose(frame).R
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        beside = np.eye(3) - rays[:, :, None] * rays[:, None]
        across += beside
        towards += beside @ _pose(frame).centre_mm
    found = np.linalg.solve(across, towards[..., None])[..., 0]
    return float(np.linalg.norm(found - found.mean(axis=0)) / np.linalg.norm(points - points.mean(axis=0)))


def coverage_row(name: str, truth: TruthSet) -> CoverageRow:
    """Show the set to coverage photo by photo, and compare with rays through the mesh."""
    plan = truth.plan()
    coverage, costs_ms = Coverage(plan), []
    for view, reading in zip(plan.viewpoints, truth.readings, strict=True):
        mask = cv2.imread(str(truth.folder / f"masks/{view.index:04d}.png"), cv2.IMREAD_GRAYSCALE)
        half = cv2.resize(mask, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        look = Look(Verdict.ACCEPT, "", 1.0, mat=reading, mask=np.where(half > 127, 255, 0).astype(np.uint8))
        began_s = time.process_time()
        coverage.add(view, view.angle_deg, look)
        costs_ms.append(1000 * (time.process_time() - began_s))
    began_s = time.process_time()
    report = coverage.report()
    report_ms = 1000 * (time.process_time() - began_s)
    assert report is not None, "the masks show no object"
    counts, areas = _true_counts(truth)
    down = truth.mesh.face_normals[:, 2] < DOWNWARDS
    true = {
        "covered": areas[counts >= NEEDED].sum(),
        "weak": areas[(counts > 0) & (counts < NEEDED)].sum(),
        "unseen": areas[counts == 0].sum(),
        "underside": areas[(counts == 0) & down].sum(),
    }
    told = (report.covered_share, report.weak_share, report.unseen_share, report.underside_share)
    return CoverageRow(
        object=name,
        photos=len(plan.viewpoints),
        shares={what: (said, float(share)) for said, (what, share) in zip(told, true.items(), strict=True)},
        cpu_ms=float(np.mean(costs_ms)),
        most_ms=max(costs_ms),
        report_ms=report_ms,
    )


def _true_counts(truth: TruthSet) -> tuple[NDArray[np.int64], Floats]:
    """Return how many cameras see each face of the mesh, and the share of the surface that it is."""
    mesh = truth.mesh
    rays = trimesh.ray.ray_pyembree.RayMeshIntersector(mesh)
    middles, normals = np.asarray(mesh.triangles_center), np.asarray(mesh.face_normals)
    counts = np.zeros(len(middles), np.int64)
    for index in range(len(truth.truths)):
        towards = truth.pose(index).centre_mm - middles
        towards /= np.linalg.norm(towards, axis=1, keepdims=True)
        facing = np.flatnonzero(np.einsum("ij,ij->i", towards, normals) > LEAST_COSINE)
        hit = rays.intersects_any(middles[facing] + OFF_SKIN_MM * normals[facing], towards[facing])
        counts[facing[~hit]] += 1
    return counts, np.asarray(mesh.area_faces / mesh.area_faces.sum())

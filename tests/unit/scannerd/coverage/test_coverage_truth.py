"""Coverage against what rays through the true mesh say, on real meshes."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from seen_things import SMALL, plan_of, reading_of
from turntable_seen import BenchTurn, true_lens

from drivers.bench.default_object import default_object
from drivers.bench.mesh_file import load_mesh
from drivers.bench.scene import SceneObject
from offload.geometry.pose import Pose
from scannerd.coverage.coverage import Coverage
from scannerd.coverage.report import CoverageReport
from scannerd.coverage.sight import LEAST_COSINE
from scannerd.coverage.tally import NEEDED
from scannerd.quality.look import Look, Verdict

VIEWS = 24
SIZE = (200, 150)


class Truth:
    """A mesh on the mat, and what a camera truly sees of it."""

    def __init__(self, thing: SceneObject) -> None:
        self.mesh = trimesh.Trimesh(thing.vertices_mm, thing.faces, process=False)
        self._rays = trimesh.ray.ray_pyembree.RayMeshIntersector(self.mesh)
        self.seen = np.zeros(len(self.mesh.faces), int)
        grid = np.stack(np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1])), axis=-1).reshape(-1, 1, 2)
        lens = true_lens().at_size(*SIZE)
        flat = cv2.undistortPoints(grid.astype(np.float64), lens.K, np.array(lens.distortion)).reshape(-1, 2)
        self._directions = np.column_stack([flat, np.ones(len(flat))])

    def mask(self, pose: Pose) -> np.ndarray:
        directions = self._directions @ pose.R
        hit = self._rays.intersects_any(np.broadcast_to(pose.centre_mm, directions.shape), directions)
        return cv2.resize(np.where(hit, 255, 0).astype(np.uint8).reshape(SIZE[1], SIZE[0]), SMALL)

    def look_from(self, pose: Pose) -> None:
        middles, normals = self.mesh.triangles_center, self.mesh.face_normals
        towards = pose.centre_mm - middles
        towards /= np.linalg.norm(towards, axis=1, keepdims=True)
        facing = np.flatnonzero(np.einsum("ij,ij->i", towards, normals) > LEAST_COSINE)
        from_skin = middles[facing] + 0.3 * normals[facing]
        self.seen[facing[~self._rays.intersects_any(from_skin, towards[facing])]] += 1

    def share(self, which: np.ndarray) -> float:
        areas = self.mesh.area_faces
        return float(areas[which].sum() / areas.sum())

    def downwards(self) -> np.ndarray:
        return np.asarray(self.mesh.face_normals[:, 2] < -0.5)


def judged(thing: SceneObject) -> tuple[Truth, CoverageReport]:
    truth, turn, plan = Truth(thing), BenchTurn(views=VIEWS), plan_of(VIEWS)
    coverage = Coverage(plan)
    for frame, view in zip(turn.frames(), plan.viewpoints, strict=True):
        pose = turn.true_pose(frame.index)
        truth.look_from(pose)
        look = Look(Verdict.ACCEPT, "", 1.0, mat=reading_of(frame.corners), mask=truth.mask(pose))
        coverage.add(view, view.angle_deg, look, SMALL)
    report = coverage.report()
    assert report is not None
    return truth, report


@pytest.mark.data
@pytest.mark.parametrize("name", ["stanford-bunny.obj", "spot/spot_triangulated.obj"])
def test_shares_agree_with_rays_through_the_true_mesh(test_data: Path, name: str):
    truth, report = judged(load_mesh(test_data / "meshes" / name))
    assert report.covered_share == pytest.approx(truth.share(truth.seen >= NEEDED), abs=0.04)
    assert report.unseen_share == pytest.approx(truth.share(truth.seen == 0), abs=0.04)
    assert report.underside_share == pytest.approx(truth.share((truth.seen == 0) & truth.downwards()), abs=0.04)


@pytest.mark.slow
def test_what_hides_in_hollows_is_not_known_to_be_there():
    # A knot has places that no outline shows and no photo sees: a hull cannot miss what it does not have.
    truth, report = judged(default_object())
    missed = truth.share(truth.seen < NEEDED) - (1 - report.covered_share)
    assert 0 < missed < 0.12
    assert report.underside_share == pytest.approx(truth.share((truth.seen == 0) & truth.downwards()), abs=0.04)

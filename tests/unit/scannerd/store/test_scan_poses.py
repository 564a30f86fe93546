import json
from datetime import UTC, datetime

import pytest
from seen_things import plan_of
from turntable_seen import MAT, BenchTurn

from offload.wire.bundle import FrameEntry, Manifest, StoredFile
from offload.wire.sidecar import FrameSidecar, SeenMat
from scannerd.events import StepTimes
from scannerd.geometry.joint_poses import NoPoses
from scannerd.scan.plan import ScanPlan
from scannerd.store.durable import StoreFault
from scannerd.store.hashing import sha256_of_bytes
from scannerd.store.layout import ScanFolder, StoreLayout
from scannerd.store.scan_poses import find_poses, keep_poses, kept_poses
from scannerd.store.scans import ScanStore

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
VIEWS = 12


def plan_of_cup(**changes) -> ScanPlan:
    return plan_of(VIEWS, **{"scan_id": "cup", "created_at": NOW, **changes})


def stored(folder: ScanFolder, name: str, data: bytes) -> StoredFile:
    path = folder.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return StoredFile(name=name, sha256=sha256_of_bytes(data), size_bytes=len(data))


def entries_of(folder: ScanFolder, *, with_sidecars: bool = True) -> list[FrameEntry]:
    """A scan as the bench's camera would have seen the mat."""
    numbers = {tuple(point): number for number, point in enumerate(_all_points())}
    entries = []
    for frame in BenchTurn(views=VIEWS).frames():
        seen = SeenMat(
            numbers=tuple(numbers[tuple(point)] for point in frame.corners.points_mm.tolist()),
            pixels=tuple((x, y) for x, y in frame.corners.pixels.tolist()),
        )
        sidecar = FrameSidecar(
            index=frame.index,
            verdict="accept",
            reason="sharp",
            commanded_angle_deg=frame.commanded_deg,
            exposure_us=20_000,
            analogue_gain=1,
            mat=seen,
        )
        beside = stored(folder, f"frames/{frame.index:04d}.json", sidecar.model_dump_json().encode())
        entries.append(
            FrameEntry(
                index=frame.index,
                angle_deg=frame.commanded_deg,
                file=stored(folder, f"frames/{frame.index:04d}.jpg", b"a photo %d" % frame.index),
                exposure_us=20_000,
                analogue_gain=1,
                taken_at=NOW,
                sidecars=(beside,) if with_sidecars else (),
            )
        )
    return entries


def _all_points() -> list[list[float]]:
    columns, rows, square = MAT.columns, MAT.rows, MAT.square_mm
    return [
        [(column + 1) * square - MAT.width_mm / 2, MAT.height_mm / 2 - (row + 1) * square]
        for row in range(rows - 1)
        for column in range(columns - 1)
    ]


def test_poses_come_from_the_sidecars_and_are_kept_beside_the_photos(tmp_path):
    folder = ScanFolder(tmp_path)
    assert kept_poses(folder) is None
    poses = find_poses(folder, plan_of_cup(), entries_of(folder))
    keep_poses(folder, poses)
    assert kept_poses(folder) == poses
    assert [pose.file for pose in poses.frames][:2] == ["frames/0000.jpg", "frames/0001.jpg"]
    assert poses.rms_px < 0.15


def test_a_damaged_file_of_poses_says_how_to_mend_it(tmp_path):
    folder = ScanFolder(tmp_path)
    folder.poses.write_text("{")
    with pytest.raises(StoreFault, match="delete it, and it is made again"):
        kept_poses(folder)


def test_what_is_missing_is_said(tmp_path):
    folder = ScanFolder(tmp_path)
    with pytest.raises(NoPoses, match=r"was taken without a mat"):
        find_poses(folder, plan_of_cup(mat=None), entries_of(folder))
    with pytest.raises(NoPoses, match=r"0 of 12 photos show enough of the mat"):
        find_poses(folder, plan_of_cup(), entries_of(folder, with_sidecars=False))


def test_a_sealed_bundle_names_its_poses(tmp_path):
    store = ScanStore(StoreLayout(tmp_path))
    store.prepare()
    scan, _ = store.begin(plan_of_cup())
    with scan:
        for entry in entries_of(scan.folder):
            scan.note("frame", frame=entry.model_dump(mode="json"), times={"move_s": StepTimes().move_s})
        scan.seal(NOW)
    manifest = Manifest.model_validate_json(scan.folder.manifest.read_bytes())
    assert [file.name for file in manifest.extras] == ["poses.json"]
    data = (scan.folder.path / "poses.json").read_bytes()
    assert manifest.extras[0].sha256 == sha256_of_bytes(data)
    assert len(json.loads(data)["frames"]) == VIEWS

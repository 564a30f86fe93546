"""Rendered scans through the engine: two cameras at one turn, and a photo of the empty table from elsewhere."""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

from drivers.bench.default_object import default_object
from drivers.bench.judge import Judgement, ViewPoint, judge
from drivers.bench.render_set import main as render
from offload.engines.stop_request import StopRequest
from offload.engines.turntable.engine import reconstruct_bundle
from offload.engines.turntable.mat_views import prepare_mat_views
from offload.engines.turntable.prepared import Prepared
from offload.engines.turntable.scan_bundle import open_bundle
from offload.engines.turntable.timing import StageClock
from offload.wire.bundle import CameraModel, CameraOfScan, FrameEntry, Manifest, MatSpec, StoredFile
from offload.wire.products import ReconstructionReport

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 23, tzinfo=UTC)
VIEWS = 9


def rendered(folder: Path, size: str, *arguments: str) -> Path:
    wanted = ["--object", "default", "--size", size, "--views", str(VIEWS), "--elevation", "25", "50"]
    assert render([*wanted, *arguments, "--out", str(folder)]) == 0
    return folder


def stored(folder: Path, name: str) -> StoredFile:
    data = (folder / name).read_bytes()
    return StoredFile(name=name, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))


def sealed(folder: Path, *, with_plate: bool = True) -> Path:
    """Write the manifest that a scan would have."""
    told = json.loads((folder / "set.json").read_text())
    first, *others = [
        CameraOfScan(
            name=one.get("name", "first"),
            camera=CameraModel(**one["camera"]),
            photo_width_px=one["photo_width_px"],
            photo_height_px=one["photo_height_px"],
            background=stored(folder, one["background"]) if with_plate else None,
        )
        for one in [told, *told["cameras"]]
    ]
    place = ("index", "angle_deg", "ring", "elevation_deg", "camera")
    frames = tuple(
        FrameEntry(
            **{key: frame[key] for key in place},
            file=stored(folder, frame["name"]),
            exposure_us=20_000,
            analogue_gain=1,
            taken_at=NOW,
        )
        for frame in told["frames"]
    )
    manifest = Manifest(
        format=2 if others else 1,
        scan_id="owl",
        created_at=NOW,
        device="bench",
        mat=MatSpec(**told["mat"]),
        frames=frames,
        cameras=tuple(others),
        **{key: getattr(first, key) for key in ("camera", "photo_width_px", "photo_height_px", "background")},
    )
    (folder / "manifest.json").write_bytes(manifest.canonical_bytes())
    return folder


def modelled(folder: Path, out: Path) -> tuple[ReconstructionReport, Judgement]:
    report = reconstruct_bundle(folder, out, StageClock(lambda *_: None), StopRequest())
    mesh = trimesh.load_mesh(out / "model.ply", process=False)
    truth = json.loads((folder / "truth.json").read_text())["frames"]
    shapes = [cv2.imread(str(folder / "masks" / Path(one["name"]).with_suffix(".png").name)).shape for one in truth]
    cameras = [
        ViewPoint(np.array(one["K"]), np.array(one["R"]), np.array(one["t"]), shape[1], shape[0])
        for one, shape in zip(truth, shapes, strict=True)
    ]
    return report, judge(np.asarray(mesh.vertices), np.asarray(mesh.faces), default_object(), cameras)


def test_two_cameras_of_one_turn_become_one_model_in_one_colour(tmp_path: Path) -> None:
    folder = sealed(rendered(tmp_path / "set", "640x480", "--cameras", "2"))
    report, judged = modelled(folder, tmp_path / "out")
    print(judged)
    assert (report.photos_used, report.unused, report.warnings) == (2 * VIEWS, {}, ())
    assert judged.accuracy_mean_mm < 1.0
    assert judged.visible_within_1mm > 0.7
    assert max(report.size) == pytest.approx(150, abs=5)
    poses = json.loads((tmp_path / "out/poses.json").read_text())["images"]
    assert poses[0]["K"] == poses[VIEWS - 1]["K"] != poses[VIEWS]["K"]


def test_a_photo_of_the_empty_table_from_elsewhere_does_no_harm(tmp_path: Path) -> None:
    folder = sealed(rendered(tmp_path / "set", "480x360", "--plate-elevation", "38"))
    told = prepared(folder)
    bare = prepared(sealed(shutil.copytree(folder, tmp_path / "bare"), with_plate=False))
    assert len(told.warnings) == 2
    assert "the photo of the empty table was not used for ring 1: only" in told.warnings[0]
    assert bare.warnings == ()
    assert np.array_equal(told.views.masks, bare.views.masks)


def test_a_photo_of_the_empty_table_is_used_by_the_ring_that_it_belongs_to(tmp_path: Path) -> None:
    folder = sealed(rendered(tmp_path / "set", "480x360"))
    told = prepared(folder)
    assert told.warnings == (), "the other ring is meant to stand elsewhere"
    bare = prepared(sealed(shutil.copytree(folder, tmp_path / "bare"), with_plate=False))
    first, second = told.views.masks[:VIEWS], told.views.masks[VIEWS:]
    assert not np.array_equal(first, bare.views.masks[:VIEWS])
    assert int(second.sum()) == pytest.approx(int(bare.views.masks[VIEWS:].sum()), rel=0.02)


def prepared(folder: Path) -> Prepared:
    return prepare_mat_views(open_bundle(folder), lambda stage, part: None, StopRequest())

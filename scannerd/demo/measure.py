"""The figures of a finished demo: the model against the truth that the bench knows, time, bytes and memory."""

import json
import pickle
from pathlib import Path
from statistics import fmean

import numpy as np
import trimesh
from numpy.typing import NDArray

from drivers.bench.judge import Judgement, ViewPoint, judge
from drivers.bench.scene import Scene
from drivers.bench.truth import true_pose
from offload.wire.bundle import Manifest
from offload.wire.products import ReconstructionReport
from scannerd.demo.finished import Finished
from scannerd.demo.summary import PeakMemory, Summary


def summarise(finished: Finished) -> Summary:
    """Compare the model with the truth and gather every figure."""
    results = finished.scan_dir / "results"
    manifest = Manifest.model_validate_json((finished.scan_dir / "manifest.json").read_bytes())
    report = ReconstructionReport.model_validate_json((results / "report.json").read_bytes())
    verdict = judge_model(results, manifest, pickle.loads(finished.scene_file.read_bytes()))
    times, sync = finished.record.times, finished.progress.sync
    return Summary(
        viewpoints=len(manifest.frames),
        retakes=finished.record.retakes,
        seconds_per_viewpoint=fmean(time.total_s for time in times) if times else 0.0,
        floor_seconds_per_viewpoint=fmean(time.floor_s for time in times) if times else 0.0,
        bytes_sent=sync.bytes_sent if sync else 0,
        engine_seconds=sum(stage.wall_s for stage in report.stages),
        engine_stages={str(stage.stage): stage.wall_s for stage in report.stages},
        accuracy_mean_mm=verdict.accuracy_mean_mm,
        accuracy_p95_mm=verdict.accuracy_p95_mm,
        completeness_mean_mm=verdict.completeness_mean_mm,
        completeness_p95_mm=verdict.completeness_p95_mm,
        f_score_0p5mm=verdict.f_score_0p5mm,
        f_score_1mm=verdict.f_score_1mm,
        visible_within_1mm=verdict.visible_within_1mm,
        scale_error_percent=verdict.scale_error_percent or 0.0,
        watertight=report.watertight,
        triangles=report.triangles,
        size_mm=report.size,
        glb=str(results / "model.glb"),
        preview=str(results / "preview.jpg"),
        contact_sheet=str(finished.scan_dir / "contact_sheet.jpg"),
        scan=str(finished.scan_dir),
        peak_rss_mb=PeakMemory(finished.daemon_peak_mb, _worker_peak_mb(finished.worker_json, report)),
        demo_seconds=finished.demo_seconds,
    )


def judge_model(results: Path, manifest: Manifest, scene: Scene) -> Judgement:
    """Return how true `model.ply` is, and how true the camera ring that `poses.json` tells of."""
    mesh = trimesh.load_mesh(results / "model.ply", process=False)
    centres = estimated_centres(results / "poses.json")
    sizes_px = [camera.size_px for camera in manifest.all_cameras()]
    known = [frame for frame in manifest.frames if Path(frame.file.name).name in centres]
    cameras = [
        ViewPoint(
            scene.camera.matrix_px(*sizes_px[frame.camera]),
            *true_pose(scene, frame.angle_deg, frame.elevation_deg),
            *sizes_px[frame.camera],
        )
        for frame in known
    ]
    estimated = np.array([centres[Path(frame.file.name).name] for frame in known])
    return judge(np.asarray(mesh.vertices, dtype=np.float64), np.asarray(mesh.faces), scene.thing, cameras, estimated)


def estimated_centres(poses: Path) -> dict[str, NDArray[np.float64]]:
    """Return the camera centre, mat frame, mm, that the engine found for each photo's file name."""
    images = json.loads(poses.read_text())["images"]
    return {Path(image["file"]).name: -np.array(image["R"]).T @ np.array(image["t"]) for image in images}


def _worker_peak_mb(worker_json: Path, report: ReconstructionReport) -> float:
    said = json.loads(worker_json.read_text()) if worker_json.is_file() else {}
    own, engines = said.get("peak_rss_mb", 0.0), said.get("engine_peak_rss_mb", 0.0)
    return float(max(own, engines, report.peak_rss_mb))

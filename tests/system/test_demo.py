"""The demo as a user runs it: a process, a folder, an exit code; small photos so that it takes seconds."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
import trimesh

from offload.wire.bundle import Manifest
from offload.wire.products import ReconstructionReport

pytestmark = pytest.mark.slow

VIEWS = 18
SMALL = ["--views", str(VIEWS), "--size", "800x600", "--voxel-mm", "2", "--speed", "4"]
LIMIT_S = 400
STABLE_KEYS = {
    "viewpoints", "retakes", "seconds_per_viewpoint", "floor_seconds_per_viewpoint", "bytes_sent", "engine_seconds",
    "engine_stages", "accuracy_mean_mm", "accuracy_p95_mm", "completeness_mean_mm", "completeness_p95_mm",
    "f_score_0p5mm", "f_score_1mm", "visible_within_1mm", "scale_error_percent", "watertight", "triangles", "glb",
    "preview", "peak_rss_mb",
}  # fmt: skip


def demo_command(out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "scannerd", "demo", "--out", str(out), *SMALL, *more]


def run_demo(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(demo_command(out, *more), capture_output=True, text=True, timeout=LIMIT_S, check=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], str]:
    done = run_demo(tmp_path_factory.mktemp("demo"), "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout), done.stderr


def test_json_is_the_only_thing_on_standard_output_and_has_the_stable_keys(
    finished: tuple[dict[str, object], str],
) -> None:
    summary, _ = finished
    assert set(summary) >= STABLE_KEYS
    assert summary["viewpoints"] == VIEWS
    assert summary["peak_rss_mb"].keys() == {"daemon", "worker"}  # type: ignore[attr-defined]


def test_progress_tells_photos_upload_and_stages(finished: tuple[dict[str, object], str]) -> None:
    _, said = finished
    for word in ("pressing the button", "photos", "model", "refine"):
        assert word in said


def test_the_model_has_the_true_size(finished: tuple[dict[str, object], str]) -> None:
    summary, _ = finished
    scene = trimesh.load_scene(str(summary["glb"]))
    heights_m = sorted(scene.extents)
    assert max(heights_m) == pytest.approx(0.150, abs=0.006)
    assert float(str(summary["accuracy_mean_mm"])) < 1.2
    assert abs(float(str(summary["scale_error_percent"]))) < 1.0


def test_every_file_of_the_bundle_has_its_hash(finished: tuple[dict[str, object], str]) -> None:
    summary, _ = finished
    scan = Path(str(summary["scan"]))
    manifest = Manifest.model_validate_json((scan / "manifest.json").read_bytes())
    assert [frame.index for frame in manifest.frames] == list(range(VIEWS))
    for file in manifest.files():
        assert hashlib.sha256((scan / file.name).read_bytes()).hexdigest() == file.sha256


def test_report_preview_and_contact_sheet_are_there(finished: tuple[dict[str, object], str]) -> None:
    summary, _ = finished
    report = ReconstructionReport.model_validate_json(
        (Path(str(summary["scan"])) / "results" / "report.json").read_bytes()
    )
    assert report.photos_used == VIEWS
    for name in ("preview", "contact_sheet"):
        picture = cv2.imread(str(summary[name]))
        assert picture is not None
        assert picture.std() > 10


def test_an_interrupted_demo_leaves_nothing_running_and_goes_on_where_it_was(tmp_path: Path) -> None:
    process = subprocess.Popen(
        demo_command(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    journal = wait_for_photos(tmp_path, process, 3)
    family = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "goes on" in said
    assert not [child for child in family if child.is_running()]
    taken = frame_lines(journal)

    again = run_demo(tmp_path)
    assert again.returncode == 0, again.stderr[-3000:]
    assert "going on with" in again.stderr
    lines = frame_lines(journal)
    assert lines[: len(taken)] == taken, "photos that were there were not taken again"
    assert sorted(line["frame"]["index"] for line in lines) == list(range(VIEWS))


def test_a_demo_killed_while_the_model_is_made_goes_on_with_the_same_scan(tmp_path: Path) -> None:
    process = subprocess.Popen(
        demo_command(tmp_path, "--views", "8"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    scan = wait_for_job(tmp_path, process)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate(timeout=60)
    _, left = psutil.wait_procs(family, timeout=60)
    assert not left
    journal = (scan / "journal.jsonl").read_bytes()

    again = run_demo(tmp_path, "--views", "8", "--json")
    assert again.returncode == 0, again.stderr[-3000:]
    assert f"going on with {scan.name}: all 8 photos are there" in again.stderr
    summary = json.loads(again.stdout)
    assert summary["scan"] == str(scan)
    assert summary["seconds_per_viewpoint"] > 0
    assert (scan / "journal.jsonl").read_bytes() == journal
    assert len(list(scan.parent.glob("*/plan.json"))) == 1


def test_a_demo_whose_service_dies_says_so_and_leaves_nothing_running(tmp_path: Path) -> None:
    process = subprocess.Popen(
        demo_command(tmp_path, "--views", "8"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    wait_for_photos(tmp_path, process, 1)
    family = psutil.Process(process.pid).children(recursive=True)
    next(child for child in family if "serve" in child.cmdline()).kill()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "offload serve` ended with -9; what was scanned stays" in said
    assert "Traceback" not in said
    assert not [child for child in family if child.is_running()]


def wait_for_job(out: Path, process: subprocess.Popen[str]) -> Path:
    """Return the scan's folder once its job runs."""
    deadline_s = time.monotonic() + 120
    while time.monotonic() < deadline_s and process.poll() is None:
        for state in out.glob("scans/*/sync.json"):
            job = json.loads(state.read_text())["job"]
            if job is not None and job["state"] == "running":
                return state.parent
        time.sleep(0.02)
    raise AssertionError(f"no job ran before the deadline; the demo's exit code is {process.poll()}")


def wait_for_photos(out: Path, process: subprocess.Popen[str], count: int) -> Path:
    deadline_s = time.monotonic() + 120
    while time.monotonic() < deadline_s and process.poll() is None:
        for journal in out.glob("scans/*/journal.jsonl"):
            if len(frame_lines(journal)) >= count:
                return journal
        time.sleep(0.02)
    raise AssertionError(f"no {count} photos before the deadline; the demo's exit code is {process.poll()}")


def frame_lines(journal: Path) -> list[dict[str, dict[str, int]]]:
    whole = [line for line in journal.read_text().splitlines(keepends=True) if line.endswith("\n")]
    lines = [json.loads(line) for line in whole]
    return [line for line in lines if line["type"] == "frame"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"this is not a mesh\n", "triangles"),
        (b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "triangles"),
    ],
)
def test_a_bad_mesh_gets_one_message_and_no_scan(tmp_path: Path, content: bytes, expected: str) -> None:
    mesh = tmp_path / "broken.obj"
    mesh.write_bytes(content)
    done = run_demo(tmp_path / "out", "--object", str(mesh))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "broken.obj" in done.stderr
    assert expected in done.stderr
    assert not list((tmp_path / "out").glob("scans/*"))


def test_preview_shows_photo_and_model_alike(finished: tuple[dict[str, object], str]) -> None:
    summary, _ = finished
    picture = cv2.imread(str(summary["preview"])).astype(np.float32)
    middle = picture.shape[1] // 2
    photo, model = picture[:, : middle - 4], picture[:, -(middle - 4) :]
    small = [cv2.resize(side, (64, 64), interpolation=cv2.INTER_AREA)[16:48, 16:48] for side in (photo, model)]
    assert np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1] > 0.5


def test_a_demo_with_faults_ends_with_a_model_and_says_what_was_done(tmp_path: Path) -> None:
    names = ["emergency-stop", "lose-steps", "restart"]
    faults = [word for name in names for word in ("--fault", name)]
    done = run_demo(tmp_path, "--json", "--size", "640x480", "--views", "12", "--voxel-mm", "4", *faults)
    assert done.returncode == 0, done.stderr[-3000:]
    summary = json.loads(done.stdout)
    assert summary["viewpoints"] == 12
    assert Path(summary["glb"]).stat().st_size > 10_000
    told = {fault["fault"]: " ".join(fault["daemon"]) for fault in summary["faults"]}
    assert sorted(told) == sorted(names)
    assert "the motors are off" in told["emergency-stop"]
    assert "a hand put it right" in told["emergency-stop"]
    assert "corrected" in told["lose-steps"]
    assert "went on with" in told["restart"]

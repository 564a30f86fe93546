"""Two rings with a lift, the object turned over, the same rings again; then through sync, service and engine."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from running_bench import RunningBench

from drivers.bench.renderer import Renderer
from drivers.bench.scene import Scene
from offload.wire.bundle import FrameEntry, Manifest
from offload.wire.products import ReconstructionReport
from scannerd.demo.measure import judge_model

pytestmark = pytest.mark.slow

SIZE_PX = (480, 360)
VIEWS = 9
ELEVATIONS_DEG = (20.0, 48.0)
LIFT = """
[lift]
driver = "stepper_gpio"
step_deg = 0.05
lowest_deg = 10
highest_deg = 70
home_deg = 20
"""
"""The camera's mark is the first ring's height: from there the empty table is photographed, as the engine expects."""
SCAN_LIMIT_S, MODEL_LIMIT_S = 600.0, 400.0


def test_a_scan_of_two_rings_and_two_sides_becomes_a_true_model(tmp_path: Path) -> None:
    with RunningBench(
        tmp_path,
        "--service",
        size_px=SIZE_PX,
        ask_a_person=True,
        # Masks of so small photos run out over the mat; the gate is tried elsewhere.
        max_cut_off_fraction=1.0,
        scan="propose = false",
        more=LIFT,
    ) as bench:
        wishes = {"scan_id": "owl", "views": VIEWS, "ring_elevations_deg": ELEVATIONS_DEG, "sides": 2}
        bench.ask("POST", "scans", wishes)
        answer(bench, "ring 1 of 2: put the camera at its mark, 20° above the platter")
        asked = answer(bench, "side 2 of 2: turn the object over", then="turn_over")
        assert "camera" not in asked, "the lift sees to that"
        bench.wait_for("the scan is over", lambda: bench.state()["scan"] is None, SCAN_LIMIT_S)
        folder = bench.folder / "store" / "scans" / "owl"
        results = folder / "results"
        bench.wait_for("the model is here", (results / "report.json").exists, MODEL_LIMIT_S)
        manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
        scene: Scene = pickle.loads((bench.folder / "store" / "scene.pickle").read_bytes())
    planned = [(side, ring, ELEVATIONS_DEG[ring]) for side in range(2) for ring in range(2) for _ in range(VIEWS)]
    assert [(frame.side, frame.ring, frame.elevation_deg) for frame in manifest.frames] == planned
    holds_the_model(results, manifest, scene)
    holds_what_the_photos_show(folder, manifest, Renderer(scene))


def answer(bench: RunningBench, expected: str, then: str | None = None) -> str:
    """Wait for a question, do with the hand what it asks for, and go on."""

    def asks() -> bool:
        scan = bench.state()["scan"]
        assert scan is not None, f"it ended and did not ask: {expected}: {bench.state()['last_scan']}"
        return scan["question"] is not None

    bench.wait_for(f"it asks: {expected}", asks, SCAN_LIMIT_S)
    question = str(bench.state()["scan"]["question"])
    assert expected in question
    if then is not None:
        bench.hand(then)
    bench.ask("POST", "commands", {"command": "resume"})
    return question


def holds_the_model(results: Path, manifest: Manifest, scene: Scene) -> None:
    """Both rings of one side make it; the other side's photos are named, each with its reason."""
    report = ReconstructionReport.model_validate_json((results / "report.json").read_bytes())
    assert (report.photos_given, report.photos_used) == (4 * VIEWS, 2 * VIEWS)
    assert set(report.unused) == {frame.file.name for frame in manifest.frames if frame.side == 1}
    assert set(report.unused.values()) == {"shows side 2; this engine makes its model of side 1"}
    judged = judge_model(results, manifest, scene)
    print(judged, report.size)
    assert judged.accuracy_mean_mm < 1.5
    assert judged.visible_within_1mm > 0.6
    assert judged.scale_error_percent == pytest.approx(0, abs=1.0)
    assert max(report.size) == pytest.approx(150, abs=9), "photos of 480 px know no tuft better"


def holds_what_the_photos_show(folder: Path, manifest: Manifest, renderer: Renderer) -> None:
    """The masks of the second side are of an object on its head, seen from the ring's height."""
    for turn in range(1, 5):
        # By the last photo of a turn it is known what lies behind the object: there is a whole mask.
        frame = manifest.frames[turn * VIEWS - 1]
        assert overlap(folder, frame, renderer, upside_down=frame.side == 1) > 0.75
        assert overlap(folder, frame, renderer, upside_down=frame.side == 0) < 0.85


def overlap(folder: Path, frame: FrameEntry, renderer: Renderer, *, upside_down: bool) -> float:
    """Return how far the mask in a frame's sidecars is the true one: their common share of both together."""
    seen = cv2.imread(str(folder / frame.file.name.replace(".jpg", ".mask.png")), cv2.IMREAD_GRAYSCALE)
    assert seen is not None
    truth = renderer.truth(*SIZE_PX, frame.angle_deg, frame.elevation_deg, upside_down=upside_down).mask
    true = cv2.resize(truth, seen.shape[::-1], interpolation=cv2.INTER_AREA) > 127
    both, either = np.count_nonzero(true & (seen > 127)), np.count_nonzero(true | (seen > 127))
    return both / either

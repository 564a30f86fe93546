"""A focus bracket on a lens with a motor: focused once, moved on purpose, and not refused for it."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scan_on_bench import of, running, until

from drivers.bench.install import Bench, install_bench
from drivers.bench.mat_picture import charuco_mat
from drivers.bench.render_process import RenderProcess
from drivers.bench.scene import Exposure, Scene, SceneCamera, SceneObject
from drivers.bench.sensor_models import IMX708
from offload.wire.bundle import FrameEntry, Manifest
from scannerd.commands import StartScan
from scannerd.config import Config
from scannerd.events import FrameJudged, Outcome, ScanEnded
from scannerd.settings.file import parse_config
from scannerd.store.journal import replay
from scannerd.store.layout import ScanFolder, StoreLayout
from scannerd.store.photo import read_grey

pytestmark = pytest.mark.slow

WIDTH_PX, HEIGHT_PX = 640, 360
VIEWS, STEP_DIOPTRES = 3, 2.0
SCAN_LIMIT_S = 900.0
"""Pictures out of focus cost the renderer most, and a busy machine several times that."""
SETTINGS = """
[store]
folder = "{folder}"
reserve_mb = 0
[camera]
width_px = 640
height_px = 360
[scan]
views = 3
propose = false
adaptive_settle = false
settle_s = 0.8
focus_step_dioptres = 2.0
[quality]
ask_a_person = false
"""


class Onlooker:
    """`PictureSource`: renders, and remembers where the lens stood for every photo."""

    def __init__(self, renderer: RenderProcess) -> None:
        self._renderer = renderer
        self.focus_dioptres: list[float | None] = []

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        if exposure.width_px == WIDTH_PX:
            self.focus_dioptres.append(exposure.focus_dioptres)
        self._renderer.render_into(exposure, out)


def block() -> SceneObject:
    """A painted block, 40 x 30 x 45 mm."""
    x, y, z = np.meshgrid((-20, 20), (-15, 15), (0, 45), indexing="ij")
    corners = np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)
    sides = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    faces = [triangle for a, b, c, d in sides for triangle in ((a, b, c), (a, c, d))]
    return SceneObject(corners, np.array(faces, np.uint32), paint_seed=3, height_mm=45)


@pytest.fixture
def onlooker() -> Iterator[Onlooker]:
    lens = SceneCamera(
        f_number=1.8, focal_length_mm=4.74, distance_mm=300, focus_distance_mm=300, target_height_mm=20
    )
    with RenderProcess(Scene(block(), charuco_mat(), lens)) as renderer:
        yield Onlooker(renderer)


@pytest.fixture
def focusing(onlooker: Onlooker) -> Iterator[Bench]:
    with install_bench(onlooker, speed=10, sensor=IMX708) as bench:
        yield bench


async def test_a_focus_bracket_is_taken_at_other_distances_and_kept(
    focusing: Bench, onlooker: Onlooker, tmp_path: Path
) -> None:
    config: Config = parse_config(SETTINGS.format(folder=tmp_path))
    async with running(config, focusing) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("block", focus_bracket=3))
        seen = await until(events, ScanEnded, patience_s=SCAN_LIMIT_S)
        locked = daemon.hardware.camera.settings.focus_dioptres
    (ended,) = of(ScanEnded, seen)
    assert ended.outcome is Outcome.COMPLETED, ended.error
    assert [
        f"{judged.index}: {judged.reason}" for judged in of(FrameJudged, seen) if judged.verdict != "accept"
    ] == []

    folder = StoreLayout(tmp_path).scan("block")
    lines = [line for line in replay(folder.journal)[0] if line.type == "locked"]
    assert len(lines) == 1, "focused once"
    focus_dioptres = lines[0].body["settings"]["focus_dioptres"]
    assert focus_dioptres == pytest.approx(locked), "back where it was locked"
    assert 1000 / focus_dioptres == pytest.approx(290, abs=80), "on the object"

    frames = Manifest.model_validate_json(folder.manifest.read_bytes()).frames
    offsets = [frame.focus_offset_dioptres for frame in frames]
    assert offsets == [0.0, -STEP_DIOPTRES, STEP_DIOPTRES] * VIEWS
    taken = onlooker.focus_dioptres[-len(frames) :]
    assert taken == pytest.approx([focus_dioptres + offset for offset in offsets], abs=0.05), "where the lens was"
    assert_blurred_on_purpose(folder, frames)


def assert_blurred_on_purpose(folder: ScanFolder, frames: tuple[FrameEntry, ...]) -> None:
    """At each angle the plain photo is the sharpest one."""
    for view in range(VIEWS):
        plain, *others = (steepness(folder, frame) for frame in frames[3 * view : 3 * view + 3])
        assert plain > 2 * max(others)


def steepness(folder: ScanFolder, frame: FrameEntry) -> float:
    """Return how sharp the middle of a photo is."""
    photo = read_grey(folder.path / frame.file.name)
    middle = photo[HEIGHT_PX // 3 : HEIGHT_PX * 2 // 3, WIDTH_PX * 2 // 5 : WIDTH_PX * 3 // 5]
    return float(cv2.Laplacian(middle, cv2.CV_32F).var())

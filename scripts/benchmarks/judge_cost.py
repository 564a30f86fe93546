"""What looking at one frame costs a core, beside a naive way of judging it."""

import tempfile
from pathlib import Path
from typing import Any

from frame_cost import frame_cost

from drivers.bench.default_object import default_object
from drivers.bench.mat_picture import charuco_mat
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure, Scene
from drivers.picture import Planes
from drivers.protocols import Frame
from offload.wire.bundle import CameraModel, MatSpec, Place
from scannerd.config import QualitySection
from scannerd.quality.gate import Gate

CAMERA = CameraModel(make="scannerd", model="bench", focal_length_mm=9.0, pixel_pitch_um=1.55)
KNOWN_VIEWS = 6
"""So many frames were judged before: the background is known then, and all of the work is done."""


def judge_cost(width_px: int, mat: MatSpec) -> dict[str, Any]:
    """Return CPU milliseconds for a photo so wide."""
    renderer = Renderer(Scene(default_object(), charuco_mat()))
    size = (width_px, width_px * 3 // 4 // 4 * 4)
    photo = Planes.from_rgb(renderer.render(Exposure(*size, (20.0,))))
    shrink = 2 if width_px <= 2028 else 4
    frame = Frame(photo, photo.shrunk(size[0] // shrink // 2 * 2, size[1] // shrink // 2 * 2), 20_000, 1.0, 0.0)
    gate = Gate(QualitySection(), mat)
    for index in range(KNOWN_VIEWS):
        gate.learn(gate.judge(frame, Place(index=index)))
    with tempfile.TemporaryDirectory(prefix="scannerd-bench-") as folder:
        return {"photo_px": list(size), **frame_cost(frame, CAMERA, gate, 95, Path(folder) / "frame")}

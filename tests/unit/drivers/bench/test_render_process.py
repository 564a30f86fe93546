"""The renderer's process gives the renderer's pixels and never outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from drivers.bench.mat_picture import charuco_mat
from drivers.bench.picture.clutter import ball
from drivers.bench.render_process import RenderProcess, RenderProcessDied
from drivers.bench.renderer import Renderer
from drivers.bench.scene import Exposure, Scene, SceneObject


def _scene() -> Scene:
    vertices, faces = ball(30)
    return Scene(SceneObject(vertices.astype(np.float32), faces.astype(np.uint32), paint_seed=1), charuco_mat())


def _becomes_true(condition: Callable[[], bool], deadline_s: float = 60.0) -> bool:
    end_s = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.02)
    return True


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_pixels_are_the_renderers_own_and_sizes_may_change() -> None:
    with RenderProcess(_scene()) as process:
        process.prepare(160, 120)
        for size_px in ((160, 120), (320, 240), (160, 120)):
            exposure = Exposure(*size_px, (10.0,), noise_seed=4)
            pixels = np.zeros((size_px[1], size_px[0], 3), np.uint8)
            process.render_into(exposure, memoryview(pixels).cast("B"))
            assert np.array_equal(pixels, Renderer(_scene()).render(exposure))
        assert process.peak_rss_mb() > 20
    assert process.peak_rss_mb() > 20
    assert _is_gone(process.pid)


def test_it_has_a_session_of_its_own() -> None:
    with RenderProcess(_scene()) as process:
        assert os.getsid(process.pid) != os.getsid(0)


def test_a_wrong_buffer_is_refused() -> None:
    with RenderProcess(_scene()) as process, pytest.raises(ValueError, match="12 bytes; this photo needs 57600"):
        process.render_into(Exposure(160, 120, (0.0,)), np.zeros(12, np.uint8))


def test_a_child_that_died_says_so() -> None:
    with RenderProcess(_scene()) as process:
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(RenderProcessDied, match=r"ended with code -9"):
            process.render_into(Exposure(160, 120, (0.0,)), np.zeros(57600, np.uint8))


def test_a_child_that_fails_passes_its_last_words_on() -> None:
    with RenderProcess(_scene()) as process, pytest.raises(RenderProcessDied, match="at least one platter angle"):
        process.render_into(Exposure(160, 120, ()), np.zeros(57600, np.uint8))


@pytest.mark.parametrize("ending", [signal.SIGKILL, None], ids=["killed", "left"])
def test_it_goes_with_its_parent(ending: signal.Signals | None) -> None:
    code = (
        "import numpy as np, sys\n"
        "from drivers.bench.picture.clutter import ball\n"
        "from drivers.bench.render_process import RenderProcess\n"
        "from drivers.bench.scene import Scene, SceneObject\n"
        "vertices, faces = ball(30)\n"
        "thing = SceneObject(vertices.astype(np.float32), faces.astype(np.uint32))\n"
        "process = RenderProcess(Scene(thing, None))\n"
        "print(process.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert not _is_gone(pid)
        if ending is not None:
            parent.send_signal(ending)
        parent.communicate()
        assert _becomes_true(lambda: _is_gone(pid))

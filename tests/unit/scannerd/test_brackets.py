"""Brackets of exposure at one angle: each photo with its own, and the scan's lock back afterwards."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scan_on_bench import OverheadCamera, bench_config, running, until, when
from sealed_scan import assert_true_angles, manifest_of

from drivers.bench.install import Bench, install_bench
from drivers.bench.picture.textures import linear_to_srgb, srgb_to_linear
from drivers.bench.scene import Exposure
from scannerd.commands import (
    CommandRefused,
    Pause,
    Resume,
    ResumeScan,
    StartScan,
    Stop,
)
from scannerd.events import (
    FrameStored,
    ScanEnded,
    ScanPaused,
)
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore


class ExposedCamera(OverheadCamera):
    """Sees twice the light when the shutter is open for twice the time."""

    def __call__(self, exposure: Exposure, out: NDArray[np.uint8], /) -> None:
        super().__call__(exposure, out)
        light = srgb_to_linear(out) * np.float32(exposure.exposure_us / 20_000)
        out[:] = np.asarray(linear_to_srgb(np.clip(light, 0, 1)) * 255 + 0.5, np.uint8)


@pytest.fixture
def exposed() -> Iterator[Bench]:
    """A bench whose photos show how long they were exposed."""
    with install_bench(ExposedCamera(), 40.0) as installed:
        yield installed


async def test_brackets_are_taken_at_one_angle_and_the_lock_is_back_after(exposed: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3, more="max_clipped_fraction = 1.0")
    async with running(config, exposed) as daemon:
        locked = daemon.hardware.camera.settings
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", exposure_bracket=3, repeats=2))
        await until(events, ScanEnded)
        assert daemon.hardware.camera.settings == locked
    frames = manifest_of(config).frames
    assert [(frame.exposure_ev, frame.repeat) for frame in frames[:6]] == [
        (0, 0), (0, 1), (-1, 0), (-1, 1), (1, 0), (1, 1),
    ]  # fmt: skip
    assert len(frames) == 18
    usual_us = frames[0].exposure_us
    for frame in frames:
        assert frame.exposure_us == pytest.approx(usual_us * 2**frame.exposure_ev, rel=0.02)
    assert {round(frame.angle_deg) for frame in frames} == {0, 120, 240}
    assert_true_angles(config, frames)


async def test_a_scan_within_a_bracket_goes_on_with_the_right_exposure(exposed: Bench, tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3, more="max_clipped_fraction = 1.0")
    async with running(config, exposed) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", exposure_bracket=3))
        await until(events, FrameStored, 5)
        await daemon.submit(Stop())
        await until(events, ScanEnded)
    async with running(config, exposed) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(ResumeScan("cup"))
        await until(events, ScanEnded)
    frames = manifest_of(config).frames
    assert [frame.index for frame in frames] == list(range(9))
    for frame in frames:
        assert frame.exposure_us == pytest.approx(frames[0].exposure_us * 2**frame.exposure_ev, rel=0.02)
    assert_true_angles(config, frames)


async def test_a_pause_with_the_motor_off_within_a_bracket_leaves_the_exposure_right(
    exposed: Bench, tmp_path: Path
) -> None:
    config = bench_config(tmp_path, views=3, more="max_clipped_fraction = 1.0")
    turntable = config.turntable.model_copy(update={"idle_release_s": 0.0})
    config = config.model_copy(update={"turntable": turntable})
    async with running(config, exposed) as daemon:
        events = daemon.events.subscribe()
        await daemon.submit(StartScan("cup", exposure_bracket=3, repeats=8))
        await until(events, FrameStored, 10)
        await daemon.submit(Pause())
        await until(events, ScanPaused)
        await when(lambda: not exposed.board.enabled)
        await daemon.submit(Resume())
        await until(events, FrameStored, 10)
        await daemon.submit(Stop())
        await until(events, ScanEnded)
    with ScanStore(StoreLayout(tmp_path)).open("cup") as scan:
        frames = list(scan.frames.values())
    assert len(frames) >= 20
    for frame in frames:
        assert frame.exposure_us == pytest.approx(frames[0].exposure_us * 2**frame.exposure_ev, rel=0.02), frame.index


async def test_a_lens_without_a_motor_takes_no_focus_bracket(bench: Bench, tmp_path: Path) -> None:
    async with running(bench_config(tmp_path, views=3), bench) as daemon:
        with pytest.raises(CommandRefused, match="focus_bracket = 3: this camera's lens has no focus motor"):
            await daemon.submit(StartScan("cup", focus_bracket=3))

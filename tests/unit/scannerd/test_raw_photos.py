"""Scans whose photos have raw files, from the command to the seal."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import rawpy
from scan_on_bench import OverheadCamera, bench_config, of, running, until

from drivers.bench.install import install_bench
from drivers.bench.sensor_models import IMX477, SensorMode
from offload.wire.bundle import Manifest
from scannerd.commands import CommandRefused, RawPhotos, ResumeScan, StartScan, Stop
from scannerd.config import Config
from scannerd.events import FrameStored, Outcome, ScanEnded
from scannerd.store.layout import StoreLayout
from scannerd.store.photo import read_grey

SMALL = replace(IMX477, modes=(SensorMode(640, 480, 12, 1 / 40),))
"""Mosaics of megapixels take a busy machine seconds each."""
PATIENCE_S = 120


def manifest_of(config: Config, scan_id: str) -> Manifest:
    folder = StoreLayout(config.store.folder).scan(scan_id)
    return Manifest.model_validate_json(folder.manifest.read_bytes())


def developed_grey(path: Path) -> np.ndarray:
    with rawpy.imread(BytesIO(path.read_bytes())) as raw:
        pixels = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            gamma=(2.4, 12.92),
            demosaic_algorithm=rawpy.DemosaicAlgorithm.LINEAR,
        )
    return pixels.mean(axis=2)


async def test_every_photo_has_one_of_its_own_exposure(tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    with install_bench(OverheadCamera(), speed=10, sensor=SMALL) as bench:
        async with running(config, bench) as daemon:
            with daemon.events.subscribe() as events:
                await daemon.submit(StartScan("cup", raw=RawPhotos.BUNDLE))
                ended = of(ScanEnded, await until(events, ScanEnded, patience_s=PATIENCE_S))[-1]
                await daemon.submit(StartScan("plain"))
                await until(events, ScanEnded, patience_s=PATIENCE_S)
    assert ended.outcome is Outcome.COMPLETED
    folder = StoreLayout(config.store.folder).scan("cup").path
    for frame in manifest_of(config, "cup").frames:
        assert frame.raw is not None
        assert frame.raw_travels
        photo = read_grey(folder / frame.file.name).astype(float)
        raw = developed_grey(folder / frame.raw.name)
        thumbs = [picture[: len(picture) // 8 * 8, : picture.shape[1] // 8 * 8] for picture in (photo, raw)]
        small = [np.array([[p.mean() for p in np.array_split(row, 8, 1)] for row in np.array_split(thumb, 8)])
                 for thumb in thumbs]  # fmt: skip
        np.testing.assert_allclose(small[0], small[1], atol=6, err_msg="its own photo, at its own angle")
    assert all(frame.raw is None for frame in manifest_of(config, "plain").frames), "who does not ask gets none"


async def test_a_photo_counts_before_its_raw_file(tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=3)
    with install_bench(OverheadCamera(), speed=10, sensor=SMALL) as bench:
        async with running(config, bench) as daemon:
            with daemon.events.subscribe() as events:
                await daemon.submit(StartScan("cup", raw=RawPhotos.DEVICE))
                await until(events, ScanEnded, patience_s=PATIENCE_S)
    journal = StoreLayout(config.store.folder).scan("cup").journal.read_text().splitlines()
    lines = [json.loads(line) for line in journal]
    told = [(line["type"], line.get("index", line.get("frame", {}).get("index"))) for line in lines]
    for index in range(3):
        assert told.index(("frame", index)) < told.index(("raw", index))


async def test_a_scan_that_was_stopped_goes_on_with_raw_files(tmp_path: Path) -> None:
    config = bench_config(tmp_path, views=4)
    with install_bench(OverheadCamera(), speed=10, sensor=SMALL) as bench:
        async with running(config, bench) as daemon:
            with daemon.events.subscribe() as events:
                await daemon.submit(StartScan("cup", raw=RawPhotos.DEVICE))
                await until(events, FrameStored, patience_s=PATIENCE_S)
                await daemon.submit(Stop())
                await until(events, ScanEnded, patience_s=PATIENCE_S)
        folder = StoreLayout(config.store.folder).scan("cup")
        lines = folder.journal.read_text().splitlines(keepends=True)
        folder.journal.write_text("".join(line for line in lines if '"type":"raw"' not in line))
        renumber(folder.journal)
        async with running(config, bench) as daemon:
            with daemon.events.subscribe() as events:
                await daemon.submit(ResumeScan("cup"))
                ended = of(ScanEnded, await until(events, ScanEnded, patience_s=PATIENCE_S))[-1]
    assert ended.outcome is Outcome.COMPLETED
    assert all(frame.raw is not None for frame in manifest_of(config, "cup").frames)


def renumber(journal: Path) -> None:
    lines = [json.loads(line) | {"seq": seq} for seq, line in enumerate(journal.read_text().splitlines())]
    journal.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))


async def test_a_camera_without_is_told_before_anything_begins(tmp_path: Path) -> None:
    usual = bench_config(tmp_path)
    config = usual.model_copy(update={"camera": usual.camera.model_copy(update={"driver": "v4l2"})})
    with install_bench(OverheadCamera(), speed=10, sensor=SMALL) as bench:
        async with running(config, bench) as daemon:
            with pytest.raises(CommandRefused, match="Bench Webcam delivers nothing raw"):
                await daemon.submit(StartScan("cup", raw=RawPhotos.DEVICE))

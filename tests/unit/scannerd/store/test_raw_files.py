"""Raw files beside photos: hashed, sealed, taken again where an interruption kept them from the disk."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from developed_photos import develop

from drivers.picture import Planes
from drivers.raw_picture import MosaicFormat, Raw, RawFile, RawMosaic
from offload.wire.bundle import CameraModel, FrameEntry, Manifest
from scannerd.commands import RawPhotos, Wishes
from scannerd.scan.plan import ScanPlan, plan_scan
from scannerd.settings.file import parse_config
from scannerd.store.developed import DevelopedPhoto, TakenPhoto
from scannerd.store.durable import StoreFull
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore
from scannerd.store.space import photo_bytes
from scannerd.store.stored_scan import StoredScan

CAMERA = CameraModel(make="Raspberry Pi", model="imx477", focal_length_mm=9.0, pixel_pitch_um=3.925)
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CONFIG = parse_config('[camera]\nwidth_px = 320\nheight_px = 240\nraw = "device"\n[scan]\nviews = 3\n')
RAW_BYTES = 320 * 240 * 2


def a_plan(raw: RawPhotos | None = None) -> ScanPlan:
    return plan_scan(CONFIG, CAMERA, "cup", WHEN, Wishes(raw=raw), raw_bytes=RAW_BYTES)


def a_photo(scan: StoredScan, index: int) -> DevelopedPhoto:
    pixels = np.random.default_rng(index).integers(0, 255, (240, 320, 3), np.uint8)
    photo, view = Planes.from_rgb(pixels), scan.viewpoints[index]
    return develop(TakenPhoto(view, photo, photo.shrunk(160, 120), view.angle_deg, 20_000.0, 1.0, WHEN), scan.plan)


def a_mosaic(seed: int = 0) -> Raw:
    rows = np.random.default_rng(seed).integers(0, 255, (240, 480), np.uint8)
    return RawMosaic(rows, 320, MosaicFormat.named("SRGGB12_CSI2P"), (256,) * 4, (2.1, 1.9), None)  # type: ignore[arg-type]


def keep(scan: StoredScan, index: int, raw: Raw | None) -> FrameEntry:
    entry = scan.keep(a_photo(scan, index))
    if raw is not None:
        scan.count_raw(entry, scan.write_raw(entry, raw))
    return entry


@pytest.fixture
def store(tmp_path: Path) -> ScanStore:
    store = ScanStore(StoreLayout(tmp_path))
    store.prepare()
    return store


@pytest.mark.parametrize(("raw", "travels"), [(RawPhotos.DEVICE, False), (RawPhotos.BUNDLE, True)])
def test_the_seal_names_every_raw_file_by_its_hash(store: ScanStore, raw: RawPhotos, travels: bool) -> None:
    scan, _ = store.begin(a_plan(raw))
    with scan:
        for index in range(3):
            keep(scan, index, a_mosaic(index))
        seal = scan.seal(WHEN)
    data = scan.folder.manifest.read_bytes()
    manifest = Manifest.model_validate_json(data)
    assert manifest.canonical_bytes() == data
    for frame in manifest.frames:
        assert frame.raw is not None
        stored = (scan.folder.path / frame.raw.name).read_bytes()
        assert frame.raw.name == f"frames/{frame.index:04d}.dng"
        assert frame.raw.sha256 == hashlib.sha256(stored).hexdigest()
        assert frame.raw.size_bytes == len(stored) == pytest.approx(RAW_BYTES, rel=0.05)
        assert (frame.raw in manifest.files()) is travels
    assert seal.total_bytes == sum(file.size_bytes for file in manifest.files())


def test_a_manifest_without_raw_files_is_what_it_always_was(store: ScanStore) -> None:
    scan, _ = store.begin(a_plan(RawPhotos.NEVER))
    with scan:
        for index in range(3):
            keep(scan, index, None)
        scan.seal(WHEN)
    assert b'"raw' not in scan.folder.manifest.read_bytes()


def test_a_cameras_own_file_is_kept_as_it_came(store: ScanStore) -> None:
    scan, _ = store.begin(a_plan())
    with scan:
        keep(scan, 0, RawFile(b"NEF" * 100, ".nef"))
        assert (scan.folder.frames / "0000.nef").read_bytes() == b"NEF" * 100


def test_what_an_interruption_kept_from_the_disk_is_taken_again(store: ScanStore) -> None:
    scan, _ = store.begin(a_plan())
    with scan:
        keep(scan, 0, a_mosaic())
        entry = keep(scan, 1, None)
        scan.write_raw(entry, a_mosaic())  # The power fails before its journal line.
    with store.open("cup") as again:
        assert not (again.folder.frames / "0001.dng").exists(), "nothing counts that the journal does not tell"
        assert again.verify_frames() == ()
        assert again.want_raws() == (1,)
        assert again.want_raws() == (), "it is wanted once"
        keep(again, 2, a_mosaic())
        assert not again.complete
        keep(again, 1, a_mosaic())
        assert again.complete
        assert sorted(path.name for path in again.folder.frames.glob("*.dng")) == [
            "0000.dng", "0001_2.dng", "0002.dng"
        ]  # fmt: skip


def test_a_raw_file_belongs_to_its_own_photo_only(store: ScanStore) -> None:
    scan, _ = store.begin(a_plan())
    with scan:
        first = keep(scan, 0, None)
        late = scan.write_raw(first, a_mosaic(1))
        keep(scan, 0, a_mosaic(2))
        scan.count_raw(first, late)
        raw = scan.frames[0].raw
        assert raw is not None
        assert raw.name == "frames/0000_2.dng"
        assert [path.name for path in scan.folder.frames.glob("*.dng")] == ["0000_2.dng"]
        keep(scan, 0, a_mosaic(3))
        assert [path.name for path in scan.folder.frames.glob("*.dng")] == ["0000_3.dng"]


def test_a_damaged_raw_file_loses_its_photo(store: ScanStore) -> None:
    scan, _ = store.begin(a_plan())
    with scan:
        keep(scan, 0, a_mosaic())
        (scan.folder.frames / "0000.dng").write_bytes(b"")
        assert scan.verify_frames() == (0,)


def test_the_forecast_counts_them_and_a_full_disk_keeps_the_photo(tmp_path: Path) -> None:
    assert photo_bytes(a_plan()) == photo_bytes(a_plan(RawPhotos.NEVER)) + RAW_BYTES
    free = [1_000_000_000]
    store = ScanStore(StoreLayout(tmp_path), free_bytes=lambda _: free[0])
    store.prepare()
    scan, _ = store.begin(a_plan())
    with scan:
        entry = keep(scan, 0, None)
        free[0] = RAW_BYTES
        with pytest.raises(StoreFull, match="free some space, then resume"):
            scan.write_raw(entry, a_mosaic())
        assert [path.name for path in scan.folder.frames.iterdir()] == ["0000.jpg"]
        assert 0 in scan.frames

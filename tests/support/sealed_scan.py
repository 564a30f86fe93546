"""What a sealed scan holds, and whether its photos show what it says of them."""

import hashlib

import pytest

from offload.wire.bundle import FrameEntry, Manifest
from scannerd.config import Config
from scannerd.scan.relocate import mat_corners, turned_deg
from scannerd.store.layout import ScanFolder, StoreLayout
from scannerd.store.photo import read_grey


def scan_folder(config: Config, scan_id: str) -> ScanFolder:
    return StoreLayout(config.store.folder).scan(scan_id)


def manifest_of(config: Config, scan_id: str = "cup") -> Manifest:
    """Return the seal of a scan whose files are all there."""
    folder = scan_folder(config, scan_id)
    manifest = Manifest.model_validate_json(folder.manifest.read_bytes())
    for file in manifest.files():
        assert hashlib.sha256((folder.path / file.name).read_bytes()).hexdigest() == file.sha256
    return manifest


def assert_true_angles(config: Config, frames: tuple[FrameEntry, ...], scan_id: str = "cup") -> None:
    """Hold that each photo shows the platter at the angle that its entry tells, the first being the reference."""
    mat = config.mat.spec()
    assert mat is not None
    folder = scan_folder(config, scan_id).path
    first = mat_corners(read_grey(folder / frames[0].file.name), mat)
    for frame in frames:
        seen_deg = turned_deg(first, mat_corners(read_grey(folder / frame.file.name), mat))
        told_deg = frame.angle_deg - frames[0].angle_deg
        assert (seen_deg - told_deg + 180) % 360 - 180 == pytest.approx(0, abs=0.3), f"photo {frame.index}"


def assert_sound(config: Config, scan_id: str, views: int = 6) -> Manifest:
    """Hold that the sealed scan has every photo of one ring once, whole, and showing the platter at its place."""
    manifest = manifest_of(config, scan_id)
    assert [frame.index for frame in manifest.frames] == list(range(views))
    assert_true_angles(config, manifest.frames, scan_id)
    for frame in manifest.frames:
        assert frame.angle_deg == pytest.approx(frame.index * 360 / views, abs=0.1)
    return manifest

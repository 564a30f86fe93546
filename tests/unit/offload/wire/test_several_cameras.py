"""A bundle of several cameras, and that one of a single camera is told as it always was."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from offload.wire.bundle import CameraModel, CameraOfScan, FrameEntry, Manifest, Place, StoredFile

LENS = CameraModel(make="Raspberry Pi", model="imx477", focal_length_mm=6.0, pixel_pitch_um=3.1)


def stored(name):
    return StoredFile(name=name, sha256=f"{abs(hash(name)):064x}"[-64:], size_bytes=10)


def frame(index, **place):
    return FrameEntry(
        index=index,
        angle_deg=index * 10.0,
        file=stored(f"frames/{index:04d}.jpg"),
        exposure_us=20_000,
        analogue_gain=1,
        taken_at=datetime(2026, 5, 4, tzinfo=UTC),
        **place,
    )


def manifest(frames, **more):
    return Manifest(
        scan_id="cup",
        created_at=datetime(2026, 5, 4, tzinfo=UTC),
        device="bench",
        camera=LENS,
        photo_width_px=1600,
        photo_height_px=1200,
        frames=tuple(frames),
        **more,
    )


SIDE = CameraOfScan(
    name="side", camera=LENS, photo_width_px=800, photo_height_px=600, background=stored("background-1.jpg")
)


def test_a_single_camera_is_told_without_new_keys():
    told = json.loads(manifest(frame(index) for index in range(3)).canonical_bytes())
    assert told["format"] == 1
    assert "cameras" not in told
    assert all("camera" not in each for each in told["frames"])
    assert "camera" not in json.loads(Place(index=0).model_dump_json())


def test_several_cameras_come_back_as_they_went():
    sent = manifest((frame(0), frame(1, camera=1), frame(2)), format=2, cameras=(SIDE,), background=stored("b.jpg"))
    got = Manifest.model_validate_json(sent.canonical_bytes())
    assert got == sent
    assert got.digest() == sent.digest()
    assert [each.camera for each in got.frames] == [0, 1, 0]
    assert [each.name for each in got.all_cameras()] == ["first", "side"]
    assert [file.name for file in got.photos_of(1)] == ["frames/0001.jpg", "background-1.jpg"]
    assert sorted(got.photos(), key=str) == sorted((*got.photos_of(0), *got.photos_of(1)), key=str)
    assert {file.name for file in got.files()} >= {"b.jpg", "background-1.jpg"}


@pytest.mark.parametrize(
    ("frames", "more", "says"),
    [
        ((0, 0, 1), {}, "photos are from cameras"),
        ((0, 0, 2), {"format": 2, "cameras": (SIDE,)}, r"from cameras \[2\]; the scan has 2"),
        ((0, 0, 1), {"cameras": (SIDE,)}, "format is 1; a scan with 2 cameras has 2"),
        ((0, 0, 0), {"format": 2}, "format is 2; a scan with 1 cameras has 1"),
        ((0, 0, 1), {"format": 2, "cameras": (SIDE,), "background": SIDE.background}, "same name"),
    ],
)
def test_what_contradicts_itself_is_refused(frames, more, says):
    with pytest.raises(ValidationError, match=says):
        manifest([frame(index, camera=camera) for index, camera in enumerate(frames)], **more)

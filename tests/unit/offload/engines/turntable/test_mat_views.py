"""What a scan's photos may lack before the scan is refused."""

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from offload.engines.protocol import BadInput
from offload.engines.turntable.crop import PosedPhotos, outlining_views
from offload.engines.turntable.mat import NOTHING_SEEN, Mat, MatObservation
from offload.engines.turntable.mat_views import Sighting, covered_mat, whole_photos
from offload.engines.turntable.photos import PhotoDamaged, PhotoFile
from offload.engines.turntable.scan_bundle import MANIFEST, ScanBundle, open_bundle
from offload.engines.turntable.stands import StandKey
from offload.wire.bundle import CameraModel, FrameEntry, Manifest, MatSpec, StoredFile

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MAT = MatSpec(columns=15, rows=15, square_mm=18.0, marker_mm=13.5, dictionary="DICT_4X4_250")
BLANK = Sighting((40, 30), NOTHING_SEEN, np.zeros((30, 40, 3), np.uint8))


def bundle_of(views: int, **place: float) -> ScanBundle:
    frames = tuple(
        FrameEntry(
            index=index,
            angle_deg=index * 360 / views,
            **(place if index % 2 else {}),  # type: ignore[arg-type]
            file=StoredFile(name=f"frames/{index:04d}.jpg", sha256="0" * 64, size_bytes=1),
            exposure_us=1.0,
            analogue_gain=1.0,
            taken_at=NOW,
        )
        for index in range(views)
    )
    manifest = Manifest(
        scan_id="cup",
        created_at=NOW,
        device="bench",
        camera=CameraModel(make="bench", model="imx477", focal_length_mm=9.0, pixel_pitch_um=1.55),
        photo_width_px=40,
        photo_height_px=30,
        mat=MAT,
        frames=frames,
    )
    files = tuple(PhotoFile(frame.file.name, Path(frame.file.name), frame.file) for frame in frames)
    return ScanBundle(manifest, frames, files)


def test_a_damaged_photo_is_left_out_with_its_reason() -> None:
    damage = PhotoDamaged("frames/0003.jpg: truncated")
    bundle, sightings, reasons = whole_photos(bundle_of(12), [*[BLANK] * 3, damage, *[BLANK] * 8])
    assert reasons == {"frames/0003.jpg": "frames/0003.jpg: truncated"}
    assert len(sightings) == len(bundle.files) == len(bundle.frames) == 11
    assert "frames/0003.jpg" not in {file.name for file in bundle.files}


def test_many_damaged_photos_are_refused() -> None:
    damage = PhotoDamaged("frames/0000.jpg: truncated")
    with pytest.raises(BadInput, match="3 of 12 photos are damaged; the first: frames/0000"):
        whole_photos(bundle_of(12), [damage] * 3 + [BLANK] * 9)


@pytest.mark.parametrize(("cut", "whole"), [(2, False), (1, True)])
def test_a_sealed_photo_that_is_cut_counts_as_damaged(tmp_path: Path, cut: int, whole: bool) -> None:
    content = cv2.imencode(".jpg", np.full((30, 40, 3), 90, np.uint8))[1].tobytes()
    path = tmp_path / "0000.jpg"
    path.write_bytes(content[: len(content) // cut])
    if whole:
        assert PhotoFile("0000.jpg", path).read().shape == (30, 40, 3)
        return
    with pytest.raises(PhotoDamaged, match="truncated"):
        PhotoFile("0000.jpg", path).read()


@pytest.mark.parametrize(("shown", "told"), [(0.5, True), (0.8, False)])
def test_a_mat_that_is_half_covered_in_every_photo_is_told(shown: float, told: bool) -> None:
    mat = Mat(MAT)
    numbers = np.arange(round(shown * len(mat.corners_mm)))
    seen = MatObservation(mat.corners_mm[numbers], mat.corners_mm[numbers], numbers, usable=True)
    assert bool(covered_mat(mat, [seen, NOTHING_SEEN])) == told


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ({"side": 1}, "shows side 2; this engine makes its model of side 1"),
        ({"repeat": 1}, "is a repeat or part of a bracket"),
        ({"exposure_ev": -1.0}, "is a repeat or part of a bracket"),
        ({"focus_offset_dioptres": 0.5}, "is a repeat or part of a bracket"),
    ],
)
def test_what_does_not_help_the_model_is_left_out_and_said(
    tmp_path: Path, place: dict[str, float], reason: str
) -> None:
    (tmp_path / MANIFEST).write_bytes(bundle_of(12, **place).manifest.canonical_bytes())
    bundle = open_bundle(tmp_path)
    assert [frame.index for frame in bundle.frames] == [0, 2, 4, 6, 8, 10]
    assert len(bundle.left_out) == 6
    assert all(said.startswith(reason) for said in bundle.left_out.values())


def test_rings_are_sorted_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(bundle_of(12, ring=1).manifest.canonical_bytes())
    assert open_bundle(tmp_path).stands == [StandKey(0, 0)] * 6 + [StandKey(0, 1)] * 6


def test_the_fullest_ring_carves_and_all_others_only_look() -> None:
    files = bundle_of(5).files

    def posed(*rings: int) -> PosedPhotos:
        many = len(rings)
        return PosedPhotos(
            files[:many], np.zeros((many, 3, 3)), np.zeros((many, 5)), np.zeros((many, 3, 3)), np.zeros((many, 3)),
            ((40, 30),) * many, tuple(StandKey(0, ring) for ring in rings),
        )  # fmt: skip

    assert posed(0, 0, 0).fullest_stand() == ()
    assert posed(0, 0, 1, 1, 1).fullest_stand() == (2, 3, 4)
    assert posed(0, 0, 1, 1).fullest_stand() == (0, 1)
    assert [stand.ring for stand in posed(0, 0, 1, 1, 1).subset([0, 1, 4]).stands] == [0, 0, 1]


@pytest.mark.parametrize(
    ("first", "downs_deg", "cut_off", "chosen"),
    [(4, (30, 60), (), 0), (3, (30, 60), (), 1), (4, (70, 35), (), 1), (4, (30, 60), (0, 1), 1)],
)
def test_of_several_cameras_the_one_that_sees_the_whole_object_best_carves(
    first: int, downs_deg: tuple[float, float], cut_off: tuple[int, ...], chosen: int
) -> None:
    stands = (StandKey(0, 0),) * first + (StandKey(1, 0),) * 5
    many = len(stands)
    R = np.zeros((many, 3, 3))
    R[:, 2, 2] = [-np.sin(np.deg2rad(downs_deg[stand.camera])) for stand in stands]
    posed = PosedPhotos(
        bundle_of(many).files, np.zeros((many, 3, 3)), np.zeros((many, 5)), R, np.zeros((many, 3)),
        ((40, 30),) * many, stands,
    )  # fmt: skip
    masks = [np.pad(np.ones((10, 10), np.uint8), 0 if view in cut_off else 3) for view in range(many)]
    assert {stands[view].camera for view in outlining_views(posed, masks)} == {chosen}

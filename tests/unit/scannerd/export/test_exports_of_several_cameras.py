"""Each camera of a scan has a lens and a folder of its own in every export."""

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from turntable_scan import SCAN_ID, taken_scan
from turntable_seen import HEIGHT_PX, WIDTH_PX, BenchTurn

from offload.geometry.lens import Lens
from scannerd.export.photo_set import PhotoSet, SetCamera, photo_set
from scannerd.export.programs import Program, exported
from scannerd.export.to_folder import write_export

SIDE_LENS = Lens(640, 480, 700.0, 1.0, (310.0, 250.0), (0.05, -0.03, 0.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> PhotoSet:
    """Every other photo is the second camera's."""
    one = photo_set(taken_scan(tmp_path_factory.mktemp("store"), [BenchTurn(views=8)]), SCAN_ID)
    side = SetCamera("side", one.cameras[0].camera, SIDE_LENS, lens_is_known=True)
    folders = ("0-first", "1-side")
    taken = tuple(
        replace(photo, camera=photo.index % 2, name=f"{folders[photo.index % 2]}/{photo.name}")
        for photo in one.photos
    )
    return replace(one, cameras=(*one.cameras, side), photos=taken)


def export(photos: PhotoSet, program: Program, folder: Path) -> Path:
    write_export(exported(photos, program, folder), folder)
    return folder


def size_of(path: Path) -> tuple[int, ...]:
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert mask is not None, path
    return mask.shape


def test_meshroom_has_an_intrinsic_for_each(photos: PhotoSet, tmp_path: Path) -> None:
    folder = export(photos, Program.MESHROOM, tmp_path / "m")
    scene = json.loads((folder / "scene.sfm").read_text())
    first, side = scene["intrinsics"]
    assert (first["width"], side["width"]) == (str(WIDTH_PX), "640")
    assert first["intrinsicId"] != side["intrinsicId"]
    assert first["serialNumber"] != side["serialNumber"], "else both would be one camera"
    for view in scene["views"]:
        own = (first, side)[int(view["frameId"]) % 2]
        assert (view["intrinsicId"], view["width"]) == (own["intrinsicId"], own["width"])
        assert Path(view["path"]).is_file()


def test_colmap_has_a_camera_for_each_and_a_folder_that_tells_it(photos: PhotoSet, tmp_path: Path) -> None:
    folder = export(photos, Program.COLMAP, tmp_path / "c")
    cameras = (folder / "sparse/0/cameras.txt").read_text().splitlines()[1:]
    assert [line.split()[0] for line in cameras] == ["1", "2"]
    assert cameras[1].split()[2:5] == ["640", "480", "700"]
    images = [line.split() for line in (folder / "sparse/0/images.txt").read_text().splitlines()[1:] if line]
    assert [(words[8], words[9]) for words in images[:2]] == [("1", "0-first/0000.jpg"), ("2", "1-side/0001.jpg")]
    assert (folder / "images/1-side/0001.jpg").is_file()
    assert size_of(folder / "masks/1-side/0001.jpg.png") == (480, 640)
    assert "single_camera_per_folder 1" in (folder / "README.txt").read_text()


def test_nerfstudio_has_the_lens_with_each_photo(photos: PhotoSet, tmp_path: Path) -> None:
    told = json.loads((export(photos, Program.NERFSTUDIO, tmp_path / "n") / "transforms.json").read_text())
    assert "fl_x" not in told
    assert [frame["w"] for frame in told["frames"][:2]] == [WIDTH_PX, 640]
    assert told["frames"][1]["fl_x"] == 700
    assert size_of(tmp_path / "n" / told["frames"][1]["mask_path"]) == (480, 640)
    assert size_of(tmp_path / "n" / told["frames"][0]["mask_path"]) == (HEIGHT_PX, WIDTH_PX)


def test_realitycapture_has_a_group_for_each(photos: PhotoSet, tmp_path: Path) -> None:
    folder = export(photos, Program.REALITYCAPTURE, tmp_path / "r")
    for index, (name, group) in enumerate((("0-first/0000", "1"), ("1-side/0001", "2"))):
        told = (folder / f"images/{name}.xmp").read_text()
        assert re.findall(r'Group="(\d)"', told) == [group, group]
        assert (folder / f"images/{name}.jpg.mask.png").is_file(), index
    side = (folder / "images/1-side/0001.xmp").read_text()
    assert f'FocalLength35mm="{700 / 640 * 36:.12g}"' in side

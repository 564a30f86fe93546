"""Every export is read as its program reads it, and asked where true points appear: less than half a pixel off."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np
import pytest
from turntable_scan import SCAN_ID, grey_photo, taken_scan
from turntable_seen import HEIGHT_PX, WIDTH_PX, BenchTurn, object_points_mm, true_lens

from offload.geometry.lens import Lens
from scannerd.export.exported_file import ExportFault
from scannerd.export.photo_set import photo_set
from scannerd.export.programs import Program, exported
from scannerd.export.to_folder import write_export
from scannerd.store.scans import ScanUnknown

TURN = BenchTurn(views=12)
LARGEST_ERROR_PX = 0.5

Seen = dict[int, np.ndarray]
"""Photo → where object points appear, with (0, 0) the centre of the top left pixel."""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return taken_scan(tmp_path_factory.mktemp("store"), [TURN])


def export(store, program: Program, folder: Path) -> Path:
    write_export(exported(photo_set(store, SCAN_ID), program, folder), folder)
    return folder


def require_true(seen: Seen) -> None:
    assert sorted(seen) == list(range(TURN.views))
    for index, pixels in seen.items():
        truth = true_lens().project(TURN.true_pose(index).apply(object_points_mm()))
        assert np.linalg.norm(pixels - truth, axis=1).max() < LARGEST_ERROR_PX


def brown(x: np.ndarray, k: list[float], t1: float, t2: float) -> np.ndarray:
    """x_d = x (1 + k1 r² + k2 r⁴ + k3 r⁶) + (t2 (r² + 2x²) + 2 t1 x y), and y with t1 and t2 exchanged."""
    r2 = (x**2).sum(axis=1, keepdims=True)
    radial = 1 + k[0] * r2 + k[1] * r2**2 + k[2] * r2**3
    both = x[:, :1] * x[:, 1:]
    swapped = np.array([[t2, t1]])
    return x * radial + swapped * (r2 + 2 * x**2) + 2 * swapped[:, ::-1] * both


def test_meshroom_reads_cameras_that_see_true_points_where_they_are(store, tmp_path):
    folder = export(store, Program.MESHROOM, tmp_path / "m")
    scene = json.loads((folder / "scene.sfm").read_text())
    assert scene["version"] == ["1", "2", "6"]
    (intrinsic,) = scene["intrinsics"]
    assert intrinsic["type"] == "brown"
    width, height = int(intrinsic["width"]), int(intrinsic["height"])
    focal_x = float(intrinsic["focalLength"]) / float(intrinsic["sensorWidth"]) * width
    focal = np.array([focal_x, focal_x * float(intrinsic["pixelRatio"])])
    middle = np.array([float(value) for value in intrinsic["principalPoint"]]) + np.array([width, height]) / 2
    k1, k2, k3, t1, t2 = (float(value) for value in intrinsic["distortionParams"])
    poses = {pose["poseId"]: pose["pose"]["transform"] for pose in scene["poses"]}
    seen: Seen = {}
    for view in scene["views"]:
        assert Path(view["path"]).read_bytes() == grey_photo(int(view["frameId"]))
        assert view["intrinsicId"] == intrinsic["intrinsicId"]
        transform = poses[view["poseId"]]
        # Eigen fills column by column.
        rotation = np.array([float(value) for value in transform["rotation"]]).reshape(3, 3).T
        points = (object_points_mm() - [float(value) for value in transform["center"]]) @ rotation.T
        seen[int(view["frameId"])] = brown(points[:, :2] / points[:, 2:], [k1, k2, k3], t1, t2) * focal + middle
    require_true(seen)
    assert (folder / "masks/0003.png").exists()


def test_colmap_itself_reads_the_model(store, tmp_path):
    folder = export(store, Program.COLMAP, tmp_path / "c")
    np.save(tmp_path / "points.npy", object_points_mm())
    # In a process of its own: it brings libraries that do not go with OpenCV's.
    program = """
import json, sys, numpy as np, pycolmap
model = pycolmap.Reconstruction(sys.argv[1] + "/sparse/0")
points = np.load(sys.argv[2])
print(json.dumps({image.name: [list(map(float, image.project_point(point))) for point in points]
                  for image in model.images.values()}))
"""
    command = [sys.executable, "-c", program, str(folder), str(tmp_path / "points.npy")]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    require_true({int(name[:4]): np.array(pixels) - 0.5 for name, pixels in told.items()})
    for name in told:
        assert (folder / "images" / name).exists()
        assert (folder / "masks" / f"{name}.png").exists()


def test_nerfstudio_reads_opengl_cameras(store, tmp_path):
    folder = export(store, Program.NERFSTUDIO, tmp_path / "n")
    told = json.loads((folder / "transforms.json").read_text())
    seen: Seen = {}
    for frame in told["frames"]:
        world_from_camera = np.array(frame["transform_matrix"])
        camera = (object_points_mm() - world_from_camera[:3, 3]) @ world_from_camera[:3, :3]
        rays = np.stack([camera[:, 0], -camera[:, 1]], axis=1) / -camera[:, 2:]
        bent = brown(rays, [told["k1"], told["k2"], told["k3"]], told["p1"], told["p2"])
        pixels = bent * [told["fl_x"], told["fl_y"]] + [told["cx"], told["cy"]]
        seen[int(Path(frame["file_path"]).stem)] = pixels - 0.5
        assert (folder / frame["file_path"]).exists()
        assert cv2.imread(str(folder / frame["mask_path"]), cv2.IMREAD_GRAYSCALE).shape == (told["h"], told["w"])
    require_true(seen)


def test_realitycapture_reads_its_xmp(store, tmp_path):
    folder = export(store, Program.REALITYCAPTURE, tmp_path / "r")
    seen: Seen = {}
    for file in sorted((folder / "images").glob("*.xmp")):
        assert file.with_suffix(".jpg").exists()
        assert file.with_suffix(".jpg.mask.png").exists()
        (told,) = ET.parse(file).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
        xcr = "{http://www.capturingreality.com/ns/xcr/1.1#}"
        rotation = _numbers(told.findtext(f"{xcr}Rotation")).reshape(3, 3)
        points = (object_points_mm() - _numbers(told.findtext(f"{xcr}Position"))) @ rotation.T
        k1, k2, k3, k4, t1, t2 = _numbers(told.findtext(f"{xcr}DistortionCoeficients"))
        assert k4 == 0
        assert told.attrib[f"{xcr}DistortionModel"] == "brown3t2"
        assert told.attrib[f"{xcr}CalibrationPrior"] == "exact"
        longer = max(WIDTH_PX, HEIGHT_PX)
        # Its tangential terms are named the other way round.
        bent = brown(points[:, :2] / points[:, 2:], [k1, k2, k3], t2, t1)
        principal = np.array([float(told.attrib[f"{xcr}PrincipalPoint{axis}"]) for axis in "UV"])
        corner = (bent * float(told.attrib[f"{xcr}FocalLength35mm"]) / 36 + principal) * longer
        seen[int(file.stem)] = corner + np.array([WIDTH_PX, HEIGHT_PX]) / 2 - 0.5
    require_true(seen)


def _numbers(text: str | None) -> np.ndarray:
    return np.array([float(value) for value in (text or "").split()])


def test_masks_have_the_photos_size_and_lie_on_the_object(store, tmp_path):
    folder = export(store, Program.MESHROOM, tmp_path / "masks")
    mask = cv2.imread(str(folder / "masks/0005.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (HEIGHT_PX, WIDTH_PX)
    assert set(np.unique(mask)) == {0, 255}
    axis = np.array([[0.0, 0.0, 50.0]])
    x, y = true_lens().project(TURN.true_pose(5).apply(axis))[0]
    assert mask[round(y), round(x)] == 255
    assert mask[20, 20] == 0


def test_photos_are_linked_not_copied(store, tmp_path):
    folder = export(store, Program.MESHROOM, tmp_path / "linked")
    assert (folder / "images/0000.jpg").samefile(store.layout.scan(SCAN_ID).frame(0))


def test_a_folder_that_holds_something_is_not_written_to(store, tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(ExportFault, match="is not empty; name a new folder"):
        export(store, Program.COLMAP, tmp_path)


def test_a_scan_without_a_mat_goes_without_poses_where_that_is_of_use(tmp_path):
    store = taken_scan(tmp_path / "store", [TURN], mat=None)
    for program in (Program.MESHROOM, Program.COLMAP, Program.REALITYCAPTURE):
        folder = export(store, program, tmp_path / program.value)
        assert "Without poses: scan barrel: was taken without a mat" in (folder / "README.txt").read_text()
        assert len(list((folder / "images").glob("*.jpg"))) == TURN.views
    scene = json.loads((tmp_path / "meshroom/scene.sfm").read_text())
    assert "poses" not in scene
    assert scene["intrinsics"][0]["locked"] == "false"
    with pytest.raises(ExportFault, match=r"was taken without a mat.*nerfstudio needs poses"):
        exported(photo_set(store, SCAN_ID), Program.NERFSTUDIO)


def test_a_scan_that_is_not_sealed_has_the_poses_of_what_was_taken(tmp_path):
    store = taken_scan(tmp_path, [TURN], seal=False)
    assert len(photo_set(store, SCAN_ID).posed) == TURN.views


def test_the_other_side_comes_without_poses_since_the_object_lies_elsewhere(tmp_path):
    store = taken_scan(tmp_path, [TURN, BenchTurn(views=12, side=1)])
    photos = photo_set(store, SCAN_ID)
    assert len(photos.photos) == 24
    assert [photo.index for photo in photos.posed] == list(range(12))


def test_stored_intrinsics_are_passed_on(tmp_path):
    known = true_lens().intrinsics()
    store = taken_scan(tmp_path, [TURN], intrinsics=known)
    (camera,) = photo_set(store, SCAN_ID).cameras
    assert camera.lens == Lens.of(known)


def test_a_scan_that_is_not_there_is_named(store):
    with pytest.raises(ScanUnknown, match="scan cup: not in"):
        photo_set(store, "cup")

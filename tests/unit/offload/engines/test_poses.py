import json
from pathlib import Path

import numpy as np
import pytest

from offload.engines.poses import Poses, posed_image, read_poses, write_poses
from offload.engines.protocol import BadInput
from offload.engines.turntable.upright import level, to_gltf, up_of_cameras

K = np.array([[1000.0, 0, 319.5], [0, 1000, 239.5], [0, 0, 1]])


def rotation(seed: int) -> np.ndarray:
    matrix, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return matrix * np.sign(np.linalg.det(matrix))


def some_poses() -> Poses:
    images = tuple(
        posed_image(f"{index}.png", K, rotation(index), np.array([0.1 * index, 0, 1]), np.full(5, 0.01))
        for index in range(4)
    )
    return Poses(units="m", images=images, bounds=((-1, -1, -1), (1, 1, 1)), up=(0, 1, 0))


def test_round_trip(tmp_path: Path) -> None:
    write_poses(tmp_path / "poses.json", some_poses())
    assert read_poses(tmp_path / "poses.json", tmp_path) == some_poses()


def as_json(change: dict) -> str:
    return json.dumps(json.loads(some_poses().model_dump_json(exclude_none=True)) | change)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "JSON"),
        ("", "neither JSON nor"),
        ("3\nonly three fields", r"line 2"),
        ("hello", "neither JSON nor"),
        (as_json({"format": "other/2"}), "format"),
        (as_json({"colour": 1}), "colour"),
        (as_json({"images": []}), "at least 3"),
        (as_json({"bounds": [[0, 0, 0], [0, 1, 1]]}), "bounds"),
    ],
)
def test_a_wrong_file_is_told_once_and_clearly(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "poses.json").write_text(text)
    with pytest.raises(BadInput, match=said) as caught:
        read_poses(tmp_path / "poses.json", tmp_path)
    assert str(tmp_path / "poses.json") in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("R", (np.eye(3) * 1.1).tolist(), "no rotation"),
        ("R", np.diag([1, 1, -1]).tolist(), "no rotation"),
        ("K", [[0, 0, 1], [0, 1, 1], [0, 0, 1]], "positive fx"),
        ("K", [[9, 0, float("nan")], [0, 9, 1], [0, 0, 1]], "finite"),
        ("t", [0, 0, float("inf")], "finite"),
        ("file", "../secret.png", "leaves the folder"),
        ("file", "1.png", "named twice"),
    ],
)
def test_a_wrong_image_is_told(tmp_path: Path, key: str, value: object, said: str) -> None:
    whole = json.loads(as_json({}))
    whole["images"][0][key] = value
    (tmp_path / "poses.json").write_text(json.dumps(whole))
    with pytest.raises(BadInput, match=said):
        read_poses(tmp_path / "poses.json", tmp_path)


def test_middlebury_is_read_and_what_is_not_there_is_passed_over(tmp_path: Path) -> None:
    lines = ["5"]
    for index in range(5):
        numbers = [*K.ravel(), *rotation(index).ravel(), 0.0, 0.0, 0.65]
        lines.append(f"im{index}.png " + " ".join(f"{number:.17g}" for number in numbers))
        if index != 3:
            (tmp_path / f"im{index}.png").touch()
    (tmp_path / "some_par.txt").write_text("\n".join(lines) + "\n")
    poses = read_poses(tmp_path / "some_par.txt", tmp_path)
    assert [image.file for image in poses.images] == ["im0.png", "im1.png", "im2.png", "im4.png"]
    assert poses.passed_over == 1
    assert poses.units == "m"
    assert np.array(poses.images[3].R) == pytest.approx(rotation(4))


def test_up_of_a_ring_is_its_axis_on_the_cameras_side() -> None:
    axis = np.array([0.0, 1.0, 0.0])
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    centres = np.stack([np.cos(angles), np.full(12, 0.6), np.sin(angles)], axis=1)
    sideways = np.stack([rotation(seed) for seed in range(12)])
    assert up_of_cameras(centres, sideways, np.zeros(3)) == pytest.approx(axis, abs=1e-6)


@pytest.mark.parametrize("up", [(0, 0, 1), (0, 1, 0), (1, 0, 0), (0, -1, 0), (0.6, 0, 0.8)])
def test_gltf_stands_upright_in_metres(up: tuple[float, float, float]) -> None:
    matrix = to_gltf(np.array(up, float), 1e-3)
    assert matrix[:3, :3] @ np.array(up) == pytest.approx([0, 1e-3, 0], abs=1e-12)
    assert np.linalg.det(matrix[:3, :3] * 1e3) == pytest.approx(1.0), "no mirror image"
    right, ahead = level(np.array(up, float))
    assert np.cross(right, ahead) == pytest.approx(up)


def test_mat_frame_in_gltf_is_x_z_minus_y() -> None:
    assert to_gltf(np.array([0, 0, 1.0]), 1.0)[:3, :3] @ [1, 2, 3] == pytest.approx([1, 3, -2])

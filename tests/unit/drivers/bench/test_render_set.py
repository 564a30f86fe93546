"""A rendered set is a scan with its truth beside it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

from drivers.bench.render_set import main


def test_a_set_holds_photos_truth_and_an_empty_table(tmp_path: Path) -> None:
    trimesh.creation.icosphere(3, 1.0).export(tmp_path / "ball.stl")
    out = tmp_path / "set"
    assert main(["--object", str(tmp_path / "ball.stl"), "--views", "4", "--size", "320x240", "--out", str(out)]) == 0
    known = json.loads((out / "set.json").read_text())
    truth = json.loads((out / "truth.json").read_text())
    assert [frame["angle_deg"] for frame in known["frames"]] == [0, 90, 180, 270]
    for index, (frame, true) in enumerate(zip(known["frames"], truth["frames"], strict=True)):
        photo = cv2.imread(str(out / frame["name"]))
        assert photo is not None
        assert photo.shape == (240, 320, 3)
        assert 0 < abs(true["angle_deg"] - frame["angle_deg"]) < 0.2
        centre = np.array(true["K"]) @ (np.array(true["R"]) @ [0, 0, 75] + true["t"])
        mask = cv2.imread(str(out / f"masks/{index:04d}.png"), cv2.IMREAD_GRAYSCALE)
        assert mask is not None
        rows, columns = np.nonzero(mask)
        assert (columns.mean(), rows.mean()) == pytest.approx(tuple(centre[:2] / centre[2]), abs=2)
    assert known["camera"]["pixel_pitch_um"] == pytest.approx(9.0 / (2290.4 * 320 / 1600) * 1000, rel=1e-4)
    assert np.ptp(trimesh.load(out / "truth.ply").vertices[:, 2]) == pytest.approx(150, abs=1e-3)
    assert (out / known["background"]).is_file()


def test_two_cameras_take_a_photo_each_at_every_stop(tmp_path: Path) -> None:
    trimesh.creation.icosphere(3, 1.0).export(tmp_path / "ball.stl")
    out = tmp_path / "set"
    arguments = ["--object", str(tmp_path / "ball.stl"), "--views", "3", "--size", "320x240", "--out", str(out)]
    assert main([*arguments, "--cameras", "2", "--elevation", "25", "50"]) == 0
    known, truth = (json.loads((out / name).read_text()) for name in ("set.json", "truth.json"))
    assert [(frame["camera"], frame["ring"]) for frame in known["frames"]] == [(0, 0)] * 3 + [(1, 0)] * 3
    (other,) = known["cameras"]
    photos = [cv2.imread(str(out / name)) for name in ("frames/0003.jpg", other["background"])]
    assert {photo.shape for photo in photos if photo is not None} == {(192, 256, 3)}
    for stop in range(3):
        first, second = truth["frames"][stop], truth["frames"][3 + stop]
        assert first["angle_deg"] == second["angle_deg"], "one platter"
        assert first["K"] != second["K"]


def test_cameras_without_a_place_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--object", "default", "--cameras", "3", "--elevation", "30", "--out", str(tmp_path / "set")]) == 1
    assert "3 cameras at 1 elevations" in capsys.readouterr().err


def test_a_bad_mesh_is_one_message_and_a_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--object", str(tmp_path / "none.obj"), "--out", str(tmp_path / "set")]) == 1
    assert "none.obj: there is no such file" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_a_bad_size_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--object", "default", "--size", "big", "--out", str(tmp_path)])
    assert "'big' is not a size" in capsys.readouterr().err

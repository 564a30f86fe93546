"""The whole command on the bench: a board in a hand, a lens on the disk, and the truth."""

from pathlib import Path

import pytest
from board_poses import held, placed

from drivers.bench.hand_held_board import HandHeldBoard, Pose
from drivers.bench.install import install_bench
from drivers.bench.mat_picture import charuco_mat
from drivers.bench.scene import SceneCamera
from offload.wire.bundle import Intrinsics, MatSpec
from scannerd.calibration.command import calibrate
from scannerd.calibration.lens_fit import LensUnknown
from scannerd.calibration.stored_lens import LensReport
from scannerd.settings.file import parse_config

WIDTH_PX, HEIGHT_PX = 800, 600
BOARD = MatSpec(columns=9, rows=7, square_mm=24.0, marker_mm=18.0)
PICTURE = charuco_mat(9, 7, 24.0, 18.0, pixels_per_mm=4.0)
SETTINGS = f"""
[camera]
driver = "DRIVER"
metering = "configured"
width_px = {WIDTH_PX}
height_px = {HEIGHT_PX}
"""


def poses() -> list[Pose]:
    return [placed(turn, at_mm) for turn, at_mm in held()]


@pytest.mark.slow
@pytest.mark.parametrize("driver", ["picamera2", "v4l2"])
async def test_the_lens_of_the_bench_is_found(
    tmp_path: Path, driver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config, truth = parse_config(SETTINGS.replace("DRIVER", driver)), SceneCamera()
    with install_bench(HandHeldBoard(PICTURE, truth, poses()), speed=5) as bench:
        file = await calibrate(config, BOARD, 60.0, tmp_path / "lenses", bench.clock)
    lens = Intrinsics.model_validate_json(file.read_bytes())
    K = truth.matrix_px(WIDTH_PX, HEIGHT_PX)
    assert (lens.fx_px, lens.fy_px) == pytest.approx((K[0, 0], K[1, 1]), rel=3e-3)
    assert (lens.cx_px, lens.cy_px) == pytest.approx((K[0, 2], K[1, 2]), abs=2.5)
    report = LensReport.model_validate_json(file.with_suffix(".report.json").read_bytes())
    assert report.reprojection_rms_px < 0.3
    assert report.views_used >= 12
    said = capsys.readouterr().err
    assert "hold the board at the top left of the photo" in said
    assert f"over {report.corners_used} corners" in said
    with_lens = SETTINGS.replace("DRIVER", driver) + f'[intrinsics]\nfile = "{file}"\n'
    assert parse_config(with_lens).intrinsics.file == file, "what was stored is what [intrinsics] reads"


async def test_a_board_that_only_faces_the_camera_is_not_enough(tmp_path: Path) -> None:
    config = parse_config(SETTINGS.replace("DRIVER", "picamera2"))
    still = [placed((0.0, 0.0, 0.0), (0.0, 0.0, 620.0))]
    with (
        install_bench(HandHeldBoard(PICTURE, SceneCamera(), still), speed=20) as bench,
        pytest.raises(LensUnknown, match=r"1 views, and nothing new for 5 s; still wanted: the board at the top"),
    ):
        await calibrate(config, BOARD, 5.0, tmp_path / "lenses", bench.clock)
    assert not (tmp_path / "lenses").exists()

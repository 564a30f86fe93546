import cv2
import numpy as np
import pytest

from offload.engines.turntable.mat import MIN_CORNERS, Mat
from offload.wire.bundle import MatSpec

SPEC = MatSpec(columns=9, rows=7, square_mm=20, marker_mm=15)
SIZE_PX = (1000, 800)


def photo_of(mat: Mat, homography: np.ndarray) -> np.ndarray:
    """The mat as a photo shows it; `homography` takes mat millimetres to pixels."""
    picture = mat.picture(8.0)
    to_photo = homography @ mat.from_picture(8.0)
    large = cv2.warpPerspective(
        picture, np.diag([2.0, 2, 1]) @ shifted(0.5) @ to_photo, (2000, 1600), flags=cv2.INTER_AREA, borderValue=128
    )
    return cv2.resize(large, SIZE_PX, interpolation=cv2.INTER_AREA)


def shifted(by: float) -> np.ndarray:
    """Doubling a picture keeps its edges where they are, so centres move: u2 = 2 (u + 0.5) - 0.5."""
    return np.array([[1, 0, by / 2], [0, 1, by / 2], [0, 0, 1]])


def slanted() -> np.ndarray:
    corners_mm = np.array([[-90, -70], [90, -70], [90, 70], [-90, 70]], np.float32)
    corners_px = np.array([[120, 700], [900, 650], [720, 180], [260, 210]], np.float32)
    return cv2.getPerspectiveTransform(corners_mm, corners_px)


def test_corners_are_found_where_the_homography_puts_them() -> None:
    mat = Mat(SPEC)
    seen = mat.detect(photo_of(mat, slanted()))
    assert len(seen) == (SPEC.columns - 1) * (SPEC.rows - 1)
    assert seen.usable
    expected = cv2.perspectiveTransform(seen.points_mm[None], slanted())[0]
    assert np.linalg.norm(seen.pixels - expected, axis=1).max() < 0.4
    assert np.median(np.linalg.norm(seen.pixels - expected, axis=1)) < 0.1


def test_mat_frame_is_centred_with_y_up() -> None:
    corners = Mat(SPEC).corners_mm
    assert corners.mean(axis=0) == pytest.approx([0, 0])
    assert corners[0] == pytest.approx([-70, 50]), "the first corner is at the upper left"


def test_half_covered_mat_gives_the_other_half() -> None:
    mat = Mat(SPEC)
    photo = photo_of(mat, slanted())
    photo[:, 500:] = 90
    seen = mat.detect(photo)
    assert MIN_CORNERS <= len(seen) <= 30
    assert seen.usable


def test_a_marker_that_the_object_shows_once_more_does_not_hide_the_mat() -> None:
    mat = Mat(SPEC)
    photo = photo_of(mat, slanted())
    likeness = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_250), 9, 54)
    photo[40:130, 40:130] = 255
    photo[58:112, 58:112] = likeness
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mat, "in_spite_of_likenesses", lambda grey: None)
        assert len(mat.detect(photo)) == 0, "OpenCV has learnt to cope: the forgiving reading can go"
    seen = mat.detect(photo)
    assert seen.usable
    assert len(seen) > 40
    expected = cv2.perspectiveTransform(seen.points_mm[None], slanted())[0]
    assert np.linalg.norm(seen.pixels - expected, axis=1).max() < 1.0


def test_nothing_there_is_said_clearly() -> None:
    seen = Mat(SPEC).detect(np.full((400, 500), 127, np.uint8))
    assert len(seen) == 0
    assert not seen.usable


def test_a_single_row_fixes_no_plane() -> None:
    mat = Mat(MatSpec(columns=20, rows=9, square_mm=10, marker_mm=7))
    row = mat.corners_mm[np.abs(mat.corners_mm[:, 1] - mat.corners_mm[0, 1]) < 1]
    assert len(row) >= MIN_CORNERS
    assert not mat._usable(row)

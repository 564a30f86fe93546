import cv2
import numpy as np
import pytest

from offload.wire.bundle import MatSpec
from scannerd.quality.mat_reading import MatReader

MAT = MatSpec(columns=9, rows=9, square_mm=18.0, marker_mm=13.5)
SCALE = 4.0
MARGIN_PX = 160


def photo_of(reader: MatReader) -> np.ndarray:
    """The mat from above on grey, with room around it."""
    mat = reader.picture(SCALE)
    photo = np.full((mat.shape[0] + 2 * MARGIN_PX, mat.shape[1] + 2 * MARGIN_PX), 200, np.uint8)
    photo[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX] = mat
    return cv2.GaussianBlur(photo, (0, 0), 1.0)


def test_every_corner_is_read_where_it_is():
    reader = MatReader(MAT)
    photo = photo_of(reader)
    reading = reader.read(photo, photo)
    assert reading is not None
    assert len(reading.numbers) == 64
    expected = (reader.corners_mm[reading.numbers] * [1, -1] + 81) * SCALE + MARGIN_PX - 0.5
    assert np.abs(reading.pixels - expected).max() < 0.3


def test_a_likeness_of_a_marker_on_the_object_does_not_hide_the_mat():
    reader = MatReader(MAT)
    photo = photo_of(reader)
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_250)
    likeness = cv2.aruco.generateImageMarker(dictionary, 5, 54)
    photo[40:130, 40:130] = 255
    photo[58:112, 58:112] = likeness
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "in_spite_of_likenesses", lambda photo: None)
        assert reader.read(photo, photo) is None, "OpenCV has learnt to cope: the forgiving reading can go"
    reading = reader.read(photo, photo)
    assert reading is not None
    assert len(reading.numbers) > 50
    expected = (reader.corners_mm[reading.numbers] * [1, -1] + 81) * SCALE + MARGIN_PX - 0.5
    assert np.abs(reading.pixels - expected).max() < 1.0


def test_nothing_is_read_where_there_is_no_mat():
    reader = MatReader(MAT)
    assert reader.read(np.full((600, 800), 128, np.uint8), np.full((300, 400), 128, np.uint8)) is None

"""Angles and heights of photos that nobody wrote down, read off the mat."""

import cv2
import numpy as np
import pytest
from mat_photos import WIDTH_PX, mat_photo

from offload.geometry.mat_board import MatBoard
from offload.geometry.mat_turn import MatReader, place_photos
from offload.wire.reconstruct import DEFAULT_MAT

GUESS_PX = 1.2 * WIDTH_PX


@pytest.fixture(scope="module")
def read():
    reader = MatReader(MatBoard(DEFAULT_MAT))

    def one(*place, **how):
        photo = np.frombuffer(mat_photo(*place, **how), np.uint8)
        return reader.pose(cv2.imdecode(photo, cv2.IMREAD_GRAYSCALE), GUESS_PX)

    return one


def test_angles_come_from_the_mat_though_the_lens_is_a_guess(read):
    angles_deg = np.array([20, 75, 131, 190, 262, 341])
    placed = place_photos([read(angle_deg) for angle_deg in angles_deg])
    turned = np.array([place.angle_deg for place in placed])
    error = (turned - (angles_deg - angles_deg[0]) + 180) % 360 - 180
    assert np.abs(error).max() < 2
    assert {place.ring for place in placed} == {0}


def test_turns_at_two_heights_are_told_apart(read):
    placed = place_photos([read(angle_deg, height) for height in (55.0, 30.0) for angle_deg in (0, 90, 180, 270)])
    assert [place.ring for place in placed] == [1] * 4 + [0] * 4


def test_a_photo_without_the_mat_stands_between_its_neighbours(read):
    poses = [read(0), read(40), read(80, covered=True), read(120), read(160)]
    assert poses[2] is None
    assert place_photos(poses)[2].angle_deg == pytest.approx(80, abs=3)

"""The usual look of a room before which something turns."""

import numpy as np
from numpy.typing import NDArray

from scannerd.quality.usual_look import UsualLook

EVERYWHERE = np.full((20, 30), 255, np.uint8)
ROOM = np.full((20, 30, 3), (90, 120, 130), np.uint8)


def _with_visitor(column: int) -> NDArray[np.uint8]:
    picture = ROOM + np.random.default_rng(column).integers(0, 4, ROOM.shape).astype(np.uint8)
    picture[:, column : column + 6] = (200, 100, 160)
    return picture


def test_what_passes_by_is_not_the_usual_look() -> None:
    look = UsualLook((20, 30))
    for column in (0, 4, 8, 12, 16, 20, 24):
        look.learn(_with_visitor(column), EVERYWHERE)
    assert look.known().all()
    assert np.abs(look.picture.astype(int) - ROOM).max() <= 4


def test_a_thousand_pictures_take_no_more_memory_than_ten_and_change_can_still_be_learnt() -> None:
    look, other = UsualLook((20, 30)), np.full((20, 30, 3), (30, 128, 128), np.uint8)
    for _ in range(1000):
        look.learn(ROOM, EVERYWHERE)
    assert look.known().all()
    for _ in range(400):
        look.learn(other, EVERYWHERE)
    assert (look.picture == other).all()


def test_where_nothing_was_counted_nothing_is_known() -> None:
    look, half = UsualLook((20, 30)), EVERYWHERE.copy()
    half[:, :10] = 0
    for _ in range(5):
        look.learn(ROOM, half)
    assert not look.known()[:, :10].any()
    assert look.known()[:, 10:].all()

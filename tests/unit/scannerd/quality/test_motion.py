"""Pictures that moved by known amounts, with the noise of a sensor."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from scannerd.quality.motion import MotionMeter, middle_tiles, shrunk, tile_shares

WIDTH_PX, HEIGHT_PX = 1014, 760
NOISE = 2.0


def surface(seed: int = 1, grain_px: float = 5.0) -> NDArray[np.float32]:
    """A painted surface, finer than a real object's."""
    rng = np.random.default_rng(seed)
    paint = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT_PX, WIDTH_PX)).astype(np.float32), (0, 0), grain_px)
    return np.asarray(paint / paint.std() * 35 + 120, np.float32)


def seen(paint: NDArray[np.float32], x_px: float, y_px: float = 0.0, seed: int = 0) -> NDArray[np.uint8]:
    """The middle of the picture moved; its upper border, the wall behind the table, stands still."""
    moved = cv2.warpAffine(
        paint, np.array([[1, 0, x_px], [0, 1, y_px]], np.float32), (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_CUBIC
    )
    moved[:170] = paint[:170]
    noisy = moved + np.random.default_rng(seed).normal(0, NOISE, moved.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def measured(x_px: float, y_px: float = 0.0) -> float | None:
    before, after = shrunk(seen(surface(), 0)), shrunk(seen(surface(), x_px, y_px, seed=1))
    return MotionMeter().moved_px(before, after, middle_tiles(before))


@pytest.mark.parametrize("x_px", [0.1, 0.25, 0.5, 1.0])
def test_small_motions_are_measured_and_never_taken_for_smaller(x_px: float) -> None:
    assert 0.95 * x_px < (measured(x_px) or 0.0) < 1.6 * x_px


def test_both_directions_count() -> None:
    assert measured(0.3, -0.4) == pytest.approx(0.5, rel=0.35)


def test_a_picture_that_stands_still_moves_by_less_than_a_fiftieth_of_a_pixel() -> None:
    assert (measured(0.0) or 0.0) < 0.02


@pytest.mark.parametrize("x_px", [12.0, 30.0, 150.0])
def test_motion_beyond_the_law_is_never_taken_for_rest(x_px: float) -> None:
    assert (measured(x_px) or 0.0) > 2.0


def test_another_picture_altogether_is_never_taken_for_rest() -> None:
    before, after = shrunk(seen(surface(1), 0)), shrunk(seen(surface(2), 0))
    after.grey[:80] = before.grey[:80]
    assert (MotionMeter().moved_px(before, after, middle_tiles(before)) or 0.0) > 2.0


def test_a_plain_scene_says_nothing() -> None:
    plain = shrunk(np.full((HEIGHT_PX, WIDTH_PX), 90, np.uint8))
    assert MotionMeter().moved_px(plain, plain, middle_tiles(plain)) is None


def test_only_the_masked_part_counts() -> None:
    before, after = shrunk(seen(surface(), 0)), shrunk(seen(surface(), 1.0))
    wall = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    wall[:140] = 255
    assert (MotionMeter().moved_px(before, after, tile_shares(wall, before)) or 0.0) < 0.02

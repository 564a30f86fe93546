import numpy as np
import pytest

from drivers.bench.album.film import grain, lit
from drivers.bench.picture.textures import linear_to_srgb
from drivers.bench.scene import Exposure
from drivers.picture import Planes


def flat(level: int) -> Planes:
    return Planes.from_rgb(np.full((48, 64, 3), level, np.uint8))


def level_of(light: float) -> int:
    return round(float(linear_to_srgb(np.array([light], np.float32))[0]) * 255)


def test_half_the_exposure_is_half_the_light():
    dimmed = lit(flat(level_of(0.5)), Exposure(64, 48, (0.0,), exposure_us=10_000))
    assert dimmed.y.mean() == pytest.approx(level_of(0.25), abs=1.5)


def test_the_nominal_exposure_changes_nothing():
    picture = flat(100)
    assert lit(picture, Exposure(64, 48, (0.0,))) is picture


def test_more_red_gain_makes_grey_red():
    red, green, blue = lit(flat(120), Exposure(64, 48, (0.0,), colour_gains=(2.5, 1.9))).rgb()[20, 20].astype(int)
    assert red > green + 5
    assert abs(green - blue) <= 2


@pytest.mark.parametrize("level", [0, 3, 120, 254, 255])
def test_noise_moves_no_mean_and_wraps_nowhere(level: int):
    plane = np.full((480, 640), level, np.uint8)
    noisy = grain(plane, 4056, 1.0, seed=1)
    assert np.abs(noisy.astype(int) - level).max() < 15
    assert noisy.mean() == pytest.approx(level, abs=0.05 if 20 < level < 235 else 1.5)


def test_every_frame_has_noise_of_its_own_and_gain_makes_it_louder():
    plane = np.full((480, 640), 120, np.uint8)
    assert not np.array_equal(grain(plane, 4056, 1.0, seed=1), grain(plane, 4056, 1.0, seed=2))
    assert grain(plane, 4056, 4.0, seed=1).std() == pytest.approx(2 * grain(plane, 4056, 1.0, seed=1).std(), rel=0.1)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.camera_exposure import BURNT_LEVEL, HIGHLIGHT_LEVEL, LARGEST_STEP, exposure_factor, highlight_level
from drivers.picture import Planes
from drivers.protocols import Window

WHOLE, MIDDLE = Window(0, 0, 1, 1), Window(0.25, 0.25, 0.5, 0.5)


def grey(level: int, around: int | None = None) -> Planes:
    pixels = np.full((80, 120, 3), level if around is None else around, np.uint8)
    pixels[20:60, 30:90] = level
    return Planes.from_rgb(pixels)


@given(st.integers(0, 255), st.integers(0, 255))
def test_only_the_window_counts(level: int, around: int) -> None:
    assert highlight_level(grey(level, around), MIDDLE) == pytest.approx(level, abs=2)


def test_one_channel_that_burns_is_burnt() -> None:
    pixels = np.full((80, 120, 3), 60, np.uint8)
    pixels[..., 0] = 255
    assert highlight_level(Planes.from_rgb(pixels), WHOLE) >= BURNT_LEVEL


def test_a_glint_does_not_count_and_a_bright_patch_does() -> None:
    picture = grey(100)
    picture.y[:4, :10] = 255
    assert highlight_level(picture, WHOLE) < 110
    picture.y[:10, :20] = 255
    assert highlight_level(picture, WHOLE) > BURNT_LEVEL


@given(st.integers(0, 255))
def test_the_factor_leads_to_the_wanted_level_and_never_far(level: int) -> None:
    factor = exposure_factor(grey(level), WHOLE)
    assert 1 / LARGEST_STEP <= factor <= LARGEST_STEP
    assert (factor > 1) == (level < HIGHLIGHT_LEVEL - 6)
    assert (factor < 1) == (level > HIGHLIGHT_LEVEL + 6)


@pytest.mark.parametrize("window", [Window(0, 0, 0, 0), Window(0.999, 0.999, 0.5, 0.5), Window(0, 0, 1, 1)])
def test_a_window_is_never_empty(window: Window) -> None:
    assert highlight_level(grey(100), window) == pytest.approx(100, abs=2)

"""Edge width against edges whose width is known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scannerd.quality.edges import WIDEST_PX, edge_width_px


def a_step(sigma_px: float, contrast: float = 150.0, noise: float = 0.0) -> NDArray[np.uint8]:
    """Return a photo of one vertical edge, blurred by sigma."""
    grey = np.full((300, 400), 40, np.float32)
    grey[:, 200:] += contrast
    grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma_px), np.float32)
    grey += np.random.default_rng(0).normal(0, noise, grey.shape).astype(np.float32)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)[:, :, None].repeat(3, axis=2)


@pytest.mark.parametrize("sigma_px", [1.0, 1.5, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("contrast", [60.0, 150.0])
def test_the_width_of_an_edge_is_measured_whatever_its_contrast(sigma_px: float, contrast: float) -> None:
    # 0.3 px more: a pixel itself is as wide as that.
    assert edge_width_px(a_step(sigma_px, contrast)) == pytest.approx(sigma_px, abs=0.35)


@settings(deadline=None)
@given(st.floats(0.7, 4.0), st.floats(1.3, 3.0), st.floats(0.0, 2.0))
def test_more_blur_is_never_sharper(sigma_px: float, factor: float, noise: float) -> None:
    assert edge_width_px(a_step(sigma_px * factor, noise=noise)) > edge_width_px(a_step(sigma_px, noise=noise))


def test_a_photo_of_nothing_has_the_widest_edges() -> None:
    assert edge_width_px(np.full((200, 200, 3), 128, np.uint8)) == WIDEST_PX

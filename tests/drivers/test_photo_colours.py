"""A colour chart before the lens, judged in the JPEG that leaves the device."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from colour_chart import COLOURS_RGB, colour_chart, patches
from numpy.typing import NDArray
from PIL import Image

from drivers.bench.install import install_bench
from drivers.options import Picamera2Options
from drivers.picture import Planes
from drivers.registry import camera_driver
from scannerd.store.photo import encode_planes, thumbnail_jpeg

WITHIN_LEVELS = 3


def opened_by_others(jpeg: bytes) -> list[NDArray[np.uint8]]:
    """Return the picture as OpenCV and as Pillow read it, RGB."""
    by_opencv = cv2.cvtColor(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return [np.asarray(by_opencv, np.uint8), np.asarray(Image.open(BytesIO(jpeg)).convert("RGB"))]


@pytest.mark.parametrize(("width_px", "small_px"), [(1200, (600, 450)), (1204, (602, 450)), (2040, (510, 224))])
async def test_the_colours_of_the_chart_are_those_of_the_jpeg(width_px: int, small_px: tuple[int, int]) -> None:
    with install_bench(colour_chart):
        camera = camera_driver("picamera2")(Picamera2Options(width_px, 900, focal_length_mm=9.0))
        await camera.open()
        frame = await camera.capture()
        glimpse = await camera.glimpse()
        description = camera.description
        await camera.close()
    assert (frame.small.width_px, frame.small.height_px) == small_px
    assert (description.small_width_px, description.small_height_px) == small_px
    jpegs = [encode_planes(frame.photo, 92), encode_planes(glimpse.picture, 92), thumbnail_jpeg(frame.small)]
    for jpeg in jpegs:
        assert jpeg[:11] == b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
        for pixels in opened_by_others(jpeg):
            np.testing.assert_allclose(patches(pixels), COLOURS_RGB, atol=WITHIN_LEVELS)


def test_planes_of_a_picture_are_the_picture() -> None:
    pixels = cv2.resize(COLOURS_RGB, (600, 400), interpolation=cv2.INTER_NEAREST)
    planes = Planes.from_rgb(np.asarray(pixels, np.uint8))
    np.testing.assert_allclose(patches(planes.rgb()), COLOURS_RGB, atol=WITHIN_LEVELS)
    small = planes.shrunk_to_width(121 * 2)
    assert (small.width_px, small.height_px) == (242, 162)
    np.testing.assert_allclose(patches(small.rgb()), COLOURS_RGB, atol=WITHIN_LEVELS)
    assert small.shrunk_to_width(300) is small

"""What photogrammetry programs read of a photo, judged by another reader than wrote it."""

import io
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from drivers.picture import Planes
from drivers.sensors import SENSORS
from offload.wire.bundle import CameraModel
from scannerd.store.photo import encode_planes, with_exif

EXIF_IFD = 0x8769


@pytest.mark.parametrize(
    ("sensor", "lens_mm", "film_mm"),
    [("ov5647", 3.6, 34), ("imx219", 3.04, 29), ("imx708", 4.74, 28), ("imx708_wide", 2.75, 16), ("imx477", 9.0, 50),
     ("imx296", 6.0, 41), ("imx500", 4.74, 26), ("imx519", 4.28, 26), ("arducam_64mp", 5.1, 24)],
)  # fmt: skip
def test_make_model_and_focal_lengths(sensor: str, lens_mm: float, film_mm: int) -> None:
    facts = SENSORS[sensor]
    width_px, height_px = (side // 16 * 2 for side in facts.full_size_px)
    photo = Planes.from_rgb(np.full((height_px, width_px, 3), 90, np.uint8))
    camera = CameraModel(
        make=facts.make,
        model=facts.model,
        focal_length_mm=facts.focal_length_mm or lens_mm,
        pixel_pitch_um=facts.sensor_width_mm / width_px * 1000,
    )
    jpeg = with_exif(encode_planes(photo, 90), camera, 20_000, 2.0, datetime.now(UTC), "scannerd")
    exif = Image.open(io.BytesIO(jpeg)).getexif()
    told = exif.get_ifd(EXIF_IFD)
    assert (exif[0x010F], exif[0x0110]) == (facts.make, facts.model)
    assert float(told[0x920A]) == pytest.approx(lens_mm)
    assert told[0xA405] == pytest.approx(film_mm, abs=1)
    assert (float(told[0x829A]), told[0x8827]) == (0.02, 200)

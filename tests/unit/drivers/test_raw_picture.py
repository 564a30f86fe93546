"""Bytes as MIPI CSI-2 and the kernel's pixfmt-srggb… pages lay them out, written here by hand."""

import numpy as np
import pytest

from drivers.raw_picture import BAND_ROWS, MosaicFormat, RawFormatUnknown, RawMosaic, black_levels_of


@pytest.mark.parametrize(
    ("name", "data", "levels"),
    [
        ("SRGGB12_CSI2P", [0xAB, 0xCD, 0x21, 0xFF, 0x00, 0x0F], [0xAB1, 0xCD2, 0xFFF, 0x000]),
        ("SBGGR10_CSI2P", [0xFF, 0x01, 0x80, 0x00, 0b11_10_01_00], [0x3FC, 0x005, 0x202, 0x003]),
        ("SRGGB12", [0xB1, 0x0A, 0xFF, 0x0F], [0xAB1, 0xFFF]),
        ("SGBRG16", [0x34, 0x12, 0xFF, 0xFF], [0x1234, 0xFFFF]),
    ],
)
def test_levels_are_found_where_the_format_puts_them(name: str, data: list[int], levels: list[int]) -> None:
    rows = np.array([[*data, 0xEE, 0xEE]] * 2, np.uint8)
    unpacked = MosaicFormat.named(name).unpacked(rows, len(levels))
    assert unpacked.dtype == np.uint16
    np.testing.assert_array_equal(unpacked, [levels] * 2)


@pytest.mark.parametrize("name", ["RGGB_PISP_COMP1", "SRGGB8", "R10_CSI2P", "SRGGB16_CSI2P", "YUV420"])
def test_what_cannot_be_read_is_refused_by_name(name: str) -> None:
    with pytest.raises(RawFormatUnknown, match=name):
        MosaicFormat.named(name)


@pytest.mark.parametrize(
    ("pattern", "levels"),
    [("RGGB", (1, 2, 3, 4)), ("BGGR", (4, 3, 2, 1)), ("GRBG", (2, 1, 4, 3)), ("GBRG", (3, 4, 1, 2))],
)
def test_each_pixel_of_the_pattern_has_its_own_black(pattern: str, levels: tuple[int, ...]) -> None:
    """R and the green of its row are 1 and 2, the blue row's green and B are 3 and 4."""
    assert black_levels_of(pattern, (1, 2, 3, 4)) == levels


def test_bands_are_the_whole_mosaic() -> None:
    levels = np.random.default_rng(0).integers(0, 4096, (2 * BAND_ROWS + 6, 8), np.uint16)
    form = MosaicFormat.named("SRGGB12")
    rows = levels.astype("<u2").view(np.uint8)
    mosaic = RawMosaic(rows, 8, form, (256, 256, 256, 256), (2, 2), None)
    assert mosaic.white_level == 4095
    np.testing.assert_array_equal(np.concatenate(list(mosaic.bands())), levels)

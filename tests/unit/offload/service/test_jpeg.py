"""The cheap look at a JPEG agrees with a real decoder and is fooled by nothing that is cut short."""

import io

import pytest
from PIL import Image

from offload.service.jpeg import NotAJpeg, jpeg_size_px


def encoded(size_px, **options):
    stream = io.BytesIO()
    Image.linear_gradient("L").resize(size_px).convert("RGB").save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.fixture
def look():
    return lambda content: jpeg_size_px(io.BytesIO(content))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"exif": b"Exif\0\0" + b"x" * 60_000}])
@pytest.mark.parametrize("size_px", [(64, 48), (17, 1031)])
def test_the_size_is_found_behind_any_header(look, options, size_px):
    assert look(encoded(size_px, **options)) == size_px


def test_no_prefix_of_a_photo_passes_for_one(look):
    whole = encoded((64, 48))
    for length in range(len(whole)):
        with pytest.raises(NotAJpeg):
            look(whole[:length])


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xe0\x00\x00\xff\xd9"])
def test_what_is_no_photo_is_refused(look, content):
    with pytest.raises(NotAJpeg):
        look(content)

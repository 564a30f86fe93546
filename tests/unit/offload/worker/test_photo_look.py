"""What a file from a stranger is taken for."""

import io
import struct
import zlib

import pytest
from PIL import ExifTags, Image

from offload.worker.photo_look import NotAPhoto, look_at


@pytest.fixture
def write(tmp_path):
    def one(content):
        path = tmp_path / "photo"
        path.write_bytes(content)
        return path

    return one


def picture(kind="JPEG", size=(120, 80), **how):
    stream = io.BytesIO()
    Image.new("RGB", size, (90, 120, 30)).save(stream, kind, **how)
    return stream.getvalue()


def bomb_png():
    """100,000 x 100,000 pixels in a few bytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def test_a_photo_tells_its_size_and_its_lens(write):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = 27
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLength] = 4.5
    seen = look_at(write(picture(exif=exif)))
    assert (seen.suffix, seen.width_px, seen.height_px, seen.camera.make) == ("jpg", 120, 80, "Maker")
    assert (seen.camera.focal_length_mm, seen.focal_px) == (4.5, pytest.approx(27 / 36 * 120))
    assert look_at(write(picture("PNG"))).focal_px == pytest.approx(1.2 * 120)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "neither a JPEG nor a PNG"),
        (b"<html>not found</html>", "neither a JPEG nor a PNG"),
        (picture("GIF"), "neither a JPEG nor a PNG"),
        (picture("TIFF"), "neither a JPEG nor a PNG"),
        (picture()[:-60], "cannot be decoded to the end"),
        (picture("PNG")[:-30], "cannot be decoded to the end"),
        (picture(size=(20, 20)), "that is no photo"),
        (bomb_png(), "has more than 89000000 pixels"),
    ],
)
def test_what_is_no_whole_photo_is_not_believed(write, content, words):
    with pytest.raises(NotAPhoto, match=words):
        look_at(write(content))

"""A cheap look at a JPEG: its size from the frame header, and whether the file ends where a JPEG ends."""

import os
from typing import BinaryIO

_NO_LENGTH = {0x01, *range(0xD0, 0xD8)}
_FRAME_HEADERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_END = b"\xff\xd9"


class NotAJpeg(ValueError):
    """The file is no complete JPEG; the message says what is wrong with it."""


def jpeg_size_px(stream: BinaryIO) -> tuple[int, int]:
    """Return (width, height) without decoding, from a stream at its beginning. Raises NotAJpeg.

    Walks the marker segments of ITU-T T.81 annex B up to the frame header; the last two bytes must be the end
    marker, which a file cut short lacks.
    """
    if stream.read(2) != b"\xff\xd8":
        raise NotAJpeg("is no JPEG: it does not begin with FF D8")
    size = _walk_to_frame_header(stream)
    stream.seek(-2, os.SEEK_END)
    if stream.read(2) != _END:
        raise NotAJpeg("is cut short: it does not end with the JPEG end marker FF D9")
    return size


def _walk_to_frame_header(stream: BinaryIO) -> tuple[int, int]:
    while True:
        marker = _next_marker(stream)
        if marker in _NO_LENGTH:
            continue
        header = stream.read(2)
        length = int.from_bytes(header, "big")
        if len(header) < 2 or length < 2:
            raise NotAJpeg("has a broken JPEG header")
        if marker in _FRAME_HEADERS:
            frame = stream.read(5)
            if len(frame) < 5:
                raise NotAJpeg("is cut short within its header")
            return int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")
        stream.seek(length - 2, os.SEEK_CUR)


def _next_marker(stream: BinaryIO) -> int:
    if stream.read(1) != b"\xff":
        raise NotAJpeg("has a broken JPEG header")
    byte = stream.read(1)
    while byte == b"\xff":
        byte = stream.read(1)
    if not byte or byte in (b"\x00", b"\xd9", b"\xda"):
        raise NotAJpeg("has no JPEG frame header")
    return byte[0]

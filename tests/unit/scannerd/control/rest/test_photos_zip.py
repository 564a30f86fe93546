"""A ZIP that is made while it is sent."""

import io
import zipfile
from pathlib import Path

from scannerd.control.rest.photos_zip import PIECE_BYTES, zip_pieces
from scannerd.export.exported_file import ExportedFile


def test_every_file_comes_back_and_little_is_held(tmp_path: Path) -> None:
    sizes = [0, 1, PIECE_BYTES, 3 * PIECE_BYTES + 7]
    files = [tmp_path / f"{number:04d}.jpg" for number in range(len(sizes))]
    for file, size in zip(files, sizes, strict=True):
        file.write_bytes(bytes(range(256)) * (size // 256) + b"x" * (size % 256))
    pieces = list(zip_pieces([ExportedFile(file.name, file) for file in [*files, tmp_path / "gone.jpg"]], "mug"))
    assert max(map(len, pieces)) < PIECE_BYTES + 4096
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"mug/{file.name}" for file in files]
        assert all(archive.read(f"mug/{file.name}") == file.read_bytes() for file in files)

"""Which scan a person wants sent first: a file in the folder of scans, written by the daemon, read by sync."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from offload.durable import replace_file
from offload.wire.base import ScanId

FIRST = Path(".sync", "first")
"""In a folder of its own: what is written there does not look as if scans came or went."""
_SCAN_ID: TypeAdapter[str] = TypeAdapter(ScanId)


def choose_first(scans: Path, scan_id: str) -> None:
    """Have this scan carried before all others, until another one is chosen. Raises OSError."""
    (scans / FIRST).parent.mkdir(exist_ok=True)
    replace_file(scans / FIRST, f"{scan_id}\n".encode())


class Choice:
    """Follows what was chosen."""

    def __init__(self, scans: Path) -> None:
        self._file = scans / FIRST
        self._stamp: tuple[int, int] | None = None
        self.scan_id: str | None = None

    def refresh(self) -> bool:
        """Read it if it has changed; return whether somebody chose, be it the same scan again."""
        try:
            status = self._file.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp == self._stamp:
                return False
            self.scan_id = _SCAN_ID.validate_python(self._file.read_text().strip())
            self._stamp = stamp
        except (FileNotFoundError, ValidationError):
            return False
        return True

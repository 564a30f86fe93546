"""Secrets in files that only their owner may read; device and service keep theirs so."""

import stat
from pathlib import Path


class OpenToOthers(RuntimeError):
    """Others than the owner may read the file; the message says what to do. `mode` is its permissions."""

    def __init__(self, path: Path, mode: int) -> None:
        super().__init__(f"{path} may be read by others (mode {mode:04o}, expected 0600); run: chmod 600 {path}")
        self.mode = mode


def read_private(path: Path) -> str:
    """Return the secret, without the white space around it. Raises OpenToOthers, OSError."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise OpenToOthers(path, mode)
    return path.read_text().strip()

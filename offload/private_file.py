"""Secrets in files that only their owner may read; device and service keep theirs so."""

import stat
from pathlib import Path


class OpenToOthers(RuntimeError):
    """Others than the owner may read the file. `mode` is its permissions."""

    def __init__(self, mode: int) -> None:
        super().__init__(f"mode {mode:04o}")
        self.mode = mode


def read_private(path: Path) -> str:
    """Return the secret, without the white space around it. Raises OpenToOthers, OSError."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise OpenToOthers(mode)
    return path.read_text().strip()

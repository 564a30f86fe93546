"""`sync.json`: how far a scan is, written beside it for everybody who shows it."""

import time
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from offload.durable import replace_file
from offload.wire.jobs import SyncState

STATE = "sync.json"
SAVE_S = 0.4
"""Between two writings of mere progress."""


def read_state(folder: Path) -> SyncState | None:
    """Return what was last written of this scan; None if nothing readable is there."""
    try:
        return SyncState.model_validate_json((folder / STATE).read_bytes())
    except (OSError, ValidationError):
        return None


class StateFile:
    """The state of one scan, kept on disk. `save` writes only what has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        fresh = SyncState(scan_id=folder.name, updated_at=datetime.now(UTC))
        self.state = read_state(folder) or fresh
        self._saved: SyncState | None = None
        self._saved_s = 0.0

    def change(self, **changes: object) -> None:
        """Take new values in; they are on disk after the next `save`."""
        self.state = self.state.model_copy(update=changes)

    def save_progress(self) -> None:
        """Write the file unless that was just done: cards wear out."""
        if time.monotonic() - self._saved_s >= SAVE_S:
            self.save()

    def save(self, *, durable: bool = False) -> None:
        """Write the file, at once as a whole, if anything has changed; a scan that was deleted needs none."""
        if (self.state == self._saved and not durable) or not self._folder.is_dir():
            return
        self.change(updated_at=datetime.now(UTC))
        replace_file(self._folder / STATE, self.state.model_dump_json().encode(), durable=durable)
        self._saved, self._saved_s = self.state, time.monotonic()

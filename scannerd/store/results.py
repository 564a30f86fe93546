"""What sync says of a scan: how far it is on its way, and which files its model came back in."""

from pydantic import ValidationError

from offload.wire.jobs import SyncState
from scannerd.store.layout import ScanFolder


def sync_state(folder: ScanFolder) -> SyncState | None:
    """Return how far the scan is on its way; None when sync never saw it or is just writing."""
    try:
        return SyncState.model_validate_json(folder.sync.read_bytes())
    except (OSError, ValidationError):
        return None

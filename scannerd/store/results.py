"""The model that came back: whether it is there, and whether it is what the service sent."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from offload.wire.jobs import SyncState
from scannerd.store.hashing import sha256_of_file
from scannerd.store.layout import ScanFolder


@dataclass(frozen=True)
class Results:
    """Files that were found in `results/`, and what is wrong with them."""

    files: tuple[Path, ...]
    faults: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Every file that the service named is there and has its hash."""
        return bool(self.files) and not self.faults


def sync_state(folder: ScanFolder) -> SyncState | None:
    """Return how far the scan is on its way; None when sync never saw it or is just writing."""
    try:
        return SyncState.model_validate_json(folder.sync.read_bytes())
    except (OSError, ValidationError):
        return None


def results_of(folder: ScanFolder) -> Results | None:
    """Return the results, hashed against what the service promised; None when there are none yet."""
    if not folder.results.is_dir():
        return None
    found = tuple(sorted(path for path in folder.results.rglob("*") if path.is_file()))
    state = sync_state(folder)
    if state is None or state.job is None or not state.job.results:
        return Results(found, (f"{folder.sync}: does not say what the service sent",))
    faults = []
    for promised in state.job.results:
        path = folder.results / promised.name
        if not path.is_file():
            faults.append(f"{path}: missing")
        elif sha256_of_file(path) != promised.sha256:
            faults.append(f"{path}: does not match the hash that the service named")
    return Results(found, tuple(faults))

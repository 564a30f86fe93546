"""Where the lift rests while nobody counts its steps: its gear holds it, also without current and over a restart."""

import json
import math
from pathlib import Path

from scannerd.store.durable import fsync_folder, write_durably


class LiftRest:
    """One small file. It is gone while the lift moves: a power cut in between leaves nobody a wrong belief."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> float | None:
        """Return the elevation in degrees; None where nobody knows."""
        try:
            elevation_deg = json.loads(self._path.read_bytes())["elevation_deg"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        is_number = isinstance(elevation_deg, int | float) and math.isfinite(elevation_deg)
        return float(elevation_deg) if is_number else None

    def forget(self) -> None:
        """The lift is about to move. Raises StoreFault, OSError."""
        if self._path.exists():
            self._path.unlink()
            fsync_folder(self._path.parent)

    def keep(self, elevation_deg: float) -> None:
        """The lift has come to rest here. Raises StoreFault."""
        write_durably(self._path, json.dumps({"elevation_deg": elevation_deg}).encode())

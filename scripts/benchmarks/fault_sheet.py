"""A picture of faulty photos with the gate's verdicts: for people to look at."""

from pathlib import Path

import cv2
import numpy as np
from fault_scans import Photo
from numpy.typing import NDArray

from scannerd.quality.look import Look

TILE_PX = (400, 300)
COLUMNS = 6
EVERY_NTH_GOOD = 12
GREEN, RED, WHITE = (60, 200, 60), (60, 60, 230), (255, 255, 255)


class FaultSheet:
    """Collects tiles: every faulty photo, some good ones, each with its mask's outline and the verdict."""

    def __init__(self) -> None:
        self._tiles: list[NDArray[np.uint8]] = []

    def take(self, photo: Photo, look: Look) -> None:
        """Take in one photo."""
        fault = photo.take.fault
        if fault is None and photo.take.viewpoint % EVERY_NTH_GOOD != EVERY_NTH_GOOD - 1:
            return
        rgb = photo.planes.shrunk(*TILE_PX).rgb()
        tile = np.ascontiguousarray(rgb[..., ::-1])
        if look.mask is not None:
            mask = cv2.resize(look.mask, TILE_PX, interpolation=cv2.INTER_AREA)
            outlines, _ = cv2.findContours(np.asarray(mask > 127, np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(tile, outlines, -1, (0, 255, 255), 1)
        what = "good" if fault is None else f"{fault.kind} {fault.strength:.2f} {fault.unit}"
        right = (look.verdict != "accept") == (fault is not None)
        cv2.rectangle(tile, (0, 0), (TILE_PX[0] - 1, TILE_PX[1] - 1), GREEN if right else RED, 3)
        for line, text in enumerate((what, f"{look.verdict}: {look.reason}"[:62])):
            at = (6, 16 + 268 * line)
            cv2.putText(tile, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 3, cv2.LINE_AA)
            cv2.putText(tile, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.36, WHITE, 1, cv2.LINE_AA)
        self._tiles.append(tile)

    def write(self, path: Path) -> None:
        """Write what was collected, if anything was."""
        if not self._tiles:
            return
        while len(self._tiles) % COLUMNS:
            self._tiles.append(np.zeros_like(self._tiles[0]))
        rows = [np.hstack(self._tiles[first : first + COLUMNS]) for first in range(0, len(self._tiles), COLUMNS)]
        cv2.imwrite(str(path), np.vstack(rows))

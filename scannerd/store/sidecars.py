"""What the device kept beside each photo: its findings, and the object's mask."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from offload.logs.fields import about
from offload.wire.bundle import FrameEntry
from offload.wire.sidecar import FrameSidecar
from scannerd.store.durable import StoreFault

LOG = logging.getLogger(__name__)

FINDINGS, MASK, EDGES = ".json", ".mask.png", ".edges.png"
"""How their names end."""


def sidecar_path(folder: Path, frame: FrameEntry, ending: str) -> Path | None:
    """Return where one of a photo's sidecars lies; None where it has none of this kind."""
    name = next((file.name for file in frame.sidecars if file.name.endswith(ending)), None)
    return folder / name if name is not None else None


def read_sidecar(folder: Path, frame: FrameEntry) -> FrameSidecar | None:
    """Return what the device found out about one photo; None where it kept nothing. Raises StoreFault."""
    path = sidecar_path(folder, frame, FINDINGS)
    if path is None:
        return None
    try:
        return FrameSidecar.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StoreFault(f"{path}: cannot be used: {error}") from error


def readable_sidecars(folder: Path, frames: Iterable[FrameEntry]) -> Iterator[tuple[FrameEntry, FrameSidecar]]:
    """Yield photos and what the device found out about them, one file after the other.

    A photo of which nothing was kept is passed over; so is one whose file cannot be used, and the log says so.
    """
    for frame in frames:
        try:
            sidecar = read_sidecar(folder, frame)
        except StoreFault as fault:
            LOG.warning("nothing is learned from it: %s", fault, extra=about(frame=frame.index))
            continue
        if sidecar is not None:
            yield frame, sidecar


def read_mask(folder: Path, frame: FrameEntry) -> NDArray[np.uint8] | None:
    """Return (height, width), 255 on the object, as large as the companion; None where there is none to read."""
    path = sidecar_path(folder, frame, MASK)
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path is not None and path.exists() else None
    return None if mask is None else np.asarray(mask, np.uint8)

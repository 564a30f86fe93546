"""All photos of a scan on one picture, with what the gate said of each: for a look at a whole scan at once."""

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from offload.logs.fields import about
from offload.wire.bundle import FrameEntry
from scannerd.store.durable import StoreFault, write_durably
from scannerd.store.layout import ScanFolder
from scannerd.store.photo import Pixels, encode_jpeg
from scannerd.store.sidecars import read_mask, read_sidecar
from scannerd.store.thumbnails import small_of

LOG = logging.getLogger(__name__)

CAPTION_PX = 22
GAP_PX = 6
FRAME_PX = 3
MOST_CELLS = 120
"""Of more, none could be made out; then every n-th photo is shown, and every one that a person overruled."""
SHEET_PX = 2_000_000
"""About how many pixels the photos on a sheet have together: its memory must not grow with the scan."""
ACCEPTED = "accept"
BACKGROUND, WORDS, OUTLINE, OVERRULED = (32, 32, 32), (230, 230, 230), (0, 255, 140), (255, 60, 60)
"""RGB."""


@dataclass(frozen=True)
class _Cell:
    """One photo with what was found out about it."""

    frame: FrameEntry
    overruled: bool


def write_contact_sheet(folder: ScanFolder, frames: Mapping[int, FrameEntry]) -> None:
    """Write the sheet from the thumbnails, or from the photos where one is missing, in the order of viewpoints.

    Each cell has number, angle, width of edges and attempts, the outline of the mask, and a red frame where a photo
    was kept that missed a limit. Raises StoreFault.
    """
    cells = list(_chosen(folder, frames))
    columns = math.ceil(math.sqrt(len(cells)))
    rows = math.ceil(len(cells) / columns)
    height_px, width_px = small_of(folder, cells[0].frame.file).shape[:2]
    scale = min(1.0, math.sqrt(SHEET_PX / (len(cells) * height_px * width_px)))
    height_px, width_px = round(height_px * scale), round(width_px * scale)
    cell_height_px, cell_width_px = height_px + CAPTION_PX + GAP_PX, width_px + GAP_PX
    sheet = np.full((rows * cell_height_px + GAP_PX, columns * cell_width_px + GAP_PX, 3), BACKGROUND, np.uint8)
    for place, cell in enumerate(cells):
        top, left = GAP_PX + place // columns * cell_height_px, GAP_PX + place % columns * cell_width_px
        small = small_of(folder, cell.frame.file)
        size_px = _fitting(small.shape[:2], (width_px, height_px))
        photo = cv2.resize(small, size_px, interpolation=cv2.INTER_AREA)
        marked = _marked(folder, cell, np.asarray(photo, np.uint8))
        sheet[top : top + size_px[1], left : left + size_px[0]] = marked
        _caption(sheet, cell, left, top + height_px + CAPTION_PX - 6)
    write_durably(folder.contact_sheet, encode_jpeg(sheet, 85))


def _fitting(shape: tuple[int, int], cell_px: tuple[int, int]) -> tuple[int, int]:
    """Return width and height in a cell: all of it, but for another camera's photos of other proportions."""
    height_px, width_px = shape
    share = min(cell_px[0] / width_px, cell_px[1] / height_px)
    fitting_px = max(1, round(width_px * share)), max(1, round(height_px * share))
    near = abs(fitting_px[0] - cell_px[0]) <= 1 and abs(fitting_px[1] - cell_px[1]) <= 1
    return cell_px if near else fitting_px


def _chosen(folder: ScanFolder, frames: Mapping[int, FrameEntry]) -> Iterator[_Cell]:
    numbers = sorted(frames)
    step = math.ceil(len(numbers) / MOST_CELLS)
    spare = MOST_CELLS
    for place, number in enumerate(numbers):
        frame = frames[number]
        overruled = _is_overruled(folder, frame)
        if place % step == 0 or (overruled and spare > 0):
            spare -= place % step != 0
            yield _Cell(frame, overruled)


def _is_overruled(folder: ScanFolder, frame: FrameEntry) -> bool:
    try:
        sidecar = read_sidecar(folder.path, frame)
    except StoreFault as fault:
        LOG.warning("the contact sheet cannot tell its verdict: %s", fault, extra=about(frame=frame.index))
        return False
    if sidecar is None:
        return False
    # Once somebody has said that it may be so, the gate accepts what misses a limit.
    return sidecar.verdict != ACCEPTED or not all(finding.passed for finding in sidecar.findings)


def _marked(folder: ScanFolder, cell: _Cell, photo: Pixels) -> Pixels:
    """Return the small photo with outline and frame; the photo itself is drawn on."""
    height_px, width_px = photo.shape[:2]
    mask = read_mask(folder.path, cell.frame)
    if mask is not None:
        small = cv2.resize(mask, (width_px, height_px), interpolation=cv2.INTER_AREA)
        outlines, _ = cv2.findContours(
            np.where(small > 127, 255, 0).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE
        )
        cv2.drawContours(photo, outlines, -1, OUTLINE, 1, cv2.LINE_AA)
    if cell.overruled:
        inside = FRAME_PX // 2
        cv2.rectangle(photo, (inside, inside), (width_px - 1 - inside, height_px - 1 - inside), OVERRULED, FRAME_PX)
    return photo


def _caption(sheet: Pixels, cell: _Cell, left: int, baseline: int) -> None:
    frame = cell.frame
    text = f"{frame.index}  {frame.angle_deg:.1f} deg"
    if frame.camera:
        text += f"  camera {frame.camera + 1}"
    if frame.sharpness:
        text += f"  edges {1 / frame.sharpness:.1f} px"
    if frame.attempt > 1:
        text += f"  try {frame.attempt}"
    colour = OVERRULED if cell.overruled else WORDS
    cv2.putText(sheet, text, (left + 2, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)

"""All photos of a scan on one picture, with number and angle."""

import math

import cv2
import numpy as np

from offload.wire.bundle import FrameEntry
from scannerd.store.durable import write_durably
from scannerd.store.layout import ScanFolder
from scannerd.store.photo import THUMBNAIL_WIDTH_PX, PhotoFault, Pixels, encode_jpeg, read_small

CAPTION_PX = 22
GAP_PX = 6
MOST_CELLS = 120
"""A sheet of more would be too large for the memory of a small device; then every n-th photo is shown."""


def write_contact_sheet(folder: ScanFolder, frames: list[FrameEntry]) -> None:
    """Write the sheet from the thumbnails, or from the photos where one is missing. Raises StoreFault."""
    every = math.ceil(len(frames) / MOST_CELLS)
    shown = frames[::every]
    cells = [_small(folder, frame) for frame in shown]
    cell_height = max(cell.shape[0] for cell in cells) + CAPTION_PX
    columns = max(1, math.ceil(math.sqrt(len(cells))))
    rows = math.ceil(len(cells) / columns)
    sheet = np.full(
        (rows * (cell_height + GAP_PX) + GAP_PX, columns * (THUMBNAIL_WIDTH_PX + GAP_PX) + GAP_PX, 3), 32, np.uint8
    )
    for place, (frame, cell) in enumerate(zip(shown, cells, strict=True)):
        top = GAP_PX + place // columns * (cell_height + GAP_PX)
        left = GAP_PX + place % columns * (THUMBNAIL_WIDTH_PX + GAP_PX)
        sheet[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
        _caption(sheet, frame, left, top + cell_height - 6)
    write_durably(folder.contact_sheet, encode_jpeg(sheet, 85))


def _small(folder: ScanFolder, frame: FrameEntry) -> Pixels:
    try:
        return read_small(folder.thumbnail(frame.index))
    except PhotoFault:
        return read_small(folder.path / frame.file.name)


def _caption(sheet: Pixels, frame: FrameEntry, left: int, baseline: int) -> None:
    text = f"{frame.index}  {frame.angle_deg:.1f} deg"
    if frame.attempt > 1:
        text += f"  attempt {frame.attempt}"
    cv2.putText(sheet, text, (left + 2, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (230, 230, 230), 1, cv2.LINE_AA)

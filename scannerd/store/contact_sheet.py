"""All photos of a scan on one picture, with number and angle."""

import math
from collections.abc import Mapping

import cv2
import numpy as np

from offload.wire.bundle import FrameEntry
from scannerd.store.durable import write_durably
from scannerd.store.layout import ScanFolder
from scannerd.store.photo import Pixels, encode_jpeg
from scannerd.store.thumbnails import small_of

CAPTION_PX = 22
GAP_PX = 6
MOST_CELLS = 120
"""Of more, none could be made out; then every n-th photo is shown."""
SHEET_PX = 2_000_000
"""About how many pixels the photos on a sheet have together: its memory must not grow with the scan."""


def write_contact_sheet(folder: ScanFolder, frames: Mapping[int, FrameEntry]) -> None:
    """Write the sheet from the thumbnails, or from the photos where one is missing, in the order of viewpoints.

    Raises StoreFault.
    """
    shown = [frames[index] for index in sorted(frames)[:: math.ceil(len(frames) / MOST_CELLS)]]
    columns = math.ceil(math.sqrt(len(shown)))
    rows = math.ceil(len(shown) / columns)
    height_px, width_px = small_of(folder, shown[0].file).shape[:2]
    scale = min(1.0, math.sqrt(SHEET_PX / (len(shown) * height_px * width_px)))
    photo_height_px, photo_width_px = round(height_px * scale), round(width_px * scale)
    cell_height_px = photo_height_px + CAPTION_PX + GAP_PX
    cell_width_px = photo_width_px + GAP_PX
    sheet = np.full((rows * cell_height_px + GAP_PX, columns * cell_width_px + GAP_PX, 3), 32, np.uint8)
    for place, frame in enumerate(shown):
        top, left = GAP_PX + place // columns * cell_height_px, GAP_PX + place % columns * cell_width_px
        photo = cv2.resize(
            small_of(folder, frame.file), (photo_width_px, photo_height_px), interpolation=cv2.INTER_AREA
        )
        sheet[top : top + photo_height_px, left : left + photo_width_px] = photo
        _caption(sheet, frame, left, top + photo_height_px + CAPTION_PX - 6)
    write_durably(folder.contact_sheet, encode_jpeg(sheet, 85))


def _caption(sheet: Pixels, frame: FrameEntry, left: int, baseline: int) -> None:
    text = f"{frame.index}  {frame.angle_deg:.1f} deg"
    if frame.attempt > 1:
        text += f"  attempt {frame.attempt}"
    cv2.putText(sheet, text, (left + 2, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (230, 230, 230), 1, cv2.LINE_AA)

import json

import cv2
import numpy as np
from turntable_scan import SCAN_ID, taken_scan
from turntable_seen import BenchTurn

from scannerd.store.contact_sheet import OUTLINE, OVERRULED, write_contact_sheet
from scannerd.store.layout import ScanFolder


def sheet_of(folder: ScanFolder) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(folder.contact_sheet)), cv2.COLOR_BGR2RGB).astype(int)


def tinted(sheet: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where one colour of light stands out: a JPEG smears a thin line, but not its hue."""
    channel = int(np.argmax(colour))
    return sheet[..., channel] - np.delete(sheet, channel, axis=2).max(axis=2) > 35


def overrule(folder: ScanFolder, index: int) -> None:
    path = folder.frames / f"{index:04d}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"verdict": "ask"}))


def test_outlines_are_drawn_and_overruled_photos_stand_out(tmp_path):
    store = taken_scan(tmp_path, [BenchTurn(views=9)], seal=False)
    folder = store.layout.scan(SCAN_ID)
    with store.open(SCAN_ID) as scan:
        write_contact_sheet(folder, scan.frames)
        calm = sheet_of(folder)
        assert tinted(calm, OUTLINE).sum() > 9 * 150
        assert not tinted(calm, OVERRULED).any()
        overrule(folder, 4)
        write_contact_sheet(folder, scan.frames)
    red = np.argwhere(tinted(sheet_of(folder), OVERRULED))
    height, width = calm.shape[:2]
    # The fifth of nine stands in the middle.
    assert (red.mean(axis=0) / [height, width]).round(1).tolist() == [0.5, 0.5]
    assert np.ptp(red, axis=0).tolist() > [height / 4, width / 4]


def test_of_many_photos_some_are_shown_and_all_that_were_overruled(tmp_path):
    store = taken_scan(tmp_path, [BenchTurn(views=130)], seal=False)
    folder = store.layout.scan(SCAN_ID)
    overrule(folder, 77)
    with store.open(SCAN_ID) as scan:
        write_contact_sheet(folder, scan.frames)
    sheet = sheet_of(folder)
    assert tinted(sheet, OVERRULED).any()
    assert sheet.shape[0] * sheet.shape[1] < 4_000_000


def test_without_sidecars_there_are_photos_all_the_same(tmp_path):
    store = taken_scan(tmp_path, [BenchTurn(views=4)], seal=False)
    folder = store.layout.scan(SCAN_ID)
    for path in (folder.frames / "0001.mask.png", folder.frames / "0002.json"):
        path.unlink()
    with store.open(SCAN_ID) as scan:
        write_contact_sheet(folder, scan.frames)
    assert sheet_of(folder).shape[0] > 400

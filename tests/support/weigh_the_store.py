"""Keeps 1000 photos with sidecars in one scan and says what the process weighs: `python weigh_the_store.py STORE`.

Prints one JSON object; megabytes are 10⁶ bytes of resident memory. The photos are small: what is weighed is what
the store remembers of each.
"""

import json
import sys
from pathlib import Path

import psutil
import store_story

from scannerd.scan.plan import ScanPlan, viewpoints_on
from scannerd.store.catalogue import Catalogue
from scannerd.store.contact_sheet import write_contact_sheet
from scannerd.store.developed import DevelopedPhoto
from scannerd.store.stored_scan import StoredScan

VIEWS = 500
RINGS = 2
LOOK_EVERY = 50


def a_long_plan() -> ScanPlan:
    plan = store_story.a_plan("cup").model_dump() | {"viewpoints": viewpoints_on(VIEWS, RINGS)}
    return ScanPlan.model_validate(plan)


def numbered(photo: DevelopedPhoto, index: int) -> DevelopedPhoto:
    """Return the first viewpoint's photo as another one's: encoding a thousand would only take time."""
    changes = {"index": index, "sidecars": tuple(_renamed(file, index) for file in photo.entry.sidecars)}
    entry = photo.entry.model_copy(update=changes | {"file": _renamed(photo.entry.file, index)})
    files = {name.replace("/0000.", f"/{index:04d}."): data for name, data in photo.files.items()}
    return DevelopedPhoto(entry, files, photo.thumbnail)


def _renamed(file: store_story.StoredFile, index: int) -> store_story.StoredFile:
    return file.model_copy(update={"name": file.name.replace("/0000.", f"/{index:04d}.")})


def keep_all(scan: StoredScan, catalogue: Catalogue) -> dict[str, float]:
    masses: dict[str, float] = {}
    photo = store_story.a_photo(scan, scan.viewpoints[0], 0)
    for view in scan.viewpoints:
        scan.keep(numbered(photo, view.index))
        scan.missing()
        if view.index % LOOK_EVERY == 0:
            catalogue.detail("cup")
        if view.index == 2 * LOOK_EVERY:
            masses["after_100_mb"] = mass_mb()
    masses["after_1000_mb"] = mass_mb()
    write_contact_sheet(scan.folder, scan.frames)
    scan.seal(store_story.WHEN)
    masses["sealed_mb"] = mass_mb()
    return masses


def mass_mb() -> float:
    return float(psutil.Process().memory_info().rss / 1e6)


if __name__ == "__main__":
    store = store_story.a_store(Path(sys.argv[1]))
    with store.begin(a_long_plan())[0] as scan:
        print(json.dumps(keep_all(scan, Catalogue(store))))

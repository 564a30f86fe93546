"""Everything that a store does, in a few seconds and without hardware: `python store_story.py STORE MARKS`.

Before and after each step a line is written to MARKS: what is about to be done, and what is promised from then on.
`tell` and `finish` are also what a test goes on with after a power cut.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from developed_photos import develop

from drivers.picture import Planes
from drivers.raw_picture import MosaicFormat, RawMosaic
from offload.wire.bundle import CameraModel, FrameEntry, StoredFile
from offload.wire.jobs import Job, JobState, SyncState
from offload.wire.sidecar import FrameSidecar
from scannerd.scan.plan import ScanPlan, Viewpoint, plan_scan
from scannerd.settings.file import parse_config
from scannerd.store.background import BackgroundFacts, BackgroundPlate
from scannerd.store.contact_sheet import write_contact_sheet
from scannerd.store.developed import DevelopedPhoto, TakenPhoto, file_of
from scannerd.store.durable import write_durably
from scannerd.store.hashing import sha256_of_bytes
from scannerd.store.layout import StoreLayout
from scannerd.store.ledger import CommandLedger
from scannerd.store.retention import Retention
from scannerd.store.scans import ScanStore
from scannerd.store.stored_scan import StoredScan
from scannerd.store.trash import Trash

VIEWS = 4
ADDED = 2
CAMERA = CameraModel(make="Raspberry Pi", model="imx477", focal_length_mm=9.0, pixel_pitch_um=3.925)
RAW_BYTES = 8 * 6 * 2
CONFIG = parse_config(
    f'[camera]\nwidth_px = 160\nheight_px = 120\nraw = "device"\n[scan]\nviews = {VIEWS}\n[mat]\nused = false\n'
)
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Mark = Callable[..., None]


def a_plan(scan_id: str) -> ScanPlan:
    return plan_scan(CONFIG, CAMERA, scan_id, WHEN, raw_bytes=RAW_BYTES)


def a_mosaic(seed: int) -> RawMosaic:
    rows = np.random.default_rng(seed).integers(0, 255, (6, 12), np.uint8)
    black = (256.0, 256.0, 256.0, 256.0)
    return RawMosaic(rows, 8, MosaicFormat.named("SRGGB12_CSI2P"), black, (2.1, 1.9), None)


def keep(scan: StoredScan, view: Viewpoint, seed: int, between: Callable[[FrameEntry], None]) -> None:
    """Keep a photo, and then its raw file; `between` hears of the photo as soon as it counts."""
    entry = scan.keep(a_photo(scan, view, seed))
    between(entry)
    scan.count_raw(entry, scan.write_raw(entry, a_mosaic(seed)))


def a_photo(scan: StoredScan, view: Viewpoint, seed: int) -> DevelopedPhoto:
    pixels = np.random.default_rng(seed).integers(0, 255, (60, 80, 3), np.uint8).repeat(2, 0).repeat(2, 1)
    picture = Planes.from_rgb(pixels)
    taken = TakenPhoto(view, picture, picture.shrunk(80, 60), view.angle_deg, 20_000, 1.0, WHEN, sharpness=seed)
    plain = develop(taken, scan.plan)
    said = FrameSidecar(
        index=view.index,
        verdict="accept",
        reason=f"seed {seed}",
        commanded_angle_deg=view.angle_deg,
        exposure_us=20_000,
        analogue_gain=1.0,
    )
    stem = f"frames/{view.index:04d}"
    more = {f"{stem}.mask.png": b"mask %d" % seed, f"{stem}.edges.png": b"edges %d" % seed}
    more[f"{stem}.json"] = said.canonical_bytes()
    sidecars = tuple(file_of(name, data) for name, data in more.items())
    return DevelopedPhoto(plain.entry.model_copy(update={"sidecars": sidecars}), plain.files | more, plain.thumbnail)


def a_store(root: Path) -> ScanStore:
    store = ScanStore(StoreLayout(root))
    store.prepare()
    return store


def take(scan: StoredScan, index: int, seed: int, mark: Mark) -> None:
    view = scan.viewpoints[index]
    keep(
        scan,
        view,
        seed,
        lambda entry: mark("kept", scan=scan.plan.scan_id, index=index, sha256=entry.file.sha256),
    )


def finish(scan: StoredScan) -> None:
    """Take what is missing and wanted, and seal."""
    scan.want_raws()
    for index in (*(view.index for view in scan.missing()), *scan.retakes_wanted):
        keep(scan, scan.viewpoints[index], 900 + index, lambda _: None)
    write_contact_sheet(scan.folder, scan.frames)
    scan.seal(WHEN)


def tell(root: Path, mark: Mark) -> None:
    store = a_store(root)
    ledger = CommandLedger(store.layout.commands)
    ledger.begin("a", "StartScan()")
    mark("command", id="a")
    give_background(store)
    mark("begins", scan="cup")
    with store.begin(a_plan("cup"))[0] as scan:
        mark("begun", scan="cup")
        ledger.answer("a", {"status": "accepted", "scan_id": "cup"})
        mark("answered", id="a")
        fill(scan, mark)
        write_contact_sheet(scan.folder, scan.frames)
        seal = scan.seal(WHEN)
        mark("sealed", scan="cup", sha256=seal.manifest_sha256)
    delete_and_restore(store, mark)


def fill(scan: StoredScan, mark: Mark) -> None:
    scan.note("locked", settings={"exposure_us": 19_000.0})
    mark("locked", scan="cup", exposure_us=19_000.0)
    for index in range(VIEWS):
        take(scan, index, index, mark)
    scan.note("retake", index=1)
    mark("wanted", scan="cup", index=1)
    take(scan, 1, 101, mark)
    scan.note("lost", index=2, reason="damaged")
    mark("lost", scan="cup", index=2)
    take(scan, 2, 102, mark)
    scan.extend([Viewpoint(index=VIEWS + n, angle_deg=360.0 + n, ring=1) for n in range(ADDED)])
    mark("extended", scan="cup", views=VIEWS + ADDED)
    scan.note("locked", settings={"exposure_us": 21_000.0})
    mark("locked", scan="cup", exposure_us=21_000.0)
    for index in range(VIEWS, VIEWS + ADDED):
        take(scan, index, index, mark)


def delete_and_restore(store: ScanStore, mark: Mark) -> None:
    trash = Trash(store.layout)
    mark("begins", scan="jug")
    with store.begin(a_plan("jug"))[0] as jug:
        mark("begun", scan="jug")
        take(jug, 0, 200, mark)
    for scan_id in ("cup", "jug"):
        mark("deletes", scan=scan_id)
        trash.put(scan_id)
        mark("deleted", scan=scan_id)
    mark("restores", scan="cup")
    trash.restore("cup")
    mark("restored", scan="cup")
    mark("forgets", scan="jug")
    trash.forget(-1)
    mark("forgot", scan="jug")
    confirm(store, "cup")
    mark("removes", scan="cup")
    Retention(replace(store, free_bytes=lambda _: 0), keep_days=0).make_room(needed_bytes=1)
    mark("removed", scan="cup")


def give_background(store: ScanStore) -> None:
    plate = b"\xff\xd8 a plate \xff\xd9"
    stored = StoredFile(name="background.jpg", sha256=sha256_of_bytes(plate), size_bytes=len(plate))
    facts = BackgroundFacts(
        file=stored, camera=CAMERA, photo_width_px=160, photo_height_px=120, exposure_us=20_000, analogue_gain=1,
        taken_at=WHEN,
    )  # fmt: skip
    BackgroundPlate(store.layout).keep(plate, facts)


def confirm(store: ScanStore, scan_id: str) -> None:
    """Say what sync says once the service has everything and its model is back."""
    folder = store.layout.scan(scan_id)
    digest = sha256_of_bytes(folder.manifest.read_bytes())
    job = Job(
        job_id="job",
        scan_id=scan_id,
        bundle_sha256=digest,
        state=JobState.COMPLETED,
        created_at=WHEN,
        updated_at=WHEN,
    )
    state = SyncState(scan_id=scan_id, job=job, results_in_place=True, updated_at=WHEN)
    write_durably(folder.sync, state.model_dump_json().encode())


def main(root: Path, marks: Path) -> None:
    file = os.open(marks, os.O_WRONLY | os.O_CREAT, 0o644)

    def mark(kind: str, **facts: Any) -> None:
        os.write(file, json.dumps({"kind": kind, **facts}).encode() + b"\n")

    tell(root, mark)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

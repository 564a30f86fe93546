"""A scan in a store as the bench's camera would have taken it: sidecars that are true, photos that are grey."""

from collections.abc import Container
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from seen_things import barrel_mask, plan_of, reading_of
from turntable_seen import HEIGHT_PX, WIDTH_PX, BenchTurn

from drivers.raw_picture import RawFile
from offload.wire.bundle import FrameEntry
from offload.wire.sidecar import FrameSidecar, SeenMat
from scannerd.geometry.joint_poses import SeenFrame
from scannerd.scan.plan import ScanPlan, Viewpoint
from scannerd.store.developed import DevelopedPhoto, file_of
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SCAN_ID = "barrel"


@cache
def grey_photo(index: int) -> bytes:
    grey = np.full((HEIGHT_PX // 4, WIDTH_PX // 4, 3), 90 + index % 100, np.uint8)
    return cv2.imencode(".jpg", grey)[1].tobytes()


def plan_for(turns: list[BenchTurn], **changes) -> ScanPlan:
    viewpoints = [
        Viewpoint(index=0, angle_deg=frame.commanded_deg, ring=frame.ring, side=frame.side)
        for turn in turns
        for frame in turn.frames()
    ]
    numbered = tuple(view.model_copy(update={"index": number}) for number, view in enumerate(viewpoints))
    return plan_of(len(numbered), viewpoints=numbered, **changes)


def raw_of(index: int) -> bytes:
    return b"what the sensor saw %d" % index


def taken_scan(
    root: Path, turns: list[BenchTurn], *, seal: bool = True, raws: Container[int] = (), **changes
) -> ScanStore:
    """Return a store with the scan "barrel"; `raws` are the photos whose raw file it has."""
    store = ScanStore(StoreLayout(root))
    store.prepare()
    plan = plan_for(turns, **changes)
    scan, _ = store.begin(plan)
    with scan:
        for turn in turns:
            for frame in turn.frames(len(scan.frames)):
                entry = scan.keep(_developed(plan, turn, frame, len(scan.frames)))
                if entry.index in raws:
                    scan.count_raw(entry, scan.write_raw(entry, RawFile(raw_of(entry.index), ".cr2")))
        if seal:
            scan.seal(NOW)
    return store


def _developed(plan: ScanPlan, turn: BenchTurn, frame: SeenFrame, index: int) -> DevelopedPhoto:
    mask = barrel_mask(turn.true_pose(_place(turn, frame)))
    files = {f"frames/{index:04d}.jpg": grey_photo(index)}
    files[f"frames/{index:04d}.mask.png"] = cv2.imencode(".png", mask)[1].tobytes()
    if plan.mat is not None:
        files[f"frames/{index:04d}.json"] = _sidecar(frame, index).model_dump_json().encode()
    photo, *beside = (file_of(name, data) for name, data in files.items())
    entry = FrameEntry(
        index=index,
        ring=frame.ring,
        side=frame.side,
        angle_deg=frame.commanded_deg,
        file=photo,
        exposure_us=20_000,
        analogue_gain=1,
        taken_at=NOW,
        sidecars=tuple(beside),
    )
    return DevelopedPhoto(entry, files, grey_photo(index))


def _place(turn: BenchTurn, frame: SeenFrame) -> int:
    """Return which of the turn's views a frame is."""
    return round((frame.commanded_deg - 360 * frame.ring) / 360 * turn.views)


def _sidecar(frame: SeenFrame, index: int) -> FrameSidecar:
    reading = reading_of(frame.corners)
    return FrameSidecar(
        index=index,
        verdict="accept",
        reason="sharp",
        commanded_angle_deg=frame.commanded_deg,
        exposure_us=20_000,
        analogue_gain=1,
        mat=SeenMat(
            numbers=tuple(reading.numbers.tolist()), pixels=tuple((x, y) for x, y in reading.pixels.tolist())
        ),
    )

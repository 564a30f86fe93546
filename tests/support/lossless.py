"""What must hold of a scan's folder after any interruption and a resume, judged from the files alone."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from offload.wire.bundle import FrameEntry, Manifest, Place, StoredFile
from scannerd.commands import RawPhotos
from scannerd.scan.plan import ScanPlan, Viewpoint
from scannerd.store.layout import ScanFolder

STEP_DEG = 0.04


def faults_of_sealed(folder: ScanFolder, views: int) -> list[str]:
    """Return everything that is wrong with a scan that should be complete, with `views` viewpoints."""
    if not folder.manifest.exists():
        return [f"{folder.path} is not sealed"]
    data = folder.manifest.read_bytes()
    manifest, lines = Manifest.model_validate_json(data), journal_of(folder)
    faults = []
    if manifest.canonical_bytes() != data:
        faults.append("the manifest is not in its canonical encoding")
    numbers = [frame.index for frame in manifest.frames]
    if numbers != list(range(views)):
        faults.append(f"viewpoints {numbers}, expected 0 to {views - 1}, each once")
    for file in _kept(manifest):
        faults += _damage(folder.path, file)
    if frozen_plan(folder).raw is not RawPhotos.NEVER:
        faults += [f"photo {frame.index} has no raw file" for frame in manifest.frames if frame.raw is None]
    if counted_in(lines) != {frame.index: frame for frame in manifest.frames}:
        faults.append("manifest and journal do not count the same photos")
    if lines[-1]["type"] != "sealed" or lines[-1]["manifest_sha256"] != hashlib.sha256(data).hexdigest():
        faults.append(f"the journal ends with {lines[-1]}")
    return faults + _strays(folder, manifest)


def places_not_as_planned(folder: ScanFolder) -> list[str]:
    """Return which photos of a sealed scan were not taken from where, and not exposed as, the plan wants it.

    The plan is the frozen one and what the journal has added to it; of angles only counted steps are known here.
    """
    lines = journal_of(folder)
    added = [each for line in lines if line["type"] == "extended" for each in line["viewpoints"]]
    views = [*frozen_plan(folder).viewpoints, *map(Viewpoint.model_validate, added)]
    frames = Manifest.model_validate_json(folder.manifest.read_bytes()).frames
    locked_us = next(line["settings"]["exposure_us"] for line in lines if line["type"] == "locked")
    faults = []
    for view, frame in zip(views, frames, strict=False):
        if any(getattr(view, name) != getattr(frame, name) for name in Place.model_fields):
            faults.append(f"photo {frame.index} is of {frame!r}, planned was {view!r}")
        if abs(frame.angle_deg - view.angle_deg) > STEP_DEG:
            faults.append(f"photo {frame.index} was taken at {frame.angle_deg}°, planned was {view.angle_deg}°")
        if not math.isclose(frame.exposure_us, locked_us * 2**view.exposure_ev, rel_tol=0.02):
            faults.append(f"photo {frame.index} at {view.exposure_ev} EV was exposed for {frame.exposure_us} µs")
    return faults


def counted_in(lines: list[dict[str, Any]]) -> dict[int, FrameEntry]:
    """Return the photos that journal lines count."""
    counted: dict[int, FrameEntry] = {}
    for line in lines:
        if line["type"] == "frame":
            entry = FrameEntry.model_validate(line["frame"])
            counted[entry.index] = entry
        elif line["type"] == "raw" and counted[line["index"]].file.name == line["photo"]:
            raw = {"raw": StoredFile.model_validate(line["file"]), "raw_travels": line["travels"]}
            counted[line["index"]] = counted[line["index"]].model_copy(update=raw)
        elif line["type"] == "lost":
            counted.pop(line["index"], None)
    return counted


def journal_of(folder: ScanFolder) -> list[dict[str, Any]]:
    """Return the whole lines of a journal."""
    return [json.loads(line) for line in whole_lines(folder.journal.read_bytes()).splitlines()]


def whole_lines(journal: bytes) -> bytes:
    """Return a journal without a last line that is torn."""
    return journal[: journal.rfind(b"\n") + 1]


def faults_of_photos(folder: ScanFolder) -> list[str]:
    """Return which photos the journal counts and the disk does not have."""
    counted = counted_in(journal_of(folder)).values()
    return [fault for entry in counted for file in entry.kept_files() for fault in _damage(folder.path, file)]


def _kept(manifest: Manifest) -> list[StoredFile]:
    """What a bundle is made of, and the raw files that stay on the device."""
    return [
        *{file.name: file for frame in manifest.frames for file in frame.kept_files()}.values(),
        *manifest.files(),
    ]


def strays_in(store: Path) -> list[str]:
    """Return what an interruption left behind anywhere in a store."""
    marks = (".part", ".new", ".gone")
    return [f"left behind: {path}" for path in store.rglob(".*") if path.name.endswith(marks)]


def frozen_plan(folder: ScanFolder) -> ScanPlan:
    """Return the plan; raises where it cannot be read."""
    return ScanPlan.model_validate_json(folder.plan.read_bytes())


def _damage(folder: Path, file: StoredFile) -> list[str]:
    path = folder / file.name
    if not path.is_file():
        return [f"{file.name} is not there"]
    data = path.read_bytes()
    if (len(data), hashlib.sha256(data).hexdigest()) != (file.size_bytes, file.sha256):
        return [f"{file.name} is not what was stored"]
    return []


def _strays(folder: ScanFolder, manifest: Manifest) -> list[str]:
    known = {file.name for file in _kept(manifest)}
    found = {f"frames/{path.name}" for path in folder.frames.iterdir()}
    photos = {Path(frame.file.name).name for frame in manifest.frames}
    strays = [f"orphan: {name}" for name in sorted(found - known)]
    strays += [f"orphan: {path}" for path in folder.thumbnails.iterdir() if path.name not in photos]
    top = {
        "plan.json",
        "journal.jsonl",
        "manifest.json",
        "frames",
        "thumbnails",
        "background.jpg",
        "sync.json",
        "results",
    }
    return strays + [f"orphan: {path}" for path in folder.path.iterdir() if path.name not in top | known]

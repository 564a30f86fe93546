"""The store: may the daemon write there, is there room, and does it outlive a power cut?"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scannerd.doctor.finding import Finding, act, not_checked, well
from scannerd.doctor.patient import Patient
from scannerd.store.durable import free_bytes_at
from scannerd.store.space import RESULTS_BYTES, photo_bytes_at

FOLDER, ROOM, KIND = ROWS = ("store", "disk space", "file system")

LASTING = {"ext4", "ext3", "ext2", "xfs", "btrfs", "f2fs", "zfs", "bcachefs"}
GONE_AT_POWER_OFF = {"tmpfs", "ramfs"}
RAW_BYTES_PER_PIXEL = 3.3
"""Of the photo: two for each pixel of a sensor's mode, which has up to 1.6 times as many."""


@dataclass(frozen=True)
class Mount:
    """What a folder lies on."""

    kind: str
    read_only: bool
    point: Path


def look(patient: Patient) -> Iterator[Finding]:
    """Three rows."""
    folder = patient.config.store.folder
    there = next(place for place in (folder, *folder.parents) if place.exists())
    yield _writable(patient, folder, there)
    yield _room(patient, there)
    yield _file_system(patient, there)


def _writable(patient: Patient, folder: Path, there: Path) -> Finding:
    user, expected = patient.account, f"a folder that {patient.account.name} may write to"
    todo = f"sudo install -d -o {user.name} -g {user.name} -m 0750 {folder}"
    if there != folder and not user.may_use(there):
        return act(FOLDER, f"{folder} is not there", expected, todo)
    if there != folder:
        return well(FOLDER, f"{folder} is made at the first start", expected)
    if not user.may_use(folder):
        return act(FOLDER, f"{folder}: {user.name} may not write", expected, f"sudo chown {user.name} {folder}")
    if user.is_me:
        try:
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
                probe.write(b"written by scannerd doctor\n")
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as error:
            seen = f"{folder}: a file cannot be written: {error.strerror}"
            return act(FOLDER, seen, expected, "free space, or exchange the card")
    return well(FOLDER, str(folder), expected)


def _room(patient: Patient, there: Path) -> Finding:
    store, needed_bytes = patient.config.store, _scan_bytes(patient)
    free_mb, needed_mb = free_bytes_at(there) / 1e6, needed_bytes / 1e6
    seen = f"{free_mb:.0f} MB free"
    expected = f"{store.reserve_mb} MB in reserve and {needed_mb:.0f} MB for a scan as configured"
    if free_mb < store.reserve_mb + needed_mb:
        return act(ROOM, seen, expected, "delete old scans, or name a larger disk in [store] folder")
    return well(ROOM, seen, expected)


def _scan_bytes(patient: Patient) -> int:
    config, scan = patient.config, patient.config.scan
    views = scan.ring_views or (scan.views,) * max(scan.rings, len(scan.ring_elevations_deg))
    shots = scan.sides * scan.repeats * scan.exposure_bracket * scan.focus_bracket
    stop_bytes = 0
    for camera in config.every_camera:
        stop_bytes += photo_bytes_at(camera.width_px, camera.height_px, camera.jpeg_quality)
        if config.camera.raw != "never":
            stop_bytes += round(camera.width_px * camera.height_px * RAW_BYTES_PER_PIXEL)
    return sum(views) * shots * stop_bytes + RESULTS_BYTES


def _file_system(patient: Patient, there: Path) -> Finding:
    mount = mount_of(there, patient.machine.proc)
    expected = "ext4 or the like, writable, on a disk of this device"
    if mount is None:
        return not_checked(KIND, f"{patient.machine.proc} does not tell what {there} lies on")
    seen = f"{mount.kind} at {mount.point}{', read only' if mount.read_only else ''}"
    if mount.read_only:
        return act(KIND, seen, expected, "mount it for writing; a card that turns read only is worn out")
    if mount.kind in GONE_AT_POWER_OFF or (mount.kind == "overlay" and _root_is_overlaid(patient.machine.proc)):
        todo = "scans would be gone after a power cut: switch raspi-config's overlay off, or use a disk"
        return act(KIND, seen, expected, todo)
    if mount.kind in LASTING or mount.kind == "overlay":
        return well(KIND, seen, expected)
    return act(KIND, seen, expected, "a power cut may lose photos there: keep scans on ext4, copy them elsewhere")


def _root_is_overlaid(proc: Path) -> bool:
    """Whether the system was started so that whatever is written is forgotten."""
    try:
        words = (proc / "cmdline").read_text().split()
    except OSError:
        return False
    return any(word.startswith(("boot=overlay", "overlayroot=")) for word in words)


def mount_of(path: Path, proc: Path = Path("/proc")) -> Mount | None:
    """Return what a path lies on; the last mount upon a place hides those before (proc(5), mountinfo)."""
    path, found = path.resolve(), None
    try:
        lines = (proc / "self/mountinfo").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        before, _, after = line.partition(" - ")
        words = before.split()
        point = Path(words[4].encode().decode("unicode_escape"))
        if path.is_relative_to(point) and (found is None or len(point.parts) >= len(found.point.parts)):
            found = Mount(after.split()[0], "ro" in words[5].split(","), point)
    return found

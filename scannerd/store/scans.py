"""Scans: begun, filled frame by frame, recovered after any interruption, sealed into a bundle."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from drivers.picture import Planes
from offload.logs.fields import about
from offload.wire.bundle import FrameEntry, Manifest, StoredFile
from scannerd import __version__
from scannerd.events import StepTimes
from scannerd.geometry.joint_poses import NoPoses
from scannerd.scan.plan import ScanPlan, Viewpoint
from scannerd.store.background import BackgroundPlate, stored_background, stored_file
from scannerd.store.durable import StoreFault, free_bytes_at, fsync_folder, remove_parts, write_durably
from scannerd.store.hashing import sha256_of_bytes, sha256_of_file
from scannerd.store.journal import Journal, JournalLine
from scannerd.store.layout import ScanFolder, StoreLayout
from scannerd.store.photo import encode_planes, thumbnail_jpeg, with_exif
from scannerd.store.scan_poses import find_poses, keep_poses
from scannerd.store.space import DiskForecast

LOG = logging.getLogger(__name__)


class ScanUnknown(StoreFault):
    """There is no scan of this name."""


class ScanExists(StoreFault):
    """There is a scan of this name already."""


@dataclass(frozen=True)
class TakenPhoto:
    """A photo that was judged good enough, on its way to the disk."""

    viewpoint: Viewpoint
    photo: Planes
    small: Planes
    """Its companion."""
    angle_deg: float
    exposure_us: float
    analogue_gain: float
    taken_at: datetime
    sharpness: float | None = None
    attempt: int = 1


def journaled_frames(lines: list[JournalLine]) -> dict[int, FrameEntry]:
    """Return the photos that a journal counts, the latest of each viewpoint. Raises StoreFault."""
    frames: dict[int, FrameEntry] = {}
    for line in lines:
        try:
            if line.type == "frame":
                entry = FrameEntry.model_validate(line.body["frame"])
                frames[entry.index] = entry
            elif line.type == "lost":
                frames.pop(line.body["index"], None)
        except (KeyError, ValidationError) as error:
            raise StoreFault(f"journal entry {line.seq} ({line.type}) cannot be understood: {error}") from error
    return frames


def was_cancelled(lines: list[JournalLine]) -> bool:
    """Whether a person ended the scan for good, and nobody has gone on with it since."""
    marks = [line.type for line in lines if line.type in ("cancelled", "resumed")]
    return marks[-1:] == ["cancelled"]


class StoredScan:
    """One scan, open for writing. Only the thread that called may be inside a method."""

    def __init__(self, folder: ScanFolder, plan: ScanPlan, journal: Journal, forecast: DiskForecast) -> None:
        self.folder = folder
        self.plan = plan
        self.journal = journal
        self._forecast = forecast
        self.frames = journaled_frames(journal.lines)

    @property
    def begun_before(self) -> bool:
        """Whether more has happened to this scan than its beginning."""
        return len(self.journal.lines) > 1

    @property
    def sealed(self) -> bool:
        """Whether the manifest is there: nothing changes any more."""
        return self.folder.manifest.exists()

    def missing(self) -> tuple[Viewpoint, ...]:
        """The viewpoints without a photo that counts, in the plan's order."""
        return tuple(view for view in self.plan.viewpoints if view.index not in self.frames)

    def append(self, photo: TakenPhoto, times: StepTimes | None = None) -> FrameEntry:
        """Keep a photo: image, fsync, rename, fsync, journal line, fsync; then it counts. Raises StoreFault."""
        self._forecast.require_next(self.plan)
        jpeg = with_exif(
            encode_planes(photo.photo, self.plan.jpeg_quality),
            self.plan.camera,
            photo.exposure_us,
            photo.analogue_gain,
            photo.taken_at,
            f"scannerd {__version__}",
        )
        path = self.folder.frame(photo.viewpoint.index)
        write_durably(path, jpeg)
        entry = FrameEntry(
            index=photo.viewpoint.index,
            angle_deg=photo.angle_deg,
            file=StoredFile(name=f"frames/{path.name}", sha256=sha256_of_bytes(jpeg), size_bytes=len(jpeg)),
            exposure_us=photo.exposure_us,
            analogue_gain=photo.analogue_gain,
            sharpness=photo.sharpness,
            attempt=photo.attempt,
            taken_at=photo.taken_at,
        )
        body: dict[str, object] = {"frame": entry.model_dump(mode="json")}
        if times is not None:
            body["times"] = {name: round(seconds, 4) for name, seconds in asdict(times).items()}
        self.journal.append("frame", **body)
        self.frames[entry.index] = entry
        write_durably(self.folder.thumbnail(entry.index), thumbnail_jpeg(photo.small))
        return entry

    def note(self, kind: str, **body: object) -> None:
        """Write a journal line that is not about a photo. Raises StoreFault."""
        self.journal.append(kind, **body)

    def verify_frames(self) -> tuple[int, ...]:
        """Hash every photo that counts; those that are damaged count no more. Returns their numbers."""
        lost = []
        for index, entry in sorted(self.frames.items()):
            damage = _damage(self.folder.path / entry.file.name, entry.file)
            if damage is not None:
                LOG.warning("is taken again: %s", damage, extra=about(scan=self.plan.scan_id, frame=index))
                self.note("lost", index=index, reason=damage)
                del self.frames[index]
                lost.append(index)
        return tuple(lost)

    def seal(self, now: datetime) -> Manifest:
        """Write the manifest; the scan is a bundle then. Raises StoreFault while photos are missing."""
        missing = self.missing()
        if missing:
            numbers = ", ".join(str(view.index) for view in missing)
            raise StoreFault(
                f"scan {self.plan.scan_id}: photos {numbers} are missing; resume the scan before sealing it"
            )
        frames = tuple(self.frames[view.index] for view in self.plan.viewpoints)
        self._keep_poses(frames)
        manifest = Manifest(
            scan_id=self.plan.scan_id,
            created_at=now,
            device=self.plan.device,
            camera=self.plan.camera,
            photo_width_px=self.plan.photo_width_px,
            photo_height_px=self.plan.photo_height_px,
            mat=self.plan.mat,
            intrinsics=self.plan.intrinsics,
            frames=frames,
            background=stored_background(self.folder),
            extras=tuple(
                stored_file(path) for path in (self.folder.poses, self.folder.contact_sheet) if path.exists()
            ),
            options=self.plan.options,
        )
        write_durably(self.folder.manifest, manifest.canonical_bytes())
        self.note("sealed", manifest_sha256=manifest.digest())
        return manifest

    def _keep_poses(self, frames: tuple[FrameEntry, ...]) -> None:
        """A scan without them is complete all the same: whoever reconstructs it finds them from the photos."""
        try:
            keep_poses(self.folder, find_poses(self.folder, self.plan, frames))
        except NoPoses as reason:
            LOG.info("sealed without poses: %s", reason, extra=about(scan=self.plan.scan_id))

    def close(self) -> None:
        """Close the journal; safe to call twice."""
        self.journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _damage(path: Path, file: StoredFile) -> str | None:
    try:
        size = path.stat().st_size
        if size != file.size_bytes:
            return f"{path} has {size} bytes, the journal says {file.size_bytes}"
        return None if sha256_of_file(path) == file.sha256 else f"{path} does not match its hash"
    except OSError as error:
        return f"{path}: {error.strerror}"


@dataclass(frozen=True)
class ScanStore:
    """All scans of one device."""

    layout: StoreLayout
    reserve_bytes: int = 0
    free_bytes: Callable[[Path], int] = free_bytes_at
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def prepare(self) -> None:
        """Make the folders, and sweep up scans that were never born. Raises StoreFault."""
        try:
            self.layout.scans.mkdir(parents=True, exist_ok=True)
            for unborn in self.layout.scans.glob(".*.new"):
                shutil.rmtree(unborn)
            remove_parts(self.layout.root)
        except OSError as error:
            raise StoreFault(f"{self.layout.root}: cannot be used: {error.strerror}; check [store] folder") from error

    @property
    def forecast(self) -> DiskForecast:
        """What is asked before anything is written."""
        return DiskForecast(self.layout.scans, self.reserve_bytes, self.free_bytes)

    def begin(self, plan: ScanPlan) -> tuple[StoredScan, str | None]:
        """Return the new scan, and why the background photo was not used (None when it was, or there is none).

        Raises StoreFull when it would not fit, ScanExists, StoreFault. Until the plan and the first journal line are
        on the disk the scan has no name; a power cut leaves nothing.
        """
        self.forecast.require(plan, len(plan.viewpoints))
        folder, unborn = self.layout.scan(plan.scan_id), self.layout.unborn(plan.scan_id)
        if folder.path.exists():
            raise ScanExists(
                f"scan {plan.scan_id}: exists already in {folder.path}; choose another name, or resume it"
            )
        try:
            shutil.rmtree(unborn.path, ignore_errors=True)
            unborn.frames.mkdir(parents=True)
            unborn.thumbnails.mkdir()
            write_durably(unborn.plan, plan.model_dump_json(indent=2).encode())
            Journal.create(unborn.journal, self.now).close()
            remark = BackgroundPlate(self.layout).give_to(unborn, plan)
            unborn.path.rename(folder.path)
            fsync_folder(self.layout.scans)
        except OSError as error:
            raise StoreFault(f"{folder.path}: cannot be made: {error.strerror}") from error
        scan = self.open(plan.scan_id)
        scan.note("begun", views=len(plan.viewpoints), version=__version__)
        return scan, remark

    def open(self, scan_id: str) -> StoredScan:
        """Return a scan as the disk has it, ready to go on. Raises ScanUnknown, StoreFault."""
        folder = self.layout.scan(scan_id)
        plan = self.plan(scan_id)
        remove_parts(folder.path)
        remove_parts(folder.frames)
        remove_parts(folder.thumbnails)
        journal = Journal.open(folder.journal, self.now)
        try:
            return StoredScan(folder, plan, journal, self.forecast)
        except StoreFault:
            journal.close()
            raise

    def plan(self, scan_id: str) -> ScanPlan:
        """Return the frozen plan. Raises ScanUnknown, StoreFault."""
        folder = self.layout.scan(scan_id)
        try:
            return ScanPlan.model_validate_json(folder.plan.read_bytes())
        except FileNotFoundError as error:
            known = ", ".join(self.scan_ids()[-5:]) or "none"
            raise ScanUnknown(f"scan {scan_id}: not in {self.layout.scans}; the latest there: {known}") from error
        except (OSError, ValidationError) as error:
            raise StoreFault(f"{folder.plan}: cannot be used: {error}") from error

    def scan_ids(self) -> list[str]:
        """All scans, oldest first."""
        if not self.layout.scans.is_dir():
            return []
        plans = [path for path in self.layout.scans.glob("*/plan.json") if not path.parent.name.startswith(".")]
        return [plan.parent.name for plan in sorted(plans, key=lambda path: (path.stat().st_mtime_ns, path))]

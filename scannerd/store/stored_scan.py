"""One scan, open for writing: filled frame by frame, verified, swept and sealed into a bundle."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from drivers.raw_picture import Raw
from offload.logs.fields import about
from offload.wire.bundle import FrameEntry, StoredFile
from scannerd.commands import RawPhotos
from scannerd.events import StepTimes
from scannerd.geometry.joint_poses import NoPoses
from scannerd.scan.plan import ScanPlan, Viewpoint
from scannerd.store.background import stored_file
from scannerd.store.developed import DevelopedPhoto
from scannerd.store.durable import StoreFault, fsync_folder, remove_parts, write_group
from scannerd.store.hashing import sha256_of_file
from scannerd.store.history import Frames, ScanHistory
from scannerd.store.journal import Journal
from scannerd.store.layout import ScanFolder
from scannerd.store.raw_files import write_raw
from scannerd.store.scan_poses import find_poses, keep_poses
from scannerd.store.seal import Seal, write_seal
from scannerd.store.space import DiskForecast
from scannerd.store.thumbnails import keep_thumbnail

LOG = logging.getLogger(__name__)


class StoredScan:
    """One scan, open for writing. Only the thread that called may be inside a method, but for `write_raw`."""

    def __init__(
        self, folder: ScanFolder, plan: ScanPlan, journal: Journal, history: ScanHistory, forecast: DiskForecast
    ) -> None:
        self.folder = folder
        self.plan = plan
        self._journal = journal
        self._history = history
        self._forecast = forecast
        self._viewpoints: tuple[Viewpoint, ...] = ()

    @property
    def frames(self) -> Frames:
        """The photos that count; an entry is read when it is asked for, so ask for few."""
        return self._history.frames

    @property
    def viewpoints(self) -> tuple[Viewpoint, ...]:
        """Those of the frozen plan, and those that were added since."""
        if len(self._viewpoints) != len(self.plan.viewpoints) + len(self._history.extensions):
            self._viewpoints = self.plan.viewpoints + self._history.extensions
        return self._viewpoints

    def locked_settings_of(self, camera: int) -> Mapping[str, Any] | None:
        """A camera's settings that were locked last, as `note_lock` was given them."""
        return self._history.locked.get(camera)

    def note_lock(self, settings: Mapping[str, Any], camera: int) -> None:
        """Write what a camera was locked to; only several cameras need numbers. Raises StoreFault."""
        self.note("locked", settings=settings, **({"camera": camera} if camera else {}))

    def has_photo_of(self, camera: int) -> bool:
        """Whether a photo of this camera counts."""
        if not self.plan.cameras:
            return bool(self.frames)
        return any(self.viewpoints[index].camera == camera for index in self.frames)

    @property
    def index_offset_deg(self) -> float | None:
        """What to add to the axis's angle once its index was found, as `note("indexed", offset_deg=…)` had it."""
        return self._history.index_offset_deg

    @property
    def retakes_wanted(self) -> tuple[int, ...]:
        """Viewpoints whose photo counts until the one that a person wants instead is there."""
        return self._history.retakes_wanted

    @property
    def begun_before(self) -> bool:
        """Whether more has happened to this scan than its beginning."""
        return self._history.lines > 1

    @property
    def sealed(self) -> bool:
        """Whether the manifest is there: nothing changes any more."""
        return self.folder.manifest.exists()

    def missing(self) -> tuple[Viewpoint, ...]:
        """The viewpoints without a photo that counts, in order."""
        return tuple(view for view in self.viewpoints if view.index not in self.frames)

    @property
    def complete(self) -> bool:
        """Whether every viewpoint has its photo, and nobody wants another."""
        return not self.missing() and not self.retakes_wanted

    def extend(self, viewpoints: Sequence[Viewpoint]) -> None:
        """Add viewpoints to the plan, numbered on from the last one. Raises ValueError, StoreFault."""
        numbers, first = [view.index for view in viewpoints], len(self.viewpoints)
        if numbers != list(range(first, first + len(numbers))):
            raise ValueError(f"scan {self.plan.scan_id}: viewpoints {numbers} do not go on from {first - 1}")
        self.note("extended", viewpoints=[view.model_dump(mode="json") for view in viewpoints])

    def require_room(self, photos: int = 1) -> None:
        """Raise StoreFull, naming need and space, unless so many more photos fit beside the reserve."""
        self._forecast.require_next(self.plan, photos)

    def keep(
        self,
        photo: DevelopedPhoto,
        times: StepTimes | None = None,
        stages: Mapping[str, tuple[float, float]] | None = None,
    ) -> FrameEntry:
        """Write a photo, and count it. Raises StoreFull before anything is written, StoreFault."""
        return self.count(self.write(photo), times, stages)

    def write(self, photo: DevelopedPhoto) -> DevelopedPhoto:
        """Keep all files of a photo: written, fsynced, renamed. It does not count yet.

        Returns it with the names that the files have now. Raises StoreFull before anything is written, StoreFault.
        """
        self._forecast.require_bytes(photo.size_bytes)
        photo = photo.as_take(self._history.next_take(photo.entry.index))
        write_group({self.folder.path / name: data for name, data in photo.files.items()})
        keep_thumbnail(self.folder, photo.entry.file, photo.thumbnail)
        return photo

    def count(
        self,
        photo: DevelopedPhoto,
        times: StepTimes | None = None,
        stages: Mapping[str, tuple[float, float]] | None = None,
    ) -> FrameEntry:
        """Write the journal line of a photo whose files are on the disk; once it is there, the photo counts.

        The viewpoint's earlier photo counts until that instant and is removed after it. `stages` are when each stage
        began and ended, in seconds since the run began. Raises StoreFault; then the earlier photo still counts.
        """
        replaced = self.frames.get(photo.entry.index)
        body: dict[str, object] = {"frame": photo.entry.model_dump(mode="json")}
        if times is not None:
            rounded: dict[str, object] = {name: round(seconds, 4) for name, seconds in asdict(times).items()}
            if stages is not None:
                rounded["stages"] = {stage: [round(s, 4) for s in span] for stage, span in stages.items()}
            body["times"] = rounded
        self.note("frame", **body)
        if replaced is not None:
            self._remove(replaced)
        return photo.entry

    def write_raw(self, photo: FrameEntry, raw: Raw) -> StoredFile:
        """Keep the raw file of a photo that counts; it does not belong to it yet.

        Beside all other methods, in a thread of its own. Raises StoreFull before anything is written, StoreFault.
        """
        self._forecast.require_bytes(max(raw.size_bytes, self.plan.raw_bytes))
        return write_raw(self.folder.path, self.plan.of_camera(photo.camera), photo, raw)

    def count_raw(self, photo: FrameEntry, raw: StoredFile) -> None:
        """Write the journal line of a photo's raw file that is on the disk; from then on it belongs to the photo.

        Where another photo has taken that one's place meanwhile, the file is removed. Raises StoreFault.
        """
        counted = self.frames.get(photo.index)
        if counted is None or counted.file != photo.file:
            (self.folder.path / raw.name).unlink(missing_ok=True)
            return
        travels = self.plan.raw is RawPhotos.BUNDLE
        self.note("raw", index=photo.index, photo=photo.file.name, file=raw.model_dump(mode="json"), travels=travels)

    def want_raws(self) -> tuple[int, ...]:
        """Note that photos are wanted again whose raw file an interruption has kept from the disk; return which.

        Each counts until the next one is there. Raises StoreFault.
        """
        if self.plan.raw is RawPhotos.NEVER:
            return ()
        without = tuple(index for index in sorted(self.frames) if self.frames[index].raw is None)
        wanted = tuple(index for index in without if index not in self.retakes_wanted)
        for index in wanted:
            self.note("retake", index=index, reason="its raw file was not on the disk yet")
        return wanted

    def note(self, kind: str, **body: object) -> None:
        """Write a journal line that is not about a photo. Raises StoreFault."""
        self._history.take_in(self._journal.append(kind, **body))

    def verify_frames(self) -> tuple[int, ...]:
        """Hash all files of every photo that counts; those that are damaged count no more. Returns their numbers."""
        lost = []
        for index in sorted(self.frames):
            files = self.frames[index].kept_files()
            damage = next(filter(None, (_damage(self.folder.path / file.name, file) for file in files)), None)
            if damage is not None:
                LOG.warning("is taken again: %s", damage, extra=about(scan=self.plan.scan_id, frame=index))
                self.note("lost", index=index, reason=damage)
                lost.append(index)
        return tuple(lost)

    def seal(self, now: datetime) -> Seal:
        """Find the poses and write the manifest; the scan is a bundle then. Raises StoreFault while one is missing.

        What there is of the folder's `extras` travels with the photos.
        """
        missing = self.missing()
        if missing:
            numbers = ", ".join(str(view.index) for view in missing)
            raise StoreFault(
                f"scan {self.plan.scan_id}: photos {numbers} are missing; resume the scan before sealing it"
            )
        self.sweep()
        for folder in (self.folder.frames, self.folder.thumbnails):
            fsync_folder(folder)  # What was removed stays away: nothing but the bundle's files is there.
        self._keep_poses()
        extras = [stored_file(path) for path in self.folder.extras if path.exists()]
        seal = write_seal(self.folder, self.plan, self.viewpoints, self.frames, now, extras)
        self.note("sealed", manifest_sha256=seal.manifest_sha256)
        return seal

    def sweep(self) -> None:
        """Remove what an interruption left: files half written, and those of photos that do not count."""
        remove_parts(self.folder.path)
        counted = {file.name for index in self.frames for file in self.frames[index].kept_files()}
        small = {self.folder.thumbnail_of(self.frames[index].file).name for index in self.frames}
        for path in self.folder.frames.iterdir():
            if f"{self.folder.frames.name}/{path.name}" not in counted:
                LOG.info("removed: %s belongs to no photo that counts", path, extra=about(scan=self.plan.scan_id))
                path.unlink(missing_ok=True)
        for path in self.folder.thumbnails.iterdir():
            if path.name not in small:
                path.unlink(missing_ok=True)

    def note_seal(self) -> None:
        """Complete the journal of a scan whose seal outlived the line that tells of it."""
        if self.sealed and not self._history.sealed:
            self.note("sealed", manifest_sha256=sha256_of_file(self.folder.manifest))

    def _keep_poses(self) -> None:
        """A scan without them is complete all the same: whoever reconstructs it finds them from the photos."""
        try:
            frames = (self.frames[view.index] for view in self.viewpoints)
            keep_poses(self.folder, find_poses(self.folder, self.plan, frames))
        except NoPoses as reason:
            LOG.info("sealed without poses: %s", reason, extra=about(scan=self.plan.scan_id))

    def close(self) -> None:
        """Close the journal; safe to call twice."""
        self._journal.close()

    def _remove(self, entry: FrameEntry) -> None:
        kept = (self.folder.path / file.name for file in entry.kept_files())
        for path in (self.folder.thumbnail_of(entry.file), *kept):
            path.unlink(missing_ok=True)

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

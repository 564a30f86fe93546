"""What there is to export of a scan: photos, masks, and its cameras with their lenses and poses as far as known."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from offload.geometry.lens import Lens
from offload.wire.bundle import CameraModel, FrameEntry
from offload.wire.poses import FramePose, ScanPoses
from scannerd.export.exported_file import ExportFault
from scannerd.geometry.joint_poses import NoPoses
from scannerd.scan.plan import ScanPlan
from scannerd.store.history import history_of
from scannerd.store.journal import stream
from scannerd.store.layout import ScanFolder
from scannerd.store.scan_poses import find_poses, kept_poses
from scannerd.store.scans import ScanStore
from scannerd.store.sidecars import MASK, sidecar_path


@dataclass(frozen=True)
class SetCamera:
    """One camera of a scan."""

    name: str
    camera: CameraModel
    lens: Lens
    lens_is_known: bool
    """False: it is the data sheet's."""


@dataclass(frozen=True)
class SetPhoto:
    """One photo."""

    index: int
    name: str
    """In the export, such as 0007.jpg: by the viewpoint, however often it was taken again. Several cameras have a
    folder each: 1-side/0007.jpg."""
    camera: int
    """Its number."""
    path: Path
    mask: Path | None
    """8 bit, 255 on the object, smaller than the photo."""
    pose: FramePose | None
    """None where nobody knows, and for an object that was turned over: it lies elsewhere in the mat's frame then."""
    raw: Path | None = None
    """The same exposure as the sensor saw it, where the scan kept that: a DNG, or the camera's own raw file."""


@dataclass(frozen=True)
class PhotoSet:
    """One scan's plain photos; of brackets and repeats only the first is there."""

    scan_id: str
    cameras: tuple[SetCamera, ...]
    """By number."""
    scale_source: str | None
    photos: tuple[SetPhoto, ...]
    no_poses_because: str | None = None

    @property
    def posed(self) -> tuple[SetPhoto, ...]:
        """The photos whose camera is known."""
        return tuple(photo for photo in self.photos if photo.pose is not None)

    @property
    def masked(self) -> tuple[SetPhoto, ...]:
        """The photos with a mask."""
        return tuple(photo for photo in self.photos if photo.mask is not None)

    def camera_of(self, photo: SetPhoto) -> SetCamera:
        """Return which camera took a photo."""
        return self.cameras[photo.camera]

    def require_poses(self, program: str) -> None:
        """Raise ExportFault unless there are photos whose camera is known."""
        if not self.posed:
            raise ExportFault(
                f"{self.no_poses_because or f'scan {self.scan_id}: no photo has a pose'}; {program} needs poses: "
                "export for meshroom, colmap or realitycapture, which find them themselves"
            )


def photo_set(store: ScanStore, scan_id: str) -> PhotoSet:
    """Read what there is of a scan, sealed or not. Raises ScanUnknown, StoreFault, ExportFault."""
    folder, plan = store.layout.scan(scan_id), store.plan(scan_id)
    counted = history_of(stream(folder.journal)).frames
    frames = [counted[index] for index in sorted(counted)]
    if not frames:
        raise ExportFault(f"scan {scan_id}: has no photos yet")
    poses, reason = _poses(folder, plan, frames)
    cameras = _cameras(plan, poses)
    by_index = {pose.index: pose for pose in poses.frames} if poses is not None else {}
    first_side = min(frame.side for frame in frames)
    return PhotoSet(
        scan_id=scan_id,
        cameras=cameras,
        scale_source=poses.scale_source if poses is not None else None,
        photos=tuple(
            SetPhoto(
                index=frame.index,
                name=_name(frame, cameras),
                camera=frame.camera,
                path=folder.path / frame.file.name,
                mask=sidecar_path(folder.path, frame, MASK),
                pose=by_index.get(frame.index) if frame.side == first_side else None,
                raw=folder.path / frame.raw.name if frame.raw is not None else None,
            )
            for frame in frames
            if frame.is_plain
        ),
        no_poses_because=reason,
    )


def _cameras(plan: ScanPlan, poses: ScanPoses | None) -> tuple[SetCamera, ...]:
    return tuple(
        _camera(plan.of_camera(number), name, number, poses) for number, name in enumerate(plan.camera_names)
    )


def _camera(plan: ScanPlan, name: str, number: int, poses: ScanPoses | None) -> SetCamera:
    known = (poses.intrinsics_of(number) if poses is not None else None) or plan.intrinsics
    lens = Lens.of(known).at_size(*plan.size_px) if known is not None else Lens.nominal(plan.camera, *plan.size_px)
    return SetCamera(name, plan.camera, lens, known is not None)


def _name(frame: FrameEntry, cameras: tuple[SetCamera, ...]) -> str:
    folder = f"{frame.camera}-{cameras[frame.camera].name}/" if len(cameras) > 1 else ""
    return f"{folder}{frame.index:04d}.jpg"


def _poses(folder: ScanFolder, plan: ScanPlan, frames: Iterable[FrameEntry]) -> tuple[ScanPoses | None, str | None]:
    """Those of the bundle, else, for a scan that is not sealed yet, what its photos tell so far."""
    kept = kept_poses(folder)
    if kept is not None:
        return kept, None
    try:
        return find_poses(folder, plan, frames), None
    except NoPoses as reason:
        return None, str(reason)

"""The seal of a scan: its manifest, put together photo by photo so that a thousand of them need no more memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from offload.wire.bundle import CameraOfScan, FrameEntry, Manifest, StoredFile
from scannerd.scan.plan import ScanPlan, Viewpoint
from scannerd.store.background import stored_background
from scannerd.store.durable import StoreFault, write_durably
from scannerd.store.hashing import sha256_of_bytes
from scannerd.store.history import Frames
from scannerd.store.layout import ScanFolder

FEWEST_FRAMES = 3
_NO_FRAMES = b'"frames":[]'


@dataclass(frozen=True)
class Seal:
    """What was sealed."""

    manifest_sha256: str
    frames: int
    total_bytes: int
    """Of all files that the manifest names."""


def write_seal(
    folder: ScanFolder,
    plan: ScanPlan,
    viewpoints: Sequence[Viewpoint],
    frames: Frames,
    now: datetime,
    extras: Sequence[StoredFile],
) -> Seal:
    """Write `manifest.json`, frames in the order of viewpoints, in the bytes that `Manifest` encodes to.

    Raises StoreFault.
    """
    if len(viewpoints) < FEWEST_FRAMES:
        raise StoreFault(f"scan {plan.scan_id}: {len(viewpoints)} photos are no bundle; take {FEWEST_FRAMES} or more")
    around = Manifest.model_construct(
        format=2 if plan.cameras else 1,
        scan_id=plan.scan_id,
        created_at=now,
        device=plan.device,
        camera=plan.camera,
        photo_width_px=plan.photo_width_px,
        photo_height_px=plan.photo_height_px,
        mat=plan.mat,
        intrinsics=plan.intrinsics,
        frames=(),
        background=stored_background(folder),
        extras=tuple(extras),
        options=plan.options,
        cameras=_other_cameras(folder, plan),
    )
    in_order = [view.index for view in viewpoints]
    total_bytes = _total_bytes(plan.scan_id, around, (frames[index] for index in in_order))
    before, after = around.canonical_bytes().split(_NO_FRAMES)
    listed = b",".join(frames.json(index) for index in in_order)
    manifest = b"".join((before, _NO_FRAMES[:-1], listed, _NO_FRAMES[-1:], after))
    write_durably(folder.manifest, manifest)
    return Seal(sha256_of_bytes(manifest), len(in_order), total_bytes)


def _other_cameras(folder: ScanFolder, plan: ScanPlan) -> tuple[CameraOfScan, ...]:
    return tuple(
        CameraOfScan(
            name=other.name,
            camera=other.camera,
            photo_width_px=other.photo_width_px,
            photo_height_px=other.photo_height_px,
            intrinsics=other.intrinsics,
            background=stored_background(folder, number, other.name),
        )
        for number, other in enumerate(plan.cameras, 1)
    )


def _total_bytes(scan_id: str, around: Manifest, frames: Iterator[FrameEntry]) -> int:
    """Return the size of all files. Raises StoreFault when two have the same name."""
    names: set[str] = set()
    total_bytes = 0
    for files in chain([around.files()], (frame.files() for frame in frames)):
        for file in files:
            if file.name in names:
                raise StoreFault(f"scan {scan_id}: two files of the bundle are named {file.name}")
            names.add(file.name)
            total_bytes += file.size_bytes
    return total_bytes

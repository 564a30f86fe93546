"""Rendered photo sets as bundles: what a scan of this mesh would have sent to the service."""

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from offload.wire.bundle import (
    FIRST_CAMERA,
    CameraModel,
    CameraOfScan,
    FrameEntry,
    Intrinsics,
    Manifest,
    MatSpec,
    ReconstructionOptions,
    StoredFile,
)

TAKEN_AT = datetime(2026, 1, 1, tzinfo=UTC)


class RenderFailed(RuntimeError):
    """The mesh could not be photographed; the message is the renderer's own."""


@dataclass(frozen=True)
class PhotoSet:
    """What shall be rendered."""

    mesh: str
    views: int
    elevations_deg: list[float]
    size_px: str
    cameras: int = 1
    plate_elevation_deg: float | None = None

    @property
    def name(self) -> str:
        """Of the set's folder."""
        heights = "_".join(f"{elevation_deg:g}" for elevation_deg in self.elevations_deg)
        of_cameras = f"-{self.cameras}-cameras" if self.cameras > 1 else ""
        plate = "" if self.plate_elevation_deg is None else f"-plate-{self.plate_elevation_deg:g}"
        return f"{Path(self.mesh).stem}-{self.views}-{heights}-{self.size_px}{of_cameras}{plate}"

    def arguments(self) -> list[str]:
        """Return the renderer's arguments but for the folder."""
        wanted = ["--object", self.mesh, "--views", str(self.views), "--size", self.size_px]
        wanted += ["--elevation", *(f"{elevation_deg:g}" for elevation_deg in self.elevations_deg)]
        wanted += ["--cameras", str(self.cameras)]
        if self.plate_elevation_deg is not None:
            wanted += ["--plate-elevation", f"{self.plate_elevation_deg:g}"]
        return wanted


def render(wanted: PhotoSet, folder: Path) -> None:
    """Render the set unless the folder already holds a finished one of the same parameters."""
    stamp, arguments = folder / "rendered-as", wanted.arguments()
    if stamp.is_file() and stamp.read_text() == " ".join(arguments):
        return
    command = [sys.executable, "-m", "drivers.bench.render_set", *arguments, "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderFailed(done.stderr.strip().splitlines()[-1])
    stamp.write_text(" ".join(arguments))


def write_manifest(
    folder: Path, options: ReconstructionOptions, *, stored_intrinsics: bool, with_plate: bool = True
) -> Manifest:
    """Write `manifest.json` from what a scan would know: `set.json`; the true intrinsics only if asked for."""
    said = json.loads((folder / "set.json").read_text())
    frames = tuple(
        FrameEntry(
            index=frame["index"],
            angle_deg=frame["angle_deg"],
            ring=frame.get("ring", 0),
            elevation_deg=frame.get("elevation_deg"),
            camera=frame.get("camera", 0),
            file=stored_file(folder, frame["name"]),
            exposure_us=said["exposure_us"],
            analogue_gain=said["analogue_gain"],
            taken_at=TAKEN_AT,
        )
        for frame in said["frames"]
    )
    first, *others = [
        CameraOfScan(
            name=one.get("name", FIRST_CAMERA),
            camera=CameraModel(**one["camera"]),
            photo_width_px=one["photo_width_px"],
            photo_height_px=one["photo_height_px"],
            intrinsics=true_intrinsics(folder, number) if stored_intrinsics else None,
            background=stored_file(folder, one["background"]) if with_plate else None,
        )
        for number, one in enumerate([said, *said.get("cameras", [])])
    ]
    manifest = Manifest(
        format=2 if others else 1,
        scan_id=folder.name,
        created_at=TAKEN_AT,
        device="bench",
        camera=first.camera,
        photo_width_px=first.photo_width_px,
        photo_height_px=first.photo_height_px,
        mat=MatSpec(**said["mat"]),
        intrinsics=first.intrinsics,
        frames=frames,
        background=first.background,
        cameras=tuple(others),
        options=options,
    )
    (folder / "manifest.json").write_bytes(manifest.canonical_bytes())
    return manifest


def true_intrinsics(folder: Path, camera: int = 0) -> Intrinsics:
    """Return the renderer's own camera, as a perfect calibration would have stored it."""
    said = json.loads((folder / "set.json").read_text())
    index = next(frame["index"] for frame in said["frames"] if frame.get("camera", 0) == camera)
    truth = json.loads((folder / "truth.json").read_text())["frames"][index]
    width_px, height_px = photo_size_px(folder, camera)
    (fx, _, cx), (_, fy, cy), _ = truth["K"]
    k1, k2, p1, p2, k3 = truth["distortion"]
    return Intrinsics(
        width_px=width_px,
        height_px=height_px,
        fx_px=fx,
        fy_px=fy,
        cx_px=cx,
        cy_px=cy,
        distortion=(k1, k2, p1, p2, k3),
    )


def photo_size_px(folder: Path, camera: int) -> tuple[int, int]:
    """Return width and height of one camera's photos."""
    said = json.loads((folder / "set.json").read_text())
    own = [said, *said.get("cameras", [])][camera]
    return own["photo_width_px"], own["photo_height_px"]


def stored_file(folder: Path, name: str) -> StoredFile:
    """Return name, hash and size of a file in the folder."""
    content = (folder / name).read_bytes()
    return StoredFile(name=name, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))

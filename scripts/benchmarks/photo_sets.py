"""Rendered photo sets as bundles: what a scan of this mesh would have sent to the service."""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from offload.wire.bundle import (
    CameraModel,
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


def render(mesh: str, views: int, elevations_deg: list[float], size_px: str, folder: Path) -> None:
    """Render the set unless the folder already holds a finished one of the same parameters."""
    elevations = [f"{elevation_deg:g}" for elevation_deg in elevations_deg]
    wanted = f"{mesh} {views} {' '.join(elevations)} {size_px}"
    stamp = folder / "rendered-as"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    command = [sys.executable, "-m", "drivers.bench.render_set", "--object", mesh, "--views", str(views)]
    command += ["--elevation", *elevations, "--size", size_px, "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderFailed(done.stderr.strip().splitlines()[-1])
    stamp.write_text(wanted)


def write_manifest(folder: Path, options: ReconstructionOptions, *, stored_intrinsics: bool) -> Manifest:
    """Write `manifest.json` from what a scan would know: `set.json`; the true intrinsics only if asked for."""
    said = json.loads((folder / "set.json").read_text())
    frames = tuple(
        FrameEntry(
            index=frame["index"],
            angle_deg=frame["angle_deg"],
            ring=frame.get("ring", 0),
            elevation_deg=frame.get("elevation_deg"),
            file=stored_file(folder, frame["name"]),
            exposure_us=said["exposure_us"],
            analogue_gain=said["analogue_gain"],
            taken_at=TAKEN_AT,
        )
        for frame in said["frames"]
    )
    manifest = Manifest(
        scan_id=folder.name,
        created_at=TAKEN_AT,
        device="bench",
        camera=CameraModel(**said["camera"]),
        photo_width_px=said["photo_width_px"],
        photo_height_px=said["photo_height_px"],
        mat=MatSpec(**said["mat"]),
        intrinsics=true_intrinsics(folder) if stored_intrinsics else None,
        frames=frames,
        background=stored_file(folder, said["background"]),
        options=options,
    )
    (folder / "manifest.json").write_bytes(manifest.canonical_bytes())
    return manifest


def true_intrinsics(folder: Path) -> Intrinsics:
    """Return the renderer's own camera, as a perfect calibration would have stored it."""
    said = json.loads((folder / "set.json").read_text())
    truth = json.loads((folder / "truth.json").read_text())["frames"][0]
    (fx, _, cx), (_, fy, cy), _ = truth["K"]
    k1, k2, p1, p2, k3 = truth["distortion"]
    return Intrinsics(
        width_px=said["photo_width_px"],
        height_px=said["photo_height_px"],
        fx_px=fx,
        fy_px=fy,
        cx_px=cx,
        cy_px=cy,
        distortion=(k1, k2, p1, p2, k3),
    )


def stored_file(folder: Path, name: str) -> StoredFile:
    """Return name, hash and size of a file in the folder."""
    content = (folder / name).read_bytes()
    return StoredFile(name=name, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))

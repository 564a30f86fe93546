"""Renders a whole scan to a folder, without a table that turns: photos for the engine's own benches.

    python -m drivers.bench.render_set --object FILE|default --views 36 --elevation 30 --size 1600x1200 --out DIR

Several elevations are several rings of so many photos each; with `--cameras` so many cameras stand at one elevation
each instead, every one with a lens, a size of photo and a white balance of its own, and take a photo at every stop.

The folder then holds `frames/0000.jpg…`, `background.jpg` (the empty table; `background-1.jpg` of the second camera),
`set.json` (what a scan would know),
`truth.json` (what nobody knows: true K, distortion, R, t and angle of every frame), `masks/0000.png…` (true
silhouettes) and `truth.ply` (the mesh itself in the mat's frame).
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import trimesh
from numpy.typing import NDArray

from drivers.bench.default_object import default_object
from drivers.bench.mat_picture import charuco_mat
from drivers.bench.mesh_file import load_mesh
from drivers.bench.photo_rig import Rig, RigCamera, rig_of
from drivers.bench.picture.textures import linear_to_srgb
from drivers.bench.renderer import Renderer, TrueView
from drivers.bench.scene import MeshFileError, Scene, SceneObject

JPEG_QUALITY = 92
_MAT = {"columns": 15, "rows": 15, "square_mm": 18.0, "marker_mm": 13.5, "dictionary": "DICT_4X4_250"}


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        thing = thing_named(options.object, keep_size=options.keep_size, up_axis=options.up)
    except MeshFileError as error:
        print(error, file=sys.stderr)
        return 1
    scene = Scene(thing, charuco_mat())
    try:
        rig = rig_of(options.cameras, tuple(options.elevation), options.size, options.plate_elevation)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    render_set(scene, rig, options.views, options.jitter_deg, options.seed, options.out)
    return 0


def thing_named(name: str, *, keep_size: bool = False, up_axis: str | None = None) -> SceneObject:
    """Return the project's own thing for "default", else the mesh of a file. Raises MeshFileError."""
    if name == "default":
        return default_object()
    return load_mesh(Path(name), keep_size=keep_size, up_axis=up_axis)


def render_set(scene: Scene, rig: Rig, views: int, jitter_deg: float, seed: int, out: Path) -> None:
    """Render `views` photos at even angles on each turn of each camera.

    Each stop is off by a normal error of `jitter_deg`, as only the truth knows; it is the same for all cameras.
    """
    for folder in ("frames", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    renderers = [Renderer(replace(scene, camera=camera.model)) for camera in rig.cameras]
    rings = 1 + max(turn.ring for turn in rig.turns)
    errors_deg = np.random.default_rng(seed).normal(0, jitter_deg, (rings, views))
    photos = views * len(rig.turns)
    frames, truths = [], []
    for index in range(photos):
        turn, stop = rig.turns[index // views], index % views
        camera, renderer = rig.cameras[turn.camera], renderers[turn.camera]
        nominal_deg = 360.0 * (stop + turn.ring % 2 / 2) / views
        true_deg = nominal_deg + float(errors_deg[turn.ring, stop])
        exposure = camera.exposure(true_deg, turn.elevation_deg, seed + index)
        name = f"{index:04d}.jpg"
        _write_jpeg(out / "frames" / name, renderer.render(exposure))
        view = renderer.truth(*camera.size_px, true_deg, turn.elevation_deg)
        cv2.imwrite(str(out / "masks" / f"{index:04d}.png"), view.mask)
        place = {"ring": turn.ring, "elevation_deg": turn.elevation_deg, "camera": turn.camera}
        frames.append({"index": index, "name": f"frames/{name}", "angle_deg": nominal_deg, **place})
        truths.append(_truth_entry(index, name, true_deg, view))
        print(f"photo {index + 1} of {photos} at {true_deg:.2f}°", file=sys.stderr)
    for number, (camera, renderer) in enumerate(zip(rig.cameras, renderers, strict=True)):
        empty = camera.exposure(0.0, rig.plate_elevation_deg(number), seed + photos + number)
        _write_jpeg(out / _plate_name(number), renderer.render(replace(empty, object_present=False)))
    _write_json(out / "set.json", _set_entry(rig, frames))
    _write_json(out / "truth.json", {"mat_offset_mm": scene.mat_offset_mm, "frames": truths})
    write_truth_mesh(scene.thing, out / "truth.ply")


def _plate_name(camera: int) -> str:
    return f"background-{camera}.jpg" if camera else "background.jpg"


def write_truth_mesh(thing: SceneObject, path: Path) -> None:
    """Write the mesh as PLY in the mat's frame, with its vertex colours if it has them."""
    colours = None
    if thing.vertex_colours is not None:
        colours = np.asarray(linear_to_srgb(thing.vertex_colours) * 255 + 0.5, dtype=np.uint8)
    trimesh.Trimesh(thing.vertices_mm, thing.faces, vertex_colors=colours, process=False).export(path)


def _set_entry(rig: Rig, frames: list[dict[str, Any]]) -> dict[str, Any]:
    first, *others = [_camera_entry(number, camera) for number, camera in enumerate(rig.cameras)]
    del first["name"]
    return {
        **first,
        "mat": _MAT,
        "exposure_us": 20_000.0,
        "analogue_gain": 1.0,
        "frames": frames,
        "cameras": others,
    }


def _camera_entry(number: int, own: RigCamera) -> dict[str, Any]:
    model, (width_px, height_px) = own.model, own.size_px
    pitch_um = model.focal_length_mm / (model.focal_px_at_1600 * width_px / 1600) * 1000
    told = {
        "make": "scannerd",
        "model": "bench",
        "focal_length_mm": model.focal_length_mm,
        "pixel_pitch_um": round(pitch_um, 4),
    }
    return {
        "name": own.name,
        "camera": told,
        "photo_width_px": width_px,
        "photo_height_px": height_px,
        "background": _plate_name(number),
    }


def _truth_entry(index: int, name: str, angle_deg: float, view: TrueView) -> dict[str, Any]:
    return {
        "index": index,
        "name": f"frames/{name}",
        "angle_deg": angle_deg,
        "K": view.K.tolist(),
        "distortion": view.distortion.tolist(),
        "R": view.R.tolist(),
        "t": view.t.tolist(),
    }


def _write_jpeg(path: Path, pixels: NDArray[np.uint8]) -> None:
    cv2.imwrite(str(path), pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n")


def _size_px(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and min(int(width), int(height)) >= 16):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write 1600x1200, at least 16 pixels each way")
    return int(width), int(height)


def _count(text: str) -> int:
    if not (text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of photos; write 36")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Render a scan's photos of a mesh.")
    parser.add_argument("--object", required=True, help="default, or a mesh file: OBJ, PLY, GLB, STL")
    parser.add_argument("--views", type=_count, default=36)
    parser.add_argument("--elevation", type=float, nargs="+", default=[30.0], help="of the camera, degrees")
    parser.add_argument("--size", type=_size_px, default=(1600, 1200), help="of a photo: 1600x1200")
    parser.add_argument("--cameras", type=_count, default=1, help="1, or as many as there are elevations")
    parser.add_argument(
        "--plate-elevation", type=float, help="of the photo of the empty table; none: the first ring's"
    )
    parser.add_argument("--jitter-deg", type=float, default=0.03, help="how far the table stops from each angle")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--up", choices=("y", "z"), help="which axis of the file points up")
    parser.add_argument("--keep-size", action="store_true", help="take the file's numbers as millimetres")
    parser.add_argument("--out", type=Path, required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main())

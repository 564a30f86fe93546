"""`scripts/bench reconstruct`: how true, how fast and how large the embedded engine is, on any mesh.

Each mesh is rendered on the bench (a ring of photos), reconstructed by the command that the worker runs, and compared
with itself. A first, smaller run fills the cache of compiled kernels, so that the figures are a second run's.
`--peer NAME='command {set} {out}'` puts any other engine on the same photos into the same table.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import trimesh
from engine_run import EngineFailed, EngineRun, embedded_engine, peer_engine, run_engine
from photo_sets import PhotoSet, RenderFailed, photo_size_px, render, write_manifest
from rich.console import Console
from rich.table import Table

from drivers.bench.judge import Judgement, ViewPoint, judge
from drivers.bench.render_set import thing_named
from drivers.bench.scene import MeshFileError
from offload.wire.bundle import ReconstructionOptions

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Row:
    """One engine on one mesh."""

    mesh: str
    engine: str
    judgement: Judgement
    run: EngineRun
    stages: dict[str, float]
    """CPU seconds by stage, where the engine tells."""

    def as_json_object(self) -> dict[str, object]:
        """Return the figures under stable names."""
        cost = {"engine_cpu_seconds": self.run.cpu_s, "engine_wall_seconds": self.run.wall_s}
        memory = {"engine_peak_rss_mb": self.run.peak_rss_mb, "engine_stages": self.stages}
        return {"mesh": self.mesh, "engine": self.engine, **asdict(self.judgement), **cost, **memory}


def main(arguments: Sequence[str]) -> int:
    """Run the bench; returns the exit code."""
    options = _parser().parse_args(arguments)
    meshes = options.meshes or default_meshes()
    with tempfile.TemporaryDirectory(prefix="scannerd-bench-") as scratch:
        work = options.keep or Path(scratch)
        try:
            rows = [row for mesh in meshes for row in bench_mesh(mesh, options, work)]
        except (EngineFailed, MeshFileError, RenderFailed) as error:
            print(f"scripts/bench reconstruct: {error}", file=sys.stderr)
            return 1
    if options.json:
        print(json.dumps({"rows": [row.as_json_object() for row in rows]}))
    else:
        Console(width=160).print(as_table(rows))
    return 0


def default_meshes() -> list[str]:
    """Return the project's own object and, where they are, the meshes of docs/test-data.md."""
    data = Path(os.environ.get("SCANNERD_TEST_DATA", REPOSITORY.parent / "shared" / "data")) / "meshes"
    known = [data / "stanford-bunny.obj", data / "spot" / "spot_triangulated.obj"]
    absent = [path for path in known if not path.is_file()]
    for path in absent:
        print(f"NOT MEASURED: {path} is not there (docs/test-data.md says where it comes from)", file=sys.stderr)
    return ["default", *(str(path) for path in known if path not in absent)]


def bench_mesh(mesh: str, options: argparse.Namespace, work: Path) -> list[Row]:
    """Render the mesh and let every engine reconstruct the same photos."""
    name, rows = Path(mesh).stem, []
    wishes = PhotoSet(mesh, options.views, options.elevation, options.size, 1, options.plate_elevation)
    kinds = [wishes]
    if options.cameras and len(options.elevation) > 1:
        kinds.append(replace(wishes, cameras=len(options.elevation)))
    for kind in kinds:
        photo_set = work / kind.name
        print(f"{name}: rendering {options.views * len(options.elevation)} photos", file=sys.stderr)
        render(kind, photo_set)
        rows += bench_set(mesh, photo_set, _told_of(kind) if options.cameras else "", options, work)
    return rows


def _told_of(kind: PhotoSet) -> str:
    return f"{kind.cameras} cameras, " if kind.cameras > 1 else f"one camera, {len(kind.elevations_deg)} rings, "


def bench_set(mesh: str, photo_set: Path, of_set: str, options: argparse.Namespace, work: Path) -> list[Row]:
    """Let every engine reconstruct the same photos."""
    wanted = ReconstructionOptions(voxel_mm=options.voxel_mm)
    rows = []
    variants = [(False, True), *([(True, True)] if options.intrinsics else [])]
    variants += [(False, False)] if options.without_plate else []
    for intrinsics, plate in variants:
        write_manifest(photo_set, wanted, stored_intrinsics=intrinsics, with_plate=plate)
        label = f"{of_set}embedded{', stored intrinsics' if intrinsics else ''}{'' if plate else ', no plate'}"
        out = work / f"{photo_set.name}-{label.replace(', ', '-').replace(' ', '-')}"
        if not options.cold:
            _run_afresh(embedded_engine(photo_set, out), out)
        rows.append(measured(mesh, label, embedded_engine(photo_set, out), photo_set, out))
    for peer in options.peer:
        label, _, template = peer.partition("=")
        out = work / f"{photo_set.name}-{label}"
        rows.append(measured(mesh, label, peer_engine(template, photo_set, out), photo_set, out))
    return rows


def measured(mesh: str, label: str, command: list[str], photo_set: Path, out: Path) -> Row:
    """Run one engine and judge what it made."""
    print(f"{Path(mesh).stem}: {label}", file=sys.stderr)
    run = _run_afresh(command, out)
    report = out / "report.json"
    said = json.loads(report.read_text())["stages"] if report.is_file() else []
    stages = {stage["stage"]: stage["cpu_s"] for stage in said}
    return Row(Path(mesh).stem, label, judged(mesh, photo_set, out), run, stages)


def _run_afresh(command: list[str], out: Path) -> EngineRun:
    """Run into an empty folder: what an earlier bench left there goes."""
    shutil.rmtree(out, ignore_errors=True)
    return run_engine(command, out.with_suffix(".log"))


def judged(mesh: str, photo_set: Path, out: Path) -> Judgement:
    """Compare `model.ply` and, if it is there, `poses.json` with the truth."""
    model = trimesh.load(out / "model.ply", process=False)
    truth = json.loads((photo_set / "truth.json").read_text())["frames"]
    frames = json.loads((photo_set / "set.json").read_text())["frames"]
    sizes_px = [photo_size_px(photo_set, frame.get("camera", 0)) for frame in frames]
    cameras = [
        ViewPoint(np.array(view["K"]), np.array(view["R"]), np.array(view["t"]), *size_px)
        for view, size_px in zip(truth, sizes_px, strict=True)
    ]
    centres = estimated_centres(out / "poses.json", [Path(view["name"]).name for view in truth])
    vertices = np.asarray(model.vertices, dtype=np.float64)
    return judge(vertices, np.asarray(model.faces), thing_named(mesh), cameras, centres)


def estimated_centres(poses: Path, names: list[str]) -> np.ndarray | None:
    """Return the camera centres, mat frame, mm, in the order of the names; None if the engine told none of them."""
    if not poses.is_file():
        return None
    images = {Path(image["file"]).name: image for image in json.loads(poses.read_text())["images"]}
    if set(names) - set(images):
        return None
    return np.array([-np.array(images[name]["R"]).T @ np.array(images[name]["t"]) for name in names])


def as_table(rows: list[Row]) -> Table:
    """Return the rows for people."""
    table = Table(title="Photos rendered on the bench; distances in mm")
    heads = ("mesh", "engine", "accuracy mean / p95", "completeness mean / p95", "F@0.5", "F@1", "seen ≤ 1 mm")
    for head in (*heads, "scale", "watertight", "CPU s", "peak MB"):
        table.add_column(head)
    for row in rows:
        table.add_row(*cells(row))
    return table


def cells(row: Row) -> list[str]:
    """Return one line of the table."""
    found, run = row.judgement, row.run
    scale = "-" if found.scale_error_percent is None else f"{found.scale_error_percent:+.3f}%"
    return [
        row.mesh,
        row.engine,
        f"{found.accuracy_mean_mm:.2f} / {found.accuracy_p95_mm:.2f}",
        f"{found.completeness_mean_mm:.2f} / {found.completeness_p95_mm:.2f}",
        f"{found.f_score_0p5mm:.3f}",
        f"{found.f_score_1mm:.3f}",
        f"{100 * found.visible_within_1mm:.1f}%",
        scale,
        "yes" if found.watertight else "no",
        f"{run.cpu_s:.0f}",
        f"{run.peak_rss_mb:.0f}",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench reconstruct", description=__doc__)
    parser.add_argument("meshes", nargs="*", help="OBJ, PLY, GLB or STL, or `default`; none: all that are known")
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--views", type=int, default=36)
    parser.add_argument(
        "--elevation", type=float, nargs="+", default=[30.0], help="of the camera above the platter, ring by ring"
    )
    parser.add_argument(
        "--cameras", action="store_true", help="also with a camera at each elevation instead of a ring: one turn"
    )
    parser.add_argument(
        "--plate-elevation", type=float, help="of the photo of the empty table, where it is from elsewhere"
    )
    parser.add_argument("--without-plate", action="store_true", help="also without the photo of the empty table")
    parser.add_argument("--size", default="1600x1200", help="of a photo, px")
    parser.add_argument("--voxel-mm", type=float, default=1.0)
    parser.add_argument(
        "--intrinsics", action="store_true", help="also with the true intrinsics stored in the bundle"
    )
    parser.add_argument("--cold", action="store_true", help="measure the first run instead of the second")
    parser.add_argument("--keep", type=Path, help="folder for photo sets and models; rendered sets are used again")
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME=COMMAND", help="{set} and {out} are filled in"
    )
    return parser

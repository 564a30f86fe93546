"""The embedded engine from one end to the other: photos in, a folder of products out."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from offload.engines.poses import Poses, posed_image, write_poses
from offload.engines.protocol import Cancellation, OnProgress
from offload.engines.publish import publish_into
from offload.engines.turntable.camera_colours import with_one_colour
from offload.engines.turntable.geometry import reconstruct_geometry
from offload.engines.turntable.glb import write_glb
from offload.engines.turntable.mat_views import prepare_mat_views
from offload.engines.turntable.mesh import Skin, examine_skin
from offload.engines.turntable.ply import write_ply
from offload.engines.turntable.posed_views import prepare_posed_views
from offload.engines.turntable.prepared import Prepared
from offload.engines.turntable.preview import write_four_sides, write_preview
from offload.engines.turntable.scan_bundle import open_bundle
from offload.engines.turntable.texture import HIDDEN_BEHIND, TexturedMesh, textured, vertex_colours
from offload.engines.turntable.timing import StageClock, peak_rss_mb
from offload.engines.turntable.upright import to_gltf
from offload.engines.turntable.views import Mesh
from offload.wire.jobs import Stage
from offload.wire.products import ReconstructionReport

ENGINE = "turntable"
FILES = ("model.glb", "model.ply", "preview.jpg", "views.jpg", "poses.json", "report.json")

Prepare = Callable[[OnProgress], Prepared]


@dataclass(frozen=True)
class Wishes:
    """How fine the model shall be."""

    texture_px: int = 2048
    triangles: int = 60_000


def reconstruct_bundle(
    folder: Path, out: Path, clock: StageClock, cancellation: Cancellation
) -> ReconstructionReport:
    """Make a model of a sealed scan on a mat; `out` appears complete or not at all. Raises EngineError."""
    clock(Stage.READ, 0.0)
    bundle = open_bundle(folder)
    options = bundle.manifest.options
    wishes = Wishes(options.texture_px, options.triangles)
    return _reconstruct(
        lambda progress: prepare_mat_views(bundle, progress, cancellation), wishes, out, clock, cancellation
    )


def reconstruct_posed(
    folder: Path,
    poses: Poses,
    out: Path,
    voxel: float | None,
    wishes: Wishes,
    clock: StageClock,
    cancellation: Cancellation,
) -> ReconstructionReport:
    """Make a model of photos with given poses before a plain background. Raises EngineError."""
    clock(Stage.READ, 0.0)
    return _reconstruct(
        lambda progress: prepare_posed_views(folder, poses, voxel, progress, cancellation),
        wishes, out, clock, cancellation,
    )  # fmt: skip


def _reconstruct(
    prepare: Prepare, wishes: Wishes, out: Path, clock: StageClock, cancellation: Cancellation
) -> ReconstructionReport:
    with publish_into(out) as folder:
        prepared = prepare(clock)
        cancellation.raise_if_cancelled()
        skin = reconstruct_geometry(prepared.views, prepared.space, clock, cancellation)
        cancellation.raise_if_cancelled()
        clock(Stage.TEXTURE, 0.0)
        unit_mm = prepared.space.unit_mm
        with_one_colour(prepared.views, skin, HIDDEN_BEHIND * unit_mm, cancellation)
        model = textured(skin, prepared.views, wishes.texture_px, wishes.triangles, unit_mm, cancellation)
        clock(Stage.TEXTURE, 0.85)
        colours = vertex_colours(skin, prepared.views, unit_mm, cancellation)
        clock(Stage.EXPORT, 0.0)
        write_glb(folder / "model.glb", model, to_gltf(prepared.up, prepared.metres_per_unit or 1.0), _generator())
        write_ply(folder / "model.ply", skin, colours, prepared.units)
        write_poses(folder / "poses.json", _poses(prepared))
        write_preview(folder / "preview.jpg", model, prepared.views, prepared.up)
        clock(Stage.EXPORT, 0.5)
        write_four_sides(folder / "views.jpg", model, prepared.up)
        report = _report(prepared, model, skin, clock)
        (folder / "report.json").write_text(report.model_dump_json(indent=1) + "\n")
        cancellation.raise_if_cancelled()
    clock.listener(Stage.EXPORT, 1.0)
    return report


def _poses(prepared: Prepared) -> Poses:
    posed = prepared.posed
    images = tuple(
        posed_image(posed.files[view].name, posed.K[view], posed.R[view], posed.t[view], posed.distortion[view])
        for view in range(len(posed))
    )
    low, high = prepared.space.low, prepared.space.high
    assert low is not None
    assert high is not None
    box = tuple(tuple(float(value) for value in corner) for corner in (low, high))
    return Poses.model_validate(
        {"units": prepared.units, "images": images, "bounds": box, "up": prepared.up.tolist()}
    )


def _report(prepared: Prepared, model: TexturedMesh, skin: Mesh, clock: StageClock) -> ReconstructionReport:
    light = examine_skin(model.closed)
    x, y, z = (float(extent) for extent in np.ptp(skin.vertices, axis=0))
    return ReconstructionReport(
        engine=ENGINE,
        engine_version=_version(),
        photos_given=prepared.photos_given,
        photos_used=len(prepared.views),
        unused=prepared.unused,
        units=prepared.units,
        scale_source=prepared.scale_source,
        reprojection_rms_px=prepared.reprojection_rms_px,
        focal_length_px=prepared.focal_length_px,
        size=(x, y, z),
        vertices=len(model.closed.vertices),
        triangles=len(model.closed.faces),
        watertight=light.watertight,
        not_watertight_because=None if light.watertight else _why_open(light),
        stages=clock.finish(),
        peak_rss_mb=round(peak_rss_mb(), 1),
        warnings=prepared.warnings,
        files=FILES,
    )


def _why_open(skin: Skin) -> str:
    return f"{skin.open_edges} edges with one triangle, {skin.crowded_edges} edges with more than two or turned over"


def _version() -> str:
    try:
        return version("scannerd")
    except PackageNotFoundError:
        return "source tree"


def _generator() -> str:
    return f"scannerd {_version()}"

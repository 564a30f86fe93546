"""The two reconstruct commands: one for people with posed photos, one for the worker with a sealed scan."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from offload.engines.poses import read_poses
from offload.engines.protocol import BadInput, EngineError
from offload.engines.publish import refuse_occupied
from offload.engines.stop_request import StopRequest, die_with_parent
from offload.engines.telling import JsonLines, LivingLine, tell_person
from offload.engines.turntable.engine import Wishes, reconstruct_bundle, reconstruct_posed
from offload.engines.turntable.timing import StageClock
from offload.wire.jobs import Stage

log = logging.getLogger("offload.engines")

reconstruct_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
bundle_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

POSED_STAGES = tuple(stage for stage in StageClock.stages if stage is not Stage.CALIBRATE)


@reconstruct_app.command()
def reconstruct(
    folder: Annotated[Path, typer.Argument(help="folder of photos")],
    poses: Annotated[Path, typer.Option(help="poses as JSON (docs/poses.md) or Middlebury's *_par.txt")],
    out: Annotated[Path, typer.Option(help="folder for the results; new or empty")],
    voxel: Annotated[float | None, typer.Option(min=0, help="size of a voxel in the poses' unit")] = None,
    texture_px: Annotated[int, typer.Option(min=256, max=8192, help="edge of the texture")] = 2048,
    triangles: Annotated[int, typer.Option(min=500, help="of model.glb")] = 60_000,
    as_json: Annotated[bool, typer.Option("--json", help="print the report as JSON")] = False,
) -> None:
    """Reconstruct an object from photos with known poses before a plain background."""
    stop = StopRequest()
    stop.listen()
    line = LivingLine(sys.stderr)
    clock = StageClock(lambda stage, fraction: line.progress(stage, fraction, clock.percent), POSED_STAGES)
    try:
        refuse_occupied(out)
        report = reconstruct_posed(
            folder, read_poses(poses, folder), out, voxel, Wishes(texture_px, triangles), clock, stop
        )
    except EngineError as error:
        line.end()
        print(f"offload reconstruct: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    line.end()
    if as_json:
        print(report.model_dump_json(indent=1))
    else:
        tell_person(report, str(out))


@bundle_app.command()
def reconstruct_scan(
    folder: Annotated[Path, typer.Argument(help="sealed scan: manifest.json and its files")],
    out: Annotated[Path, typer.Option(help="folder for the results; new or empty")],
) -> None:
    """Reconstruct a sealed scan; JSON lines on standard output tell progress, `done` or `error`."""
    die_with_parent()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    stop = StopRequest()
    stop.listen()
    lines = JsonLines(sys.stdout)
    clock = StageClock(lambda stage, fraction: lines.progress(stage, fraction, clock.percent))
    try:
        report = reconstruct_bundle(folder, out, clock, stop)
    except EngineError as error:
        print(f"offload reconstruct-bundle: {error}", file=sys.stderr)
        lines.say({"error": str(error), "bad_input": isinstance(error, BadInput)})
        raise typer.Exit(1) from None
    except Exception as error:
        log.exception("the engine failed")
        lines.say({"error": f"the engine failed: {type(error).__name__}: {error}", "bad_input": False})
        raise typer.Exit(1) from None
    for warning in report.warnings:
        log.warning(warning)
    lines.say({"done": True})

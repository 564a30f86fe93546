"""The command line of the demo."""

import asyncio
import json
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from scannerd.config_camera import CameraSection
from scannerd.demo.display import choose_display
from scannerd.demo.faults import FAULTS, faults_named
from scannerd.demo.options import DemoOptions
from scannerd.demo.outside_faults import FOR_PEOPLE, in_words
from scannerd.demo.run import run_demo
from scannerd.demo.summary import Summary
from scannerd.demo.turntables import Turntable, turntable_named
from scannerd.settings.text import allowed_values

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
INTERRUPTED = 130
NEEDS_CABLE = "needs --turntable grbl, marlin or table"


@app.command()
def demo(
    mesh: Annotated[
        Path | None, typer.Option("--object", help="OBJ, PLY, GLB or STL to scan; default: the project's own object.")
    ] = None,
    views: Annotated[int, typer.Option(min=8, max=720, help="Photos in one turn.")] = 36,
    out: Annotated[Path, typer.Option(help="Folder for everything; an unfinished scan in it is resumed.")] = Path(
        "out/demo"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
    keep_size: Annotated[bool, typer.Option(help="Take the file's numbers as mm instead of 150 mm tall.")] = False,
    up: Annotated[str | None, typer.Option(help="Which axis of the file points up: y or z.")] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=50, help="How much faster the bench's clock runs.")] = 1.0,
    size: Annotated[str, typer.Option(metavar="WxH", help="Of the photos, px.")] = "1600x1200",
    voxel_mm: Annotated[float, typer.Option(min=0.3, max=10, help="Finest detail of the model, mm.")] = 1.0,
    object_kg: Annotated[float, typer.Option(min=0, max=100, help="Weight of what stands on the platter.")] = 0.0,
    fault: Annotated[
        list[str] | None, typer.Option(help="Let this go wrong; may be given again; `list` prints what there is.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides when each fault strikes.")] = 0,
    cameras: Annotated[int, typer.Option(min=1, max=4, help="That look at the table, from different heights.")] = 1,
    turntable: Annotated[str, typer.Option(help="What turns the platter: gpio, grbl, marlin or table.")] = "gpio",
) -> None:
    """Scan an object on the simulated bench, from the button to the model."""
    if fault and "list" in fault:
        for known in FAULTS.values():
            print(f"{known.name:<18}{known.says}{f'; {NEEDS_CABLE}' if known.on_serial else ''}")
        return
    width_px, height_px = _size_px(size)
    options = DemoOptions(out.resolve(), mesh, keep_size, up, views, speed, width_px, height_px, voxel_mm)
    kind = turntable_named(turntable) or "gpio"
    options = replace(options, faults=_faults(fault or [], kind), seed=seed, turntable=kind, object_kg=object_kg)
    options = replace(options, cameras=cameras)
    try:
        summary = asyncio.run(_run(options))
    except FOR_PEOPLE as error:
        print(f"scannerd demo: {in_words(error)}", file=sys.stderr)
        raise typer.Exit(1) from error
    except (KeyboardInterrupt, asyncio.CancelledError) as stop:
        print("\nstopped; what was scanned stays, and the same command goes on with it", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from stop
    if as_json:
        print(json.dumps(summary.as_json_object()))
    else:
        Console().print(summary.as_table(), highlight=False)


async def _run(options: DemoOptions) -> Summary:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with choose_display() as display:
        return await run_demo(options, display)


def _faults(names: list[str], turntable: Turntable) -> tuple[str, ...]:
    try:
        faults = faults_named(names)
        no_cable = [fault.name for fault in faults if fault.on_serial and turntable == "gpio"]
        if no_cable:
            raise ValueError(f"{', '.join(no_cable)}: the table on GPIO pins has no such cable; {NEEDS_CABLE}")
        return tuple(fault.name for fault in faults)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from error


def _size_px(size: str) -> tuple[int, int]:
    width, _, height = size.partition("x")
    try:
        camera = CameraSection(width_px=int(width), height_px=int(height))
    except ValidationError as error:
        fields = CameraSection.model_fields
        takes = " and ".join(f"{side}: {allowed_values(fields[f'{side}_px'])} px" for side in ("width", "height"))
        raise typer.BadParameter(f"{size} cannot be photographed; {takes}, both even", param_hint="--size") from error
    except ValueError as error:
        raise typer.BadParameter(f"{size!r} is not a size; write it like 1600x1200", param_hint="--size") from error
    return camera.width_px, camera.height_px

"""`scannerd calibrate camera`: hold the board before the camera until it knows its lens."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from drivers.clock import SystemClock
from drivers.protocols import Clock, Window
from offload.geometry.lens import Lens
from offload.geometry.mat_board import MatBoard
from offload.wire.bundle import FIRST_CAMERA, MatSpec
from scannerd import shell
from scannerd.calibration.lens_fit import LensFit, LensUnknown, fit_lens
from scannerd.calibration.showing import shown_views
from scannerd.calibration.stored_lens import keep, report_of
from scannerd.config import Config
from scannerd.hardware import build_camera, build_device
from scannerd.scan.background import camera_model
from scannerd.shell import ConfigOption

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

MIDDLE = Window(0.2, 0.2, 0.6, 0.6)
"""Where the board is held while light and focus are found."""


@app.command()
def camera(
    config: ConfigOption = None,
    name: Annotated[
        str, typer.Option("--camera", metavar="NAME", help="Which of several, as its [[cameras]] is called.")
    ] = FIRST_CAMERA,
    columns: Annotated[
        int | None, typer.Option(min=3, max=60, help="Squares along x; the mat's when left out.")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=3, max=60, help="Squares along y.")] = None,
    square_mm: Annotated[float | None, typer.Option(min=1, max=100, help="Side of a square, measured.")] = None,
    marker_mm: Annotated[float | None, typer.Option(min=0.5, max=100, help="Side of a marker, measured.")] = None,
    give_up_s: Annotated[float, typer.Option(min=5, max=3600, help="So long without a new view ends it.")] = 60.0,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Else lenses/ in the store.")] = None,
) -> None:
    """Find out what the lens is like, from a board held in the hand (docs/cameras.md).

    Glue the mat, or another ChArUco board, to something flat and stiff. Stop the daemon before. Exit 0 when a lens
    was stored, 1 with the reason when not; what was stored before stays then.
    """
    with shell.explained():
        settings = shell.load_config(config)
        number = _number_of(settings, name)
        wishes = {"columns": columns, "rows": rows, "square_mm": square_mm, "marker_mm": marker_mm}
        known = settings.mat.model_dump(exclude={"used"})
        board = MatSpec(**known | {name: wish for name, wish in wishes.items() if wish is not None})
        try:
            folder = out or settings.store.folder / "lenses"
            file = asyncio.run(calibrate(settings, board, give_up_s, folder, number=number))
        except LensUnknown as reason:
            shell.say(f"scannerd: no lens was stored: {reason}")
            raise typer.Exit(shell.FAILED) from reason
    key = f"intrinsics_file of [[cameras]] {name}" if number else "[intrinsics] file"
    shell.say(f'{file}: stored; set {key} = "{file}" to use it')


def _number_of(config: Config, name: str) -> int:
    try:
        return config.number_of(name)
    except KeyError as unknown:
        known = ", ".join(config.camera_names)
        raise typer.BadParameter(f"{name}: there is {known}", param_hint="--camera") from unknown


async def calibrate(
    config: Config, board: MatSpec, give_up_s: float, folder: Path, clock: Clock | None = None, number: int = 0
) -> Path:
    """Return the file that was written; `number` is the camera's. Raises LensUnknown, DriverError, StoreFault."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as devices:
        light = build_device("light", config, clock)
        if light is not None:
            devices.callback(light.close)
        camera = build_camera(config, number, clock)
        devices.push_async_callback(camera.close)
        await camera.open()
        if config.every_camera[number].metering == "once":
            shell.say("hold the board still in the middle of the photo, where objects stand")
            await camera.meter(MIDDLE)
        model, size = camera_model(camera), camera.description
        nominal = Lens.nominal(model, size.width_px, size.height_px)
        shown = await shown_views(camera, clock, MatBoard(board), nominal, give_up_s, shell.say)
        focus_dioptres = camera.settings.focus_dioptres
    if missing := shown.missing():
        raise LensUnknown(
            f"{len(shown.views)} views, and nothing new for {give_up_s:.0f} s; still wanted: the board "
            + "; ".join(missing)
        )
    fit = fit_lens(shown.views, nominal)
    _tell(fit)
    return keep(report_of(fit, model, focus_dioptres, board, datetime.now(UTC)), folder)


def _tell(fit: LensFit) -> None:
    lens = fit.intrinsics
    shell.say(
        f"focal length {lens.fx_px:.1f} ± {fit.focal_doubt_px:.1f} px, centre {lens.cx_px:.1f} {lens.cy_px:.1f}, "
        f"reprojection error {fit.rms_px:.2f} px over {fit.corners_used} corners of {fit.views_used} views; left out "
        f"{fit.corners_left_out} corners, {fit.views_left_out} views"
    )
    shell.say("error by region of the photo, px:")
    for line in fit.region_rms_px:
        shell.say("  " + "  ".join("  --" if cell is None else f"{cell:4.2f}" for cell in line))

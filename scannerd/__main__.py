"""The command line of the device."""

import asyncio
import importlib
import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from offload.logs.journal import start_logging
from scannerd import __version__, console, shell
from scannerd.carry import become, sync_command
from scannerd.commands import CaptureBackground, Command, RawPhotos, ResumeScan, StartScan
from scannerd.config import DEFAULT_PATH
from scannerd.control.terminal import motion, talk
from scannerd.export.photo_set import photo_set
from scannerd.export.programs import Program, exported, photos_for
from scannerd.export.raw_along import raw_note
from scannerd.export.to_folder import write_export
from scannerd.mat import Paper
from scannerd.mat_print import mat_print
from scannerd.park import park
from scannerd.run_command import run
from scannerd.settings.file import read_config
from scannerd.settings.text import documented_toml
from scannerd.shell import ConfigOption
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore
from scannerd.store.summary import ScanState, summaries
from scannerd.timing.command import timing

app = typer.Typer(
    help="Put an object on a turntable, press a button, get a metric, textured 3D model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
calibrate = typer.Typer(help="What is done once, before the first scan.", no_args_is_help=True)
app.add_typer(calibrate, name="calibrate")
app.add_typer(talk.app)
app.add_typer(motion.app)

PASSED_ON: Any = {
    "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    "add_help_option": False,
}
"""For commands whose arguments belong to a module that is loaded late."""

app.command()(run)
app.command()(timing)
app.command()(park)


@app.command()
def scan(
    resume: Annotated[str | None, typer.Option(metavar="ID", help="Go on with an unfinished scan.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the new scan; the time when left out.")] = None,
    views: Annotated[int | None, typer.Option(min=3, max=720, help="Photos in one turn.")] = None,
    rings: Annotated[
        int | None, typer.Option(min=1, max=6, help="Turns, each with the camera at another height.")
    ] = None,
    ring_views: Annotated[
        list[int] | None, typer.Option(min=3, max=720, help="Photos in one ring; once for each ring.")
    ] = None,
    ring_elevation_deg: Annotated[
        list[float] | None,
        typer.Option(min=-10, max=90, help="Where the camera stands above the platter; once for each ring."),
    ] = None,
    sides: Annotated[
        int | None, typer.Option(min=1, max=4, help="How often the object is laid down, turned over in between.")
    ] = None,
    repeats: Annotated[int | None, typer.Option(min=1, max=10, help="Equal photos from each place.")] = None,
    exposure_bracket: Annotated[int | None, typer.Option(min=1, max=7, help="Exposures from each place.")] = None,
    exposure_step_ev: Annotated[float | None, typer.Option(min=0.1, max=2, help="Between two of them.")] = None,
    focus_bracket: Annotated[int | None, typer.Option(min=1, max=9, help="Focus steps from each place.")] = None,
    focus_step_dioptres: Annotated[float | None, typer.Option(min=0.01, max=2, help="Between two of them.")] = None,
    light_level: Annotated[float | None, typer.Option(min=0, max=1, help="Of the light on the object.")] = None,
    light_colour: Annotated[str | None, typer.Option(metavar="#RRGGBB", help="Of a light that has colours.")] = None,
    raw: Annotated[RawPhotos | None, typer.Option(help="A raw file (DNG) of every photo, too.")] = None,
    config: ConfigOption = None,
) -> None:
    """Take one scan and exit: 0 when it is complete, 1 when not (then it can be resumed)."""
    wished = StartScan(
        name,
        views=views,
        rings=rings,
        ring_views=tuple(ring_views) if ring_views else None,
        ring_elevations_deg=tuple(ring_elevation_deg) if ring_elevation_deg else None,
        sides=sides,
        repeats=repeats,
        exposure_bracket=exposure_bracket,
        exposure_step_ev=exposure_step_ev,
        focus_bracket=focus_bracket,
        focus_step_dioptres=focus_step_dioptres,
        light_level=light_level,
        light_colour=light_colour,
        raw=raw,
    )
    if resume is not None and wished != StartScan():
        shell.say("scannerd: --resume goes on with the scan's own plan; leave out --name, --views and the like")
        raise typer.Exit(shell.BAD_USAGE)
    start_logging("scannerd", logging.ERROR)
    command: Command = ResumeScan(resume) if resume is not None else wished
    with shell.explained():
        ended = asyncio.run(console.scan_once(shell.load_config(config), command))
    raise typer.Exit(console.exit_code_of(ended))


@app.command()
def status(config: ConfigOption = None) -> None:
    """List the scans of the store, oldest first, also while the daemon runs. Exit 1 when one is broken."""
    with shell.explained():
        settings = shell.load_config(config)
        found = summaries(ScanStore(StoreLayout(settings.store.folder)))
    for summary in found:
        typer.echo(summary.line())
    if not found:
        shell.say(f"no scans in {settings.store.folder}")
    if any(summary.state is ScanState.BROKEN for summary in found):
        raise typer.Exit(shell.FAILED)


@app.command()
def export(
    scan_id: Annotated[str, typer.Argument(metavar="SCAN", help="Name of the scan.")],
    program: Annotated[Program, typer.Option("--format", help="Whose convention the files follow.")],
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="A new or empty folder.")],
    raw: Annotated[bool, typer.Option("--raw", help="The photos' raw files too, where the scan has them.")] = False,
    config: ConfigOption = None,
) -> None:
    """Write a scan's photos, masks, lens and camera poses as another program reads them (docs/exports.md)."""
    with shell.explained():
        photos = photo_set(ScanStore(StoreLayout(shell.load_config(config).store.folder)), scan_id)
        folder = to.absolute()
        count = write_export(exported(photos, program, folder, raw=raw), folder)
    poseless = f"; without poses: {photos.no_poses_because}" if photos.no_poses_because else ""
    note = raw_note(photos_for(photos, program), wanted=raw)
    said = f"{poseless}; {note}" if note else poseless
    shell.say(f"{folder}: {count} files, {len(photos.photos)} photos, {len(photos.posed)} poses{said}")


@app.command()
def check_config(
    file: Annotated[Path, typer.Argument(help="The file to check.")] = DEFAULT_PATH,
    defaults: Annotated[bool, typer.Option("--defaults", help="Print the documented defaults instead.")] = False,
) -> None:
    """Show every fault of a configuration file at once. Exit 2 when there is one."""
    if defaults:
        typer.echo(documented_toml(), nl=False)
        return
    with shell.explained():
        read_config(file)
    shell.say(f"{file}: no problems")


@app.command()
def sync(
    config: ConfigOption = None,
    once: Annotated[bool, typer.Option("--once", help="Carry what is there now, then end.")] = False,
) -> None:
    """Carry scans to the service of [offload] and models back: `offload sync` with this scanner's settings."""
    with shell.explained():
        settings = shell.load_config(config)
    command = sync_command(settings, once)
    if command is None:
        shell.say("[offload] url is empty: scans stay on this device, and there is nothing to carry")
        return
    become(command, settings.offload.key_file)


@app.command()
def mat(
    paper: Annotated[Paper, typer.Option(case_sensitive=False, help="What the printer has.")],
    out: Annotated[Path, typer.Option(help="The PDF to write.")],
) -> None:
    """Draw the turntable mat at true scale."""
    console.write_file(out, mat_print(paper))
    shell.say(f"{out}: print at 100 %, measure both rulers, then set [mat] as its title line says")


@calibrate.command()
def background(config: ConfigOption = None) -> None:
    """Photograph the empty turntable: scans taken the same way tell the object from what stands behind it."""
    with shell.explained():
        settings = shell.load_config(config)
        asyncio.run(console.obey_once(settings, CaptureBackground()))
    shell.say(f"{StoreLayout(settings.store.folder).background}: stored")


@calibrate.command("camera", **PASSED_ON)
def camera_lens(context: typer.Context) -> None:
    """Find out what the lens is like, from a board held in the hand; see calibrate camera --help."""
    _pass_on("calibrate camera", "scannerd.calibration.command", context)


@calibrate.command(**PASSED_ON)
def turntable(context: typer.Context) -> None:
    """Measure gear, direction, play and swing of the table by its mat; see calibrate turntable --help."""
    _pass_on("calibrate turntable", "scannerd.gearing.command", context)


@app.command(**PASSED_ON)
def doctor(context: typer.Context) -> None:
    """Examine this scanner and say what to do about it: exit 0 when nothing is; see doctor --help."""
    _pass_on("doctor", "scannerd.doctor.command", context)


@app.command(**PASSED_ON)
def demo(context: typer.Context) -> None:
    """Scan an object on the simulated bench, from the button to the model; see demo --help."""
    _pass_on("demo", "scannerd.demo.command", context)


@app.command(**PASSED_ON)
def bench(context: typer.Context) -> None:
    """Be the daemon on the simulated bench, with every front door; see bench --help."""
    _pass_on("bench", "scannerd.demo.bench_command", context)


@app.command(**PASSED_ON)
def bench_hand(context: typer.Context) -> None:
    """Push the button of a running bench, or ask it for the truth; see bench-hand --help."""
    _pass_on("bench-hand", "scannerd.demo.hand_command", context)


def _pass_on(name: str, module: str, context: typer.Context) -> None:
    # Loaded late: the bench is never installed on a device, and who scans waits for no doctor.
    try:
        command = importlib.import_module(module)
    except ModuleNotFoundError as error:
        extras = "edge" if name in ("doctor", "calibrate turntable") else "bench,cloud"
        shell.say(f"scannerd {name}: {error.name} is missing; pip install 'scannerd[{extras}]'")
        raise typer.Exit(shell.FAILED) from error
    command.app(args=context.args, prog_name=f"scannerd {name}")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command line."""
    app(prog_name="scannerd")


if __name__ == "__main__":
    main()

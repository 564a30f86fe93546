"""The command line of `scannerd calibrate turntable`."""

import asyncio
import dataclasses
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from drivers import registry
from drivers.clock import SystemClock
from drivers.options import StepperGpioOptions
from drivers.protocols import Axis, Camera, Clock, NeedsPerson, Window
from scannerd import shell
from scannerd.config import DEFAULT_PATH, Config
from scannerd.gearing.report import Report, report_of
from scannerd.gearing.sight import MatSight
from scannerd.gearing.trial import TableTrial, Trial
from scannerd.hardware import build_device
from scannerd.settings.form import changed_text
from scannerd.store.durable import write_durably
from scannerd.store.layout import StoreLayout
from scannerd.store.lock import StoreLock

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

EMPTY_TABLE = Window(0.2, 0.2, 0.6, 0.6)


@app.command()
def turntable(
    config: Annotated[Path | None, typer.Option("--config", help=f"Settings; {DEFAULT_PATH} when it exists.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Change config.toml, comments kept.")] = False,
) -> None:
    """Measure gear, direction, play and swing of the table by its mat, and offer what to change in config.toml.

    The empty mat lies on the platter, in sight of the camera; no daemon runs.
    """
    with shell.explained():
        settings = shell.load_config(config)
        lock = StoreLayout(settings.store.folder).lock
        with closing(StoreLock(lock)) if lock.parent.is_dir() else nullcontext():
            trial = asyncio.run(try_table(settings))
        report = report_of(settings, trial)
        _show(report)
        if report.changes and write:
            write_changes(config or DEFAULT_PATH, report)
            shell.say(f"{config or DEFAULT_PATH}: changed; calibrate once more to see that it agrees")


async def try_table(config: Config, clock: Clock | None = None) -> Trial:
    """Measure with the devices of these settings, alone. Raises DriverError."""
    clock = clock or SystemClock()
    mat = config.mat.spec()
    if mat is None:
        raise NeedsPerson("mat: [mat] used = false; print one (scannerd mat), lay it on the platter, set it true")
    camera: Camera = build_device("camera", config, clock)
    try:
        await camera.open()
        if config.camera.metering == "once":
            await camera.meter(EMPTY_TABLE)
        sight = MatSight(camera, clock, mat, config.intrinsics.lens())
        driver = registry.axis_driver(config.turntable.driver)

        def build(options: Any) -> Axis:
            axis: Axis = driver(options, clock)
            return axis

        return await TableTrial(_options(config), build, sight, clock, shell.say).run()
    finally:
        await camera.close()


def _options(config: Config) -> Any:
    """Without the index: nobody homes here."""
    options = config.turntable.axis_options()
    return dataclasses.replace(options, index=None) if isinstance(options, StepperGpioOptions) else options


def _show(report: Report) -> None:
    table = Table("", "config.toml", "measured", "difference", box=None, padding=(0, 2, 0, 0))
    for row in report.rows:
        table.add_row(row.what, row.configured, row.measured, row.difference)
    Console(width=None if Console().is_terminal else 140).print(table, highlight=False)
    for remark in report.remarks:
        shell.say(remark)
    if not report.changes:
        shell.say("the settings agree with the table")
        return
    typer.echo("\n".join(["[turntable]", *report.lines]))


def write_changes(file: Path, report: Report) -> None:
    """Put the changes into the file, comments kept. Raises ConfigFaults, StoreFault."""
    old = file.read_text(encoding="utf-8") if file.exists() else ""
    text = changed_text(old, {"turntable": report.changes}, file)
    write_durably(file, text.encode(), keep_mode=True)

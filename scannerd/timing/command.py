"""`scannerd timing`: where the time of a scan went."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from scannerd import console, shell
from scannerd.shell import ConfigOption
from scannerd.store.layout import StoreLayout
from scannerd.store.scans import ScanStore
from scannerd.timing.chart import chart_of
from scannerd.timing.figures import figures_of
from scannerd.timing.record import timing_of
from scannerd.timing.table import table_of


def timing(
    scan_id: Annotated[str, typer.Argument(metavar="SCAN", help="Its name, as `scannerd status` lists it.")],
    plot: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Draw the chart there.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one object.")] = False,
    config: ConfigOption = None,
) -> None:
    """Show where every millisecond of a scan went, also while it runs."""
    with shell.explained():
        settings = shell.load_config(config)
        store = ScanStore(StoreLayout(settings.store.folder))
        store.plan(scan_id)
        measured = timing_of(store.layout.scan(scan_id))
    figures = figures_of(measured)
    if plot is not None:
        console.write_file(plot, chart_of(measured).encode())
        shell.say(f"{plot}: drawn; a browser shows it, and the numbers of each bar")
    if as_json:
        typer.echo(json.dumps({**asdict(figures), "ratio": round(figures.ratio, 4)}, indent=2))
    elif plot is None:
        typer.echo("\n".join(table_of(figures)))

"""`scannerd jog | home`: turning the platter from a terminal, by the daemon where one runs, else in this process."""

import asyncio
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import typer

from drivers.clock import SystemClock
from drivers.protocols import Axis, Clock, Homing
from scannerd import shell
from scannerd.config import Config
from scannerd.control.terminal.client import DaemonSocket, NoDaemon, NotDone
from scannerd.hardware import build_device
from scannerd.shell import ConfigOption
from scannerd.store.layout import StoreLayout
from scannerd.store.lock import StoreLock

LARGEST_JOG_DEG = 360.0
BETWEEN_DEG = 47.0
"""Between two homings the platter is turned by this, so that the index is met anew each time."""

app = typer.Typer()


@dataclass(frozen=True)
class Found:
    """One homing, whoever did it."""

    found_by: str
    off_deg: float | None
    step_deg: float


class Table(Protocol):
    """Who turns the platter."""

    def jog(self, delta_deg: float) -> None:
        """Turn it. Raises DriverError, NotDone."""

    def home(self) -> Found:
        """Find its zero. Raises DriverError, NotDone."""


@app.command(context_settings={"ignore_unknown_options": True})
def jog(
    delta_deg: Annotated[
        float, typer.Argument(metavar="DEG", min=-LARGEST_JOG_DEG, max=LARGEST_JOG_DEG, help="Counter-clockwise.")
    ],
    config: ConfigOption = None,
) -> None:
    """Turn the platter by some degrees, counter-clockwise seen from above; then the motor lets go."""
    with shell.explained(), _table(shell.load_config(config)) as table:
        table.jog(delta_deg)
    typer.echo(f"turned by {delta_deg:g}°")


@app.command()
def home(
    repeat: Annotated[
        int, typer.Option("--repeat", min=1, max=100, help="So often, to tell how well the index is found again.")
    ] = 1,
    config: ConfigOption = None,
) -> None:
    """Find the platter's zero and say how; --repeat says how well it is found again."""
    with shell.explained(), _table(shell.load_config(config)) as table:
        found = [table.home()]
        typer.echo(_told(found[0]))
        if repeat > 1 and found[0].found_by == "here":
            shell.say('scannerd home --repeat: nothing to find again: [turntable] index = "none" here')
            raise typer.Exit(shell.FAILED)
        for _ in range(repeat - 1):
            table.jog(BETWEEN_DEG)
            found.append(table.home())
            typer.echo(_told(found[-1]))
    if repeat > 1:
        typer.echo(repeatability([again.off_deg or 0.0 for again in found[1:]], found[0].step_deg))


def repeatability(off_deg: list[float], step_deg: float) -> str:
    """Say how far apart the places were; each `off_deg` is counted from the place before."""
    places = [0.0]
    for off in off_deg:
        places.append(places[-1] + off)
    spread_deg, deviation_deg = max(places) - min(places), statistics.pstdev(places)
    return (
        f"found {len(places)} times within {spread_deg:.4f}° ({spread_deg / step_deg:.1f} steps), standard deviation "
        f"{deviation_deg:.4f}° ({deviation_deg / step_deg:.1f} steps of {step_deg:.4f}°)"
    )


def _told(found: Found) -> str:
    match found.found_by:
        case "here":
            return "home: where it stands is 0° now (no index sensor)"
        case "index":
            how = "home: the index sensor was met"
        case _:
            how = "home: its controller found it"
    if found.off_deg is None:
        return f"{how}; nothing had been counted before"
    return (
        f"{how}, {found.off_deg:+.4f}° ({found.off_deg / found.step_deg:+.1f} steps) from where counted steps put it"
    )


@contextmanager
def _table(config: Config) -> Iterator[Table]:
    """Whoever has the motor. Raises DriverError, StoreFault, and exits with the daemon's reason."""
    socket = config.web.socket if config.web.enabled else None
    if socket is not None and socket.exists():
        try:
            with DaemonSocket(socket) as daemon:
                daemon.read("state")
                yield _ByDaemon(daemon)
            return
        except NotDone as refusal:
            shell.say(f"scannerd: {refusal}")
            raise typer.Exit(shell.FAILED) from refusal
        except NoDaemon as silence:
            # A daemon that was killed leaves its socket; the lock below tells whether one lives.
            shell.say(f"scannerd: {silence}; trying without it")
    with alone_with_table(config) as table:
        yield table


@contextmanager
def alone_with_table(config: Config, clock: Clock | None = None) -> Iterator["TableHere"]:
    """The motor in this process, while no daemon of this store can take it. Raises DriverError, StoreInUse."""
    lock = StoreLayout(config.store.folder).lock
    held = StoreLock(lock) if lock.parent.is_dir() else None
    try:
        with asyncio.Runner() as runner:
            # Drivers make their locks and threads where they are built: inside the loop's own thread.
            axis: Axis = build_device("turntable", config, clock or SystemClock())
            try:
                yield TableHere(axis, runner)
            finally:
                runner.run(axis.close())
    finally:
        if held is not None:
            held.close()


class TableHere:
    """The motor's driver in this process; after each move it lets go."""

    def __init__(self, axis: Axis, runner: asyncio.Runner) -> None:
        self._axis = axis
        self._runner = runner
        self._known = False

    def jog(self, delta_deg: float) -> None:
        """Turn from here, wherever that is. Raises DriverError."""
        self._runner.run(self._jog(delta_deg))

    def home(self) -> Found:
        """Find zero. Raises DriverError."""
        found: Homing = self._runner.run(self._home())
        return Found(found.found_by, found.off_deg, self._axis.step_deg)

    async def _jog(self, delta_deg: float) -> None:
        try:
            if not self._known:
                await self._axis.believe(0.0)
                self._known = True
            await self._axis.move_to(self._axis.angle_deg + delta_deg)
        finally:
            await self._axis.release()

    async def _home(self) -> Homing:
        try:
            found = await self._axis.home()
            self._known = True
            return found
        finally:
            await self._axis.release()


class _ByDaemon:
    """The daemon that runs has the motor; it lets go by itself."""

    def __init__(self, daemon: DaemonSocket) -> None:
        self._daemon = daemon

    def jog(self, delta_deg: float) -> None:
        """Turn. Raises NotDone."""
        self._daemon.change("commands", {"command": "jog", "delta_deg": delta_deg})

    def home(self) -> Found:
        """Find zero. Raises NotDone."""
        self._daemon.change("commands", {"command": "home"})
        found: dict[str, Any] = self._daemon.read("state")["homing"]
        return Found(found["found_by"], found["off_deg"], found["step_deg"])

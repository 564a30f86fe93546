"""`scannerd park`: the motors' current off, for a daemon that was killed and could not do it itself.

A process that is killed leaves its pins as they were. Raspberry Pi's kernel does not make them inputs again, as
others do (github.com/raspberrypi/linux/pull/6117), so the motor board's own pull cannot switch it off: until the next
start the motor would stay on, and hot. Hence nothing of the daemon is loaded here, which takes a small board seconds.
"""

import asyncio

import typer

from drivers.clock import SystemClock
from scannerd import shell
from scannerd.config import Config
from scannerd.hardware import build_device
from scannerd.shell import ConfigOption

MOTORS = ("turntable", "lift")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def park(config: ConfigOption = None) -> None:
    """Switch the motors off where the daemon was killed; systemd calls it. Fails while the daemon runs."""
    with shell.explained():
        asyncio.run(switch_off(shell.load_config(config)))


async def switch_off(config: Config) -> None:
    """Claim each motor's pins, which lets it go, and free them. Raises DriverError."""
    for section in MOTORS:
        motor = build_device(section, config, SystemClock())
        if motor is not None:
            # A controller on a serial line has to be told.
            await motor.release()
            await motor.close()

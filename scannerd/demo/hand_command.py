"""The command line of the bench's hand."""

import json
from pathlib import Path
from typing import Annotated

import typer

from drivers.bench.reach import HandOutOfReach, reach
from scannerd import shell

app = typer.Typer(
    help="Reach into a running `scannerd bench`: push its button, put things on its table, see the truth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
SOCKET = Path("out/bench/hand.sock")
_socket: list[Path] = [SOCKET]

Seconds = Annotated[float, typer.Option(min=0, max=300)]
Off = Annotated[bool, typer.Option("--off", help="End it.")]


@app.callback()
def choose(hand: Annotated[Path, typer.Option("--hand", help="The bench's socket.")] = SOCKET) -> None:
    """Reach into a running `scannerd bench`. Prints how the world is afterwards as one JSON object."""
    _socket[0] = hand


@app.command()
def press(seconds: Seconds = 0.1) -> None:
    """Push the button and let go."""
    _do("press", duration_s=seconds)


@app.command()
def hold(seconds: Seconds = 5.0) -> None:
    """Push the button for long."""
    _do("press", duration_s=seconds)


@app.command()
def down() -> None:
    """Push the button and keep it down: a button that sticks."""
    _do("down")


@app.command()
def up() -> None:
    """Let go of the button."""
    _do("up")


@app.command()
def place() -> None:
    """Put the object on the table."""
    _do("place")


@app.command()
def remove() -> None:
    """Take the object away."""
    _do("remove")


@app.command()
def turn_over() -> None:
    """Lay the object on its head, or on its foot again."""
    _do("turn_over")


@app.command()
def raise_camera(
    elevation_deg: Annotated[float, typer.Argument(min=-90, max=90, help="Degrees above the platter.")],
) -> None:
    """Move the camera up or down by hand, aimed at the same point."""
    _do("raise_camera", elevation_deg=elevation_deg)


@app.command()
def jam(off: Off = False) -> None:
    """Hold the platter: the motor's pulses turn nothing."""
    _do("jam", on=not off)


@app.command()
def lose_steps(steps: Annotated[int, typer.Argument(min=0, max=1_000_000)]) -> None:
    """Let the motor miss so many of the next pulses; 27 are about 1° of the usual table."""
    _do("lose_steps", steps=steps)


@app.command()
def weak_motor(
    from_deg_s: Annotated[float, typer.Option("--from", min=0, max=10_000, help="Speed in °/s.")] = 30.0,
    share: Annotated[float, typer.Option(min=0, max=1, help="Of the pulses that come faster.")] = 0.1,
    off: Off = False,
) -> None:
    """Let the motor miss a share of the pulses that come faster than a speed of the platter."""
    _do("weak_motor", on=False) if off else _do("weak_motor", from_deg_s=from_deg_s, share=share)


@app.command()
def turn_platter(by_deg: Annotated[float, typer.Option("--by", min=-360, max=360, help="Degrees.")]) -> None:
    """Turn the platter by hand, counter-clockwise; only while its motor is off."""
    _do("turn_platter", by_deg=by_deg)


@app.command()
def turn_mat(by_deg: Annotated[float, typer.Option("--by", min=-360, max=360, help="Degrees.")]) -> None:
    """Turn the mat, and what stands on it, on the platter."""
    _do("turn_mat", by_deg=by_deg)


@app.command()
def low_voltage(off: Off = False) -> None:
    """Let the supply's voltage sag; it counts as over a minute after it has recovered."""
    _do("low_voltage", on=not off)


@app.command()
def emergency_stop(off: Annotated[bool, typer.Option("--off", help="Release it.")] = False) -> None:
    """Push the emergency stop, which stays pushed; `release` releases it."""
    _do("emergency_stop", on=not off)


@app.command()
def release() -> None:
    """Release the emergency stop."""
    _do("emergency_stop", on=False)


@app.command()
def unplug() -> None:
    """Pull the serial table's cable, which feeds its controller, too."""
    _do("unplug")


@app.command()
def plug_in() -> None:
    """Put the cable back."""
    _do("plug_in")


@app.command()
def drop_byte(
    to_controller: Annotated[bool, typer.Option("--to-controller", help="On its way to the table.")] = False,
) -> None:
    """Lose a byte of what the serial table says next, or is told."""
    _do("drop_byte", on=to_controller)


@app.command()
def garble_byte() -> None:
    """Change a byte of what the serial table says next."""
    _do("garble_byte")


@app.command()
def reset_table() -> None:
    """Push the reset button of the serial table's controller."""
    _do("reset_table")


@app.command()
def table_alarm() -> None:
    """Let the serial table's controller stop by itself, as at a limit switch."""
    _do("table_alarm")


@app.command()
def slow_replies(seconds: Annotated[float, typer.Argument(min=0, max=60)]) -> None:
    """Let the serial table answer so much later; 0 ends it."""
    _do("slow_replies", delay_s=seconds)


@app.command()
def camera_hang(
    off: Off = False,
    number: Annotated[int, typer.Option("--camera", min=0, max=9, help="Which of several; 0 is the first.")] = 0,
) -> None:
    """Let the camera send no frames any more."""
    _do("camera_hang", on=not off, number=number)


@app.command()
def camera_stuck() -> None:
    """Let the camera send no frames until its stream is stopped and started again."""
    _do("camera_stuck")


@app.command()
def late_frame(seconds: Annotated[float, typer.Argument(min=0, max=60)]) -> None:
    """Let the camera's next frame come late."""
    _do("late_frame", late_s=seconds)


@app.command()
def truth() -> None:
    """Say how the world is, whatever the daemon believes."""
    _do("truth")


def _do(action: str, **details: object) -> None:
    try:
        answer = reach(_socket[0], action, **details)
    except HandOutOfReach as error:
        shell.say(f"scannerd bench-hand: {error}")
        raise typer.Exit(shell.FAILED) from error
    typer.echo(json.dumps(answer))

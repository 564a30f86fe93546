"""Inside: a turntable with GRBL, whose cable is pulled while the platter turns and plugged in again."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

import guest_cable

from drivers.clock import SystemClock
from drivers.options_serial import SerialAxisOptions
from drivers.protocols import AxisNotHomed, LinkBroken
from drivers.serial_port import SerialPort
from drivers.stepper_serial import GrblAxis

OPTIONS = SerialAxisOptions(max_speed_deg_s=20, acceleration_deg_s2=60)
PULLED_AFTER_S = 1.0


async def main(board: int) -> None:
    """Print what happened as JSON."""
    await asyncio.to_thread(_plug_in, board)
    print(json.dumps({"pulled": await _pulled(board), "hung": await asyncio.to_thread(_hung, board)}))


async def _pulled(board: int) -> dict[str, Any]:
    axis = GrblAxis(OPTIONS, SystemClock())
    await axis.home()
    told, true = [await axis.move_to(10.0)], [guest_cable.rests_at()]
    move = asyncio.create_task(axis.move_to(170.0))
    await asyncio.sleep(PULLED_AFTER_S)
    await asyncio.to_thread(guest_cable.pull)
    found = {"broken": await _broken(move), "knows": _knows(axis), "without_a_cable": await _broken(axis.home())}
    # The board has its own supply, and a jog that it was told it ends.
    await asyncio.to_thread(guest_cable.until, lambda: guest_cable.rests_at() == 170.0, "the jog's end")
    await asyncio.to_thread(_plug_in, board)
    await axis.believe(170.0)
    for to_deg in (180.0, 160.0):
        told.append(await axis.move_to(to_deg))
        true.append(guest_cable.rests_at())
    await axis.close()
    return found | {"told": told, "true": true, "motor": json.loads(guest_cable.TRUTH.read_text().splitlines()[-1])}


def _hung(board: int) -> dict[str, Any]:
    """Its program hangs, while what answers for it on USB goes on."""
    port = SerialPort("turntable", OPTIONS.port, 115200, guest_cable.PLUGGED_IN_S)
    os.kill(board, signal.SIGSTOP)
    found: dict[str, Any] = {"full": _told(lambda: _fill(port))}
    began_s = time.monotonic()
    port.close()
    found["closed_after_s"] = round(time.monotonic() - began_s, 1)
    found["opened_again"] = _told(lambda: SerialPort("turntable", OPTIONS.port, 115200, 0.0))
    os.kill(board, signal.SIGCONT)
    guest_cable.pull()
    _plug_in(board)
    SerialPort("turntable", OPTIONS.port, 115200, 0.0).close()
    guest_cable.pull()
    return found


def _fill(port: SerialPort) -> None:
    for _ in range(1000):
        port.write(b"?" * 64)


def _told(work: Callable[[], object]) -> str:
    """Return the words of a broken link."""
    try:
        work()
    except LinkBroken as error:
        return str(error)
    return ""


async def _broken(doing: Awaitable[object]) -> str:
    """Return the words of a broken link."""
    try:
        await doing
    except LinkBroken as error:
        return str(error)
    return ""


def _plug_in(board: int) -> None:
    guest_cable.plug_in()
    guest_cable.until(guest_cable.PORT.exists, "udev names the port")
    guest_cable.until(lambda: guest_cable.listens(board), "the board is up")


def _knows(axis: GrblAxis) -> bool:
    try:
        return axis.angle_deg is not None
    except AxisNotHomed:
        return False


with guest_cable.controller() as running:
    asyncio.run(main(running))

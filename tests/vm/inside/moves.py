"""Inside: our turntable on unmodified gpiozero and lgpio; what was commanded beside the edges that the kernel saw."""

import asyncio
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from gpiozero import Device
from guest_pins import Trace, level, steps_in

from drivers.clock import SystemClock
from drivers.options import StepperGpioOptions
from drivers.protocols import AxisNotHomed, EmergencyStopped
from drivers.stepper_gpio import StepperGpio

# A third of a real table's speed: the machine itself is simulated, and shares its processors.
OPTIONS = StepperGpioOptions(pulses="lgpio", max_speed_deg_s=20, acceleration_deg_s2=60)
CANCEL_AFTER_S = (0.15, 0.4, 0.8)
STARTS_IN_S = 60.0


async def main() -> None:
    """Print what happened as JSON."""
    chance = random.Random(3)
    axis = StepperGpio(OPTIONS, SystemClock())
    await axis.home()
    found: dict[str, Any] = {"factory": type(Device.pin_factory).__name__, "motor_on": _motor_on()}
    found["moves"] = [await _move(axis, to_deg) for to_deg in (12.0, 4.5, -3.0, 0.0)]
    found["cancelled"] = [await _cancelled(axis, after_s, chance) for after_s in CANCEL_AFTER_S]
    found["afterwards"] = await _move(axis, 0.0)
    await axis.release()
    found["motor_on_after_release"] = _motor_on()
    found["emergency"] = await _emergency(axis)
    await axis.home()
    found["after_emergency"] = await _move(axis, 5.0)
    await axis.close()
    found["motor_on_after_close"] = _motor_on()
    print(json.dumps(found))


async def _move(axis: StepperGpio, to_deg: float) -> dict[str, float]:
    trace, before_deg = Trace(), axis.angle_deg
    reached_deg = await axis.move_to(to_deg)
    return _compared(axis, trace, reached_deg - before_deg)


async def _cancelled(axis: StepperGpio, after_s: float, chance: random.Random) -> dict[str, float]:
    trace, before_deg = Trace(), axis.angle_deg
    move = asyncio.create_task(axis.move_to(before_deg + chance.choice((-25.0, 25.0))))
    await asyncio.sleep(after_s)
    move.cancel()
    await asyncio.wait({move})
    assert move.cancelled()
    return _compared(axis, trace, axis.angle_deg - before_deg)


async def _emergency(axis: StepperGpio) -> dict[str, Any]:
    trace, from_deg = Trace(), axis.angle_deg
    move = asyncio.create_task(axis.move_to(from_deg + 25.0))
    # The motor rested: first a process for its pulses has to start, which takes seconds in here.
    began_s = time.monotonic()
    while axis.angle_deg < from_deg + 1.0 and time.monotonic() - began_s < STARTS_IN_S:  # noqa: ASYNC110 - for a standing motor
        await asyncio.sleep(0.05)
    axis.emergency_stop()
    before = len(_pulses(trace))
    motor_on = _motor_on()
    (ended,) = await asyncio.gather(move, return_exceptions=True)
    await asyncio.sleep(0.3)
    try:
        known = f"{axis.angle_deg}°"
    except AxisNotHomed:
        known = "unknown"
    return {
        "pulses_before": before,
        "pulses_after": len(_pulses(trace)) - before,
        "motor_on": motor_on,
        "raised": isinstance(ended, EmergencyStopped),
        "angle": known,
    }


def _compared(axis: StepperGpio, trace: Trace, way_deg: float) -> dict[str, float]:
    dir_level = trace.levels[OPTIONS.dir_pin]
    counted = steps_in(trace.edges(), OPTIONS.step_pin, OPTIONS.dir_pin, dir_level)
    return {"commanded": round(way_deg / axis.step_deg, 6), "counted": counted, "pulses": len(_pulses(trace))}


def _pulses(trace: Trace) -> list[float]:
    return [edge.at_s for edge in trace.edges() if edge.line == OPTIONS.step_pin and edge.level]


def _motor_on() -> bool:
    assert OPTIONS.enable_pin is not None
    return level(OPTIONS.enable_pin) == 0


asyncio.run(main())

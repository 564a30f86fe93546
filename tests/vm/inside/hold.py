"""Inside: a process that holds the table until it is told to end, as the daemon does."""

import asyncio
import signal
import sys
from pathlib import Path

from drivers.clock import SystemClock
from drivers.options import StepperGpioOptions
from drivers.stepper_gpio import StepperGpio

HOLDS = Path("/run/holds")


async def main() -> None:
    """Turn and turn; SIGTERM cuts the current."""
    axis = StepperGpio(StepperGpioOptions(pulses="lgpio", max_speed_deg_s=20, acceleration_deg_s2=60), SystemClock())
    await axis.home()
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    turning = asyncio.create_task(axis.move_to(360.0))
    HOLDS.touch()  # noqa: ASYNC240 - a file in memory
    await ending.wait()
    axis.cut_current()
    await asyncio.gather(turning, return_exceptions=True)
    await axis.close()
    sys.exit(0)


asyncio.run(main())

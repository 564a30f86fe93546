"""A turntable, or a lift for the camera, behind a STEP/DIR/ENABLE stepper driver on GPIO pins."""

import asyncio
import math
import threading
from concurrent.futures import ThreadPoolExecutor

from gpiozero import DigitalOutputDevice, GPIOZeroError

from drivers.motion_profile import MotionLimits, move_time_s, plan_move
from drivers.options import StepperGpioOptions
from drivers.protocols import AxisNotHomed, Clock, DriverError, OutsideLimits
from drivers.pulse_player import GpioPulsePlayer, PulsePlayer

WAKE_S = 0.002
"""From ENABLE to the first step: the common boards' charge pumps need 1 ms."""


class StepperGpio:
    """`Axis` over three GPIO lines. Its pulses come from one thread of its own."""

    def __init__(self, options: StepperGpioOptions, clock: Clock, player: PulsePlayer | None = None) -> None:
        """Claim the pins, motor off. Raises DriverError when they cannot be had."""
        self._options = options
        self._clock = clock
        self._limits = MotionLimits(options.max_speed_deg_s, options.acceleration_deg_s2)
        self._lines: list[DigitalOutputDevice] = []
        try:
            step = self._claim(options.step_pin)
            self._dir = self._claim(options.dir_pin)
            self._enable = None
            if options.enable_pin is not None:
                self._enable = self._claim(options.enable_pin, active_high=not options.enable_active_low)
        except GPIOZeroError as error:
            self._free_lines()
            raise DriverError(
                f"{options.name}: {error}; check [{options.name}] pins and who else uses GPIO"
            ) from error
        self._player: PulsePlayer = player or GpioPulsePlayer(step.pin, clock)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=options.name)
        self._moving = asyncio.Lock()
        self._stop = threading.Event()
        self._closed = False
        self._homed = False
        self._steps = 0
        self._direction = 1

    @property
    def step_deg(self) -> float:
        """Angle of one microstep at the platter, or of the camera."""
        return self._options.step_deg

    @property
    def angle_deg(self) -> float:
        """Commanded angle after the last issued step. Raises AxisNotHomed."""
        if not self._homed:
            raise AxisNotHomed(f"{self._options.name}: position unknown; home it first")
        return self._steps * self.step_deg

    async def home(self) -> None:
        """Hold the platter where it stands and call that angle 0."""
        await self.believe(0.0)

    async def believe(self, angle_deg: float) -> None:
        """Hold what stands here and call that this angle. Raises OutsideLimits."""
        async with self._moving:
            self._refuse_if_closed()
            self._check_limits(angle_deg)
            await asyncio.get_running_loop().run_in_executor(self._thread, self._energise)
            self._steps = round(angle_deg / self.step_deg)
            self._homed = True

    async def move_to(self, angle_deg: float) -> float:
        """Return the commanded angle, the step nearest to the wish, once the last step is issued.

        Absolute. Does not settle. Raises AxisNotHomed, OutsideLimits. Cancelling decelerates, waits for the
        standstill and leaves the position known.
        """
        async with self._moving:
            self._refuse_if_closed()
            self._check_limits(angle_deg)
            from_deg = self.angle_deg
            target = round(angle_deg / self.step_deg)
            stop = self._stop = threading.Event()
            playing = asyncio.get_running_loop().run_in_executor(self._thread, self._play_to, target, stop)
            try:
                await asyncio.shield(playing)
            except asyncio.CancelledError:
                stop.set()
                await asyncio.wait({playing})
                raise
            if self._steps != target:
                way = f"from {from_deg:.2f}° to {angle_deg:.2f}°"
                raise DriverError(f"{self._options.name}: stopped at {self.angle_deg:.2f}° on the way {way}")
            return self.angle_deg

    def move_time_s(self, from_deg: float, to_deg: float) -> float:
        """Return what the profile needs for this move at the configured limits: the physical floor."""
        return move_time_s(to_deg - from_deg, self._limits)

    async def release(self) -> None:
        """Switch the holding current off. The position counts as known until something moves the platter."""
        async with self._moving:
            if self._enable is not None and not self._closed:
                self._enable.off()

    def cut_current(self) -> None:
        """Switch the motor off at once, from any thread and without slowing down: the process must end now."""
        self._stop.set()
        if self._enable is not None and not self._closed:
            self._closed = True
            self._enable.off()

    async def close(self) -> None:
        """Decelerate if moving, switch the current off and free the pins; safe to call twice."""
        self._closed = True
        self._stop.set()
        async with self._moving:
            self._thread.shutdown()
            self._free_lines()

    def _play_to(self, target: int, stop: threading.Event) -> None:
        """In the motor's own thread: issue the pulses from here to the target."""
        way = target - self._steps
        if way == 0:
            return
        self._direction = 1 if way > 0 else -1
        self._dir.value = (way > 0) != self._options.reversed
        self._energise()
        self._player.play(plan_move(abs(way), self.step_deg, self._limits), stop, self._count)

    def _count(self, steps: int) -> None:
        self._steps += self._direction * steps

    def _energise(self) -> None:
        if self._enable is not None and not self._enable.value:
            self._enable.on()
            self._clock.sleep_until(self._clock.now_s() + WAKE_S)

    def _check_limits(self, angle_deg: float) -> None:
        if not math.isfinite(angle_deg):
            raise OutsideLimits(f"{self._options.name}: {angle_deg}° is no angle")
        limits = self._options.soft_limits_deg
        if limits is not None and not limits[0] <= angle_deg <= limits[1]:
            allowed = f"{limits[0]:.2f}° to {limits[1]:.2f}°"
            raise OutsideLimits(f"{self._options.name}: {angle_deg:.2f}° is outside its soft limits {allowed}")

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise DriverError(f"{self._options.name}: closed; build a new one")

    def _claim(self, pin: int, *, active_high: bool = True) -> DigitalOutputDevice:
        line = DigitalOutputDevice(pin, active_high=active_high, initial_value=False)
        self._lines.append(line)
        return line

    def _free_lines(self) -> None:
        """Off, then free. A freed pin becomes an input, which leaves ENABLE to the board's own pull."""
        for line in self._lines:
            if not line.closed:
                line.off()
                line.close()

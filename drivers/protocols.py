"""What the daemon asks of hardware, and how hardware says no.

Every angle is the platter's, in degrees, counter-clockwise seen from above; 0 is home. A lift's is the camera's
elevation above the platter.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class DriverError(RuntimeError):
    """Hardware did not do what was asked. The message names thing, observed, expected and what to do next."""


class Retryable(DriverError):
    """Trying the same thing again is safe and may help."""


class NeedsPerson(DriverError):
    """Somebody has to do something first: plug a cable, free a jam, home the table."""


class AxisNotHomed(NeedsPerson):
    """The position is unknown; an absolute move would go anywhere."""


class OutsideLimits(DriverError):
    """The move would leave the soft limits."""


class CameraTimeout(Retryable):
    """No frame came before the deadline that the exposure allows."""


class Clock(Protocol):
    """Time as the hardware lives it: the system's, or the bench's own."""

    def now_s(self) -> float:
        """Return seconds since an arbitrary start; never goes back."""

    def sleep_until(self, deadline_s: float) -> None:
        """Block this thread until `now_s()` reaches the deadline."""

    async def wait_until(self, deadline_s: float) -> None:
        """The same for a task; cancelling it leaves nothing behind."""


class Axis(Protocol):
    """One rotary axis."""

    @property
    def step_deg(self) -> float:
        """Angle of one microstep at the platter."""

    @property
    def angle_deg(self) -> float:
        """Commanded angle after the last issued step. Raises AxisNotHomed."""

    async def home(self) -> None:
        """Make the present position, or the index found, angle 0."""

    async def believe(self, angle_deg: float) -> None:
        """Take the present position for this angle: somebody knows better than counted steps."""

    async def move_to(self, angle_deg: float) -> float:
        """Return the commanded angle once the last step is issued.

        Absolute. Does not settle. Raises AxisNotHomed, OutsideLimits. Cancelling decelerates; the position stays
        known.
        """

    def move_time_s(self, from_deg: float, to_deg: float) -> float:
        """Return what the profile needs for this move at the configured limits: the physical floor."""

    async def release(self) -> None:
        """Switch the holding current off. The position counts as known until something moves the platter."""

    def cut_current(self) -> None:
        """Switch the motor off at once, from any thread and without slowing down: the process must end now."""

    async def close(self) -> None:
        """Stop, release and free the pins or port; safe to call twice."""


@dataclass(frozen=True)
class CameraDescription:
    """What the camera is, for EXIF, the manifest and the forecast."""

    make: str
    model: str
    focal_length_mm: float
    sensor_width_mm: float
    width_px: int
    height_px: int
    readout_s: float
    """From the end of the exposure to the whole frame in memory: the sensor's frame time in this mode."""


@dataclass(frozen=True)
class Frame:
    """One exposure. `pixels` is (height, width, 3), uint8, RGB, owned by the caller."""

    pixels: NDArray[np.uint8]
    exposure_us: float
    analogue_gain: float
    exposed_at_s: float
    """Start of the exposure on the system's monotonic clock."""
    metadata: dict[str, float] = field(default_factory=dict)


class Camera(Protocol):
    """A still camera on a running stream."""

    @property
    def description(self) -> CameraDescription:
        """What this camera is."""

    async def open(self) -> None:
        """Start the stream and lock exposure, gain, white balance and focus. Raises DriverError."""

    async def capture(self) -> Frame:
        """Return a frame whose exposure began after this call. Raises CameraTimeout, DriverError."""

    async def close(self) -> None:
        """Stop the stream and free the camera; safe to call twice."""


class Button(Protocol):
    """The contact of a push button, bounces and all."""

    @property
    def closed_contact(self) -> bool:
        """Whether the contact is closed at this moment."""

    def on_edge(self, listener: Callable[[bool, float], None] | None) -> None:
        """Tell `listener` how an edge left the contact (True: closed), and when, in s of CLOCK_MONOTONIC.

        Called from the driver's own thread; None: tell nobody any more.
        """

    def close(self) -> None:
        """Free the pin; safe to call twice."""


class Lamp(Protocol):
    """A signal lamp that is on or off, such as the one in the button."""

    def set_on(self, on: bool) -> None:
        """Switch it; returns at once. Raises DriverError."""

    def close(self) -> None:
        """Switch it off and free the pin; safe to call twice."""


class Light(Protocol):
    """Light on the object."""

    def set_level(self, level: float) -> None:
        """Shine with this share of all there is, 0 to 1; returns at once. Raises DriverError."""

    def close(self) -> None:
        """Switch it off and free the pin; safe to call twice."""

"""What the daemon asks of hardware, and how hardware says no.

Every angle is the platter's, in degrees, counter-clockwise seen from above; 0 is home. A lift's is the camera's
elevation above the platter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from drivers.hardware_fault import HardwareFault

if TYPE_CHECKING:
    # They bring the libraries of pictures, which letting a motor go has no time for.
    from drivers.picture import Planes
    from drivers.raw_picture import Raw


class DriverError(RuntimeError):
    """Hardware did not do what was asked. The message names thing, observed, expected and what to do next."""

    kind: ClassVar[StrEnum] = HardwareFault.HARDWARE
    """What is wrong, in a word: the class says it, never the message."""


class Retryable(DriverError):
    """Trying the same thing again is safe and may help."""


class NeedsPerson(DriverError):
    """Somebody has to do something first: plug a cable, free a jam, home the table."""


class AxisNotHomed(NeedsPerson):
    """The position is unknown; an absolute move would go anywhere."""

    kind = HardwareFault.POSITION_LOST


class OutsideLimits(DriverError):
    """The move would leave the soft limits."""

    kind = HardwareFault.POSITION_LOST


class EmergencyStopped(NeedsPerson):
    """The axis was stopped at once, in the middle of a move or not; where it stands is unknown."""

    kind = HardwareFault.EMERGENCY_STOP


class LinkBroken(Retryable):
    """A line to a controller does not carry what was sent: unplugged, or bytes were lost."""

    kind = HardwareFault.LINK_BROKEN


class CameraTimeout(Retryable):
    """No frame came before the deadline that the exposure allows."""

    kind = HardwareFault.CAMERA_SILENT


class CameraUnusable(NeedsPerson):
    """There is no camera, another program has it, or it cannot do what is asked of it."""

    kind = HardwareFault.CAMERA_UNUSABLE


class Clock(Protocol):
    """Time as the hardware lives it: the system's, or the bench's own."""

    def now_s(self) -> float:
        """Return seconds since an arbitrary start; never goes back."""

    def sleep_until(self, deadline_s: float) -> None:
        """Block this thread until `now_s()` reaches the deadline."""

    async def wait_until(self, deadline_s: float) -> None:
        """The same for a task; cancelling it leaves nothing behind."""

    def from_monotonic_s(self, monotonic_s: float) -> float:
        """Return what `now_s()` was at a moment of the system's CLOCK_MONOTONIC, as cameras stamp their frames."""


@dataclass(frozen=True)
class Homing:
    """How an axis came to know its angle."""

    found_by: Literal["here", "index", "controller"]
    """`here`: it stands at 0 because somebody says so. `index`: a sensor was met. `controller`: it homed itself."""
    off_deg: float | None = None
    """Where the index was found by counted steps, less where it should be; None: nothing had been counted before."""


class Axis(Protocol):
    """One rotary axis."""

    @property
    def step_deg(self) -> float:
        """Angle of one microstep at the platter."""

    @property
    def angle_deg(self) -> float:
        """Commanded angle after the last issued step. Raises AxisNotHomed."""

    async def home(self) -> Homing:
        """Look for the index and know the angle there; without one the present position is 0.

        Raises NeedsPerson where the index is not met in a whole turn, DriverError. Cancelling decelerates; the angle
        is unknown then.
        """

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

    def emergency_stop(self) -> None:
        """Stop pulses and current at once, from any thread and without slowing down.

        A move under way raises EmergencyStopped. The angle is unknown until `home` or `believe`.
        """

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
    small_width_px: int
    """Of a photo's small companion."""
    small_height_px: int
    readout_s: float
    """From the end of the exposure to the whole frame in memory: the sensor's frame time in this mode."""
    raw_bytes: int | None = None
    """What is kept of one exposure at most where frames come raw, too; None: this camera has nothing of the kind."""
    turn_s: float = 0.0
    """What the start of its stream adds to each photo where cameras of one bus stream in turns; else 0."""


@dataclass(frozen=True)
class CameraSettings:
    """Everything that would otherwise change from photo to photo."""

    exposure_us: float
    analogue_gain: float
    colour_gains: tuple[float, float]
    """Red and blue: the white balance."""
    focus_dioptres: float | None
    """1 / distance in metres; None: the lens has no motor."""


@dataclass(frozen=True)
class Window:
    """A part of the photo, as shares of its width and height from 0 to 1; (0, 0) is the top left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Glimpse:
    """The small companion of a frame. `picture` is the caller's own."""

    picture: Planes
    exposed_at_s: float
    """Start of the exposure on the system's monotonic clock."""
    exposure_us: float
    is_preview: bool = False
    """Whether its photo is still to be taken: whoever wants it is asked once more when it is there."""


@dataclass(frozen=True)
class Frame:
    """One exposure. Its pictures are the caller's own."""

    photo: Planes
    small: Planes
    """The companion of the same exposure."""
    exposure_us: float
    analogue_gain: float
    exposed_at_s: float
    """Start of the exposure on the system's monotonic clock."""
    metadata: dict[str, float] = field(default_factory=dict)
    raw: Raw | None = None
    """The same exposure as the sensor saw it, where `keep_raw` asked for it."""
    jpeg: bytes | None = None
    """The photo as the camera itself made a file of it, which is worth more than one made of its pixels anew."""


def always(_: Glimpse) -> bool:
    """Keep whatever comes next."""
    return True


class Camera(Protocol):
    """A still camera on a running stream, each frame of which comes whole and as a small companion."""

    @property
    def description(self) -> CameraDescription:
        """What this camera is."""

    @property
    def settings(self) -> CameraSettings:
        """What is locked now, as the sensor rounded it."""

    async def open(self) -> None:
        """Start the stream and lock exposure, gain, white balance and focus. Raises DriverError."""

    async def meter(self, window: Window) -> CameraSettings:
        """Let the automatics look at this window until they rest, then lock exposure, gain, colours and focus.

        The window's highlights are not burnt out. Returns what a frame has shown to be locked; takes seconds, during
        which platter and light should rest. Raises CameraUnusable when nothing comes to rest, CameraTimeout.
        Cancelling leaves the stream running with whatever was reached: lock again.
        """

    async def lock(self, settings: CameraSettings) -> CameraSettings:
        """Return what took effect, once a frame shows it. Raises CameraTimeout, NeedsPerson."""

    async def pace(self, frame_s: float | None) -> None:
        """Let frames follow each other by this much, never less than sensor and exposure need; None: the least.

        Returns at once. The frames themselves tell when it took effect, some later.
        """

    async def keep_raw(self, wanted: bool) -> None:
        """Let captured frames carry what the sensor saw, or no more; nothing where they do already.

        Starting the stream anew takes half a second. Raises CameraUnusable where the camera has nothing raw or too
        little memory for it, CameraTimeout.
        """

    async def glimpse(self) -> Glimpse:
        """Return the companion of a frame whose exposure began after this call. Raises CameraTimeout, DriverError."""

    async def capture(self, keep: Callable[[Glimpse], bool] = always) -> Frame:
        """Return the first frame that `keep` accepts, of those whose exposure began after this call, in order.

        `keep` is asked in the camera's thread and should take milliseconds, lest frames are lost; what it raises
        comes out here. A frame that it refuses costs the copy of a companion. Nothing limits how often it may refuse.
        Of cameras that take a photo only on demand it is asked about previews, then about the photo's own companion.
        Cancelling leaves the stream running. Raises CameraTimeout, DriverError.
        """

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


class EmergencyStop(Protocol):
    """The contact of an emergency stop."""

    @property
    def pushed(self) -> bool:
        """Whether it is pushed at this moment, or its wire is broken."""

    def on_change(self, listener: Callable[[bool], None] | None) -> None:
        """Tell `listener` at once, from the driver's own thread, that it was pushed (True) or released (False).

        A contact that bounces is told as often as it does. None: tell nobody any more.
        """

    def close(self) -> None:
        """Free the pin; safe to call twice."""


class Lamp(Protocol):
    """A signal lamp that is on or off, such as the one in the button."""

    def set_on(self, on: bool) -> None:
        """Switch it; returns at once. Raises DriverError."""

    def close(self) -> None:
        """Switch it off and free the pin; safe to call twice."""


Colour = tuple[float, float, float]
"""Shares of red, green and blue, 0 to 1, linear in light."""
WHITE: Colour = (1.0, 1.0, 1.0)


class Light(Protocol):
    """Light on the object."""

    @property
    def has_colours(self) -> bool:
        """Whether it can shine in others than its own."""

    def set_level(self, level: float, colour: Colour = WHITE) -> None:
        """Shine with this share of all there is, 0 to 1; returns at once.

        A light that has one colour keeps it, whichever is asked for. Raises DriverError.
        """

    def close(self) -> None:
        """Switch it off and free the pin; safe to call twice."""

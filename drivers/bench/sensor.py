"""The image sensor: a shutter that opens frame after frame, and registers that take effect some frames later.

Modelled on an IMX477. A frame's timeline, in the bench's time: the shutter opens, closes after the exposure, and the
frame is in memory one readout later, while the next one is already being exposed.
"""

import math
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from drivers.bench.bench_clock import BenchClock
from drivers.bench.world import Shot

CONTROL_DELAY_FRAMES = 3
"""From the frame whose request carries a control to the first frame that shows it."""
STARTUP_FRAMES = 3
"""What the sensor takes to wake up."""
BLANKING_LINES = 24
FRAMES_BEHIND = 4
"""A host that is later than this has lost the frames in between; the sensor does not wait."""
GAIN_CODES = 1024
AUTO_EXPOSURE_US = 15_000.0
"""What the automatic exposure hunts around: enough to show when somebody forgot to lock it."""
AUTO_HUNTING = 0.05


@dataclass(frozen=True)
class SensorMode:
    """A way of reading the sensor out."""

    width_px: int
    height_px: int
    bit_depth: int
    frame_time_s: float
    """Shortest time from frame to frame, and how long a frame takes to be read out."""

    @property
    def line_s(self) -> float:
        """Time for one line: exposures are whole multiples of it."""
        return self.frame_time_s / (self.height_px + BLANKING_LINES)


MODEL = "imx477"
MODES = (SensorMode(2028, 1520, 12, 1 / 40), SensorMode(4056, 3040, 12, 1 / 10))
GAIN_RANGE = (1.0, 22.0)
LONGEST_EXPOSURE_US = 694_422_939
LONGEST_FRAME_US = 694_434_742


@dataclass(frozen=True)
class SensorSettings:
    """What the registers and the image pipeline hold for one frame."""

    exposure_us: float = 20_000.0
    analogue_gain: float = 1.0
    colour_gains: tuple[float, float] = (2.1, 1.9)
    auto_exposure: bool = True
    auto_gain: bool = True
    auto_white_balance: bool = True
    frame_duration_us: tuple[float, float] = (0.0, float(LONGEST_FRAME_US))

    def after(self, controls: Mapping[str, Any]) -> "SensorSettings":
        """Return the settings once these libcamera controls have been applied."""
        changes: dict[str, Any] = {}
        if "AeEnable" in controls:
            changes |= {"auto_exposure": controls["AeEnable"], "auto_gain": controls["AeEnable"]}
        if "ExposureTimeMode" in controls:
            changes["auto_exposure"] = controls["ExposureTimeMode"] == 0
        if "AnalogueGainMode" in controls:
            changes["auto_gain"] = controls["AnalogueGainMode"] == 0
        if "AwbEnable" in controls:
            changes["auto_white_balance"] = controls["AwbEnable"]
        for control, field in (
            ("ExposureTime", "exposure_us"),
            ("AnalogueGain", "analogue_gain"),
            ("ColourGains", "colour_gains"),
            ("FrameDurationLimits", "frame_duration_us"),
        ):
            if control in controls:
                changes[field] = controls[control]
        return replace(self, **changes)

    def realised(self, mode: SensorMode, sequence: int) -> "SensorSettings":
        """Return what the sensor makes of it: automatic values filled in, registers rounded, limits kept."""
        hunting = 1 + AUTO_HUNTING * math.sin(0.7 * sequence)
        exposure_us = AUTO_EXPOSURE_US * hunting if self.auto_exposure else self.exposure_us
        gain = 1.5 * hunting if self.auto_gain else self.analogue_gain
        red, blue = self.colour_gains
        return replace(
            self,
            exposure_us=self._whole_lines_us(exposure_us, mode),
            analogue_gain=_register_gain(gain),
            colour_gains=(red * hunting, blue / hunting) if self.auto_white_balance else (red, blue),
        )

    def frame_s(self, mode: SensorMode) -> float:
        """Return the time until the next frame, for realised settings."""
        needed_s = self.exposure_us * 1e-6 + BLANKING_LINES * mode.line_s
        return max(mode.frame_time_s, needed_s, self.frame_duration_us[0] * 1e-6)

    def _whole_lines_us(self, exposure_us: float, mode: SensorMode) -> float:
        longest_us = max(self.frame_duration_us[1], mode.frame_time_s * 1e6) - BLANKING_LINES * mode.line_s * 1e6
        lines = max(1, math.floor(min(exposure_us, longest_us) * 1e-6 / mode.line_s))
        return float(round(lines * mode.line_s * 1e6))


def _register_gain(gain: float) -> float:
    """The gain register holds a code c of 10 bits, and gain = 1024 / (1024 - c)."""
    low, high = GAIN_RANGE
    code = round(GAIN_CODES - GAIN_CODES / min(max(gain, low), high))
    return GAIN_CODES / (GAIN_CODES - code)


class FrameSink(Protocol):
    """Where the frames go. Called from the sensor's thread."""

    def take_request(self) -> Mapping[str, Any] | None:
        """Claim memory for the frame being read out; return its request's controls, or None to lose the frame."""

    def expose(self, shot: Shot, settings: SensorSettings, sequence: int) -> None:
        """The shutter of the claimed frame has closed."""

    def deliver(self) -> None:
        """The claimed frame is in memory."""


class Sensor:
    """A streaming sensor. `start` and `stop` may alternate for ever; no thread outlives `stop`."""

    def __init__(self, clock: BenchClock) -> None:
        """Power on, not streaming."""
        self._clock = clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, mode: SensorMode, settings: SensorSettings, sink: FrameSink) -> None:
        """Stream frames into the sink until `stop`."""
        self._stopping.clear()
        # A daemon thread: a camera that nobody stops does not keep a process alive.
        self._thread = threading.Thread(
            target=self._stream, args=(mode, settings, sink), name=f"{MODEL}-sensor", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Return once the last frame is out; safe to call when not streaming."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _stream(self, mode: SensorMode, settings: SensorSettings, sink: FrameSink) -> None:
        clock = self._clock
        in_flight: deque[Mapping[str, Any]] = deque([{}] * (CONTROL_DELAY_FRAMES - 1))
        closes_s = clock.now_s() + STARTUP_FRAMES * mode.frame_time_s
        sequence = 0
        while not self._stopping.is_set():
            realised = settings.realised(mode, sequence)
            closes_s = max(closes_s + realised.frame_s(mode), clock.now_s() - FRAMES_BEHIND * mode.frame_time_s)
            clock.sleep_until(closes_s)
            controls = sink.take_request()
            if controls is not None:
                opened_s = closes_s - realised.exposure_us * 1e-6
                shot = Shot(opened_s, realised.exposure_us, realised.analogue_gain, realised.colour_gains)
                sink.expose(shot, realised, sequence)
                clock.sleep_until(closes_s + mode.frame_time_s)
                sink.deliver()
            in_flight.append(controls or {})
            settings = settings.after(in_flight.popleft())
            sequence += 1

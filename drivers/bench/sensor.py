"""The image sensor: a shutter that opens frame after frame, and registers that take effect some frames later.

A frame's timeline, in the bench's time: the shutter opens, closes after the exposure, and the frame is in memory one
readout later, while the next one is already being exposed.
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from drivers.bench.automatics import AfState, Automatics, Eye
from drivers.bench.bench_clock import BenchClock
from drivers.bench.sensor_models import IMX477, SensorMode, SensorModel
from drivers.bench.sensor_settings import SensorSettings
from drivers.bench.world import Shot

CONTROL_DELAY_FRAMES = 3
"""From the frame whose request carries a control to the first frame that shows it."""
STARTUP_FRAMES = 3
"""What the sensor takes to wake up."""
FRAMES_BEHIND = 4
"""A host that is later than this has lost the frames in between; the sensor does not wait."""
NAP_S = 0.02
TRIGGER_START = 0
"""libcamera's AfTriggerStart."""


class FrameSink(Protocol):
    """Where the frames go. Called from the sensor's thread."""

    def take_request(self) -> Mapping[str, Any] | None:
        """Claim memory for the frame being read out; return its request's controls, or None to lose the frame."""

    @property
    def eye(self) -> Eye:
        """What the automatics may look at."""

    def expose(self, shot: Shot, settings: SensorSettings, focus: AfState, sequence: int) -> None:
        """The shutter of the claimed frame has closed, also for its last row."""

    def deliver(self) -> None:
        """The claimed frame is in memory."""


class Sensor:
    """A streaming sensor. `start` and `stop` may alternate for ever; no thread outlives `stop`."""

    def __init__(self, clock: BenchClock, model: SensorModel = IMX477) -> None:
        """Power on, not streaming."""
        self._clock = clock
        self._model = model
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, mode: SensorMode, settings: SensorSettings, sink: FrameSink) -> None:
        """Stream frames into the sink until `stop`."""
        self._stopping.clear()
        # A daemon thread: a camera that nobody stops does not keep a process alive.
        self._thread = threading.Thread(
            target=self._stream, args=(mode, settings, sink), name=f"{self._model.name}-sensor", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Return once the last frame is out; safe to call when not streaming."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def waited(self, late_s: float) -> bool:
        """Return True after so long, False as soon as the stream is to stop. For the sensor's own thread."""
        until_s = self._clock.now_s() + late_s
        while (now_s := self._clock.now_s()) < until_s and not self._stopping.is_set():
            self._clock.sleep_until(min(until_s, now_s + NAP_S * self._clock.speed))
        return not late_s or not self._stopping.is_set()

    def _stream(self, mode: SensorMode, settings: SensorSettings, sink: FrameSink) -> None:
        clock, automatics = self._clock, Automatics()
        in_flight: deque[Mapping[str, Any]] = deque([{}] * (CONTROL_DELAY_FRAMES - 1))
        closes_s = clock.now_s() + STARTUP_FRAMES * mode.frame_time_s
        sequence = 0
        while not self._stopping.is_set():
            realised = automatics.fill(settings).realised(self._model, mode)
            closes_s = max(closes_s + realised.frame_s(mode), clock.now_s() - FRAMES_BEHIND * mode.frame_time_s)
            clock.sleep_until(closes_s)
            controls = sink.take_request()
            if controls is not None:
                opened_s = closes_s - realised.exposure_us * 1e-6
                shot = replace(realised.shot(opened_s), readout_s=mode.height_px * mode.line_s)
                # Only now it is known what the last row saw.
                clock.sleep_until(closes_s + shot.readout_s)
                sink.expose(shot, realised, automatics.af_state, sequence)
                automatics.observe(realised, sink.eye)
                clock.sleep_until(closes_s + mode.frame_time_s)
                sink.deliver()
            in_flight.append(controls or {})
            arriving = in_flight.popleft()
            settings = settings.after(arriving)
            if arriving.get("AfTrigger") == TRIGGER_START:
                automatics.trigger_focus()
            sequence += 1

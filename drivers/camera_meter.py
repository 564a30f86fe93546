"""Finding exposure, white balance and focus once, on the object, before a scan.

libcamera's own algorithms do what they are good at. Its autofocus takes windows (AfWindows) and knows the sensor's
phase pixels. Its white balance knows how daylight and lamps look to each sensor and judges the whole picture, where
the mat's black and white help; on the object alone a red cup would be taken for red light. Its exposure can neither
be told a window (AeMetering modes only weigh the picture's middle; a ScalerCrop would change the photos) nor that
nothing may burn out, and a photo's lost highlights lose texture and edges for good. So from where the automatic
exposure came to rest the light is measured here, on the companion's window: the brightest channel of all but the
last few pixels is put just below the end of the scale, and what a glint burns is let burn.
"""

from collections import deque
from typing import Any

import numpy as np

from drivers.camera_highlights import exposed_for_highlights, least_noise
from drivers.camera_session import CameraSession
from drivers.protocols import CameraSettings, CameraUnusable, Window

PixelWindow = tuple[int, int, int, int]
"""Left, top, width, height."""

AF_MODE_AUTO = 1
AF_METERING_WINDOWS = 1
AF_TRIGGER_START = 0
AF_SCANNING, AF_FOCUSED, AF_FAILED = 1, 2, 3
FRAMES_TO_BEGIN = 40
"""A search that nobody has seen by then was too short to be seen."""

RESTING_FRAMES = 8
RESTING_SPREAD = 0.03
"""Largest against smallest value over the resting frames, less one: automatics tremble for ever."""
FRAMES_TO_REST = 90
"""Automatics go a fifth to a third of the way with each frame: from black to rest in 30."""
FRAMES_TO_FOCUS = 300
"""A sweep of the whole range at full resolution was seen to take 250 (picamera2#884)."""


def meter(session: CameraSession, window: Window) -> CameraSettings:
    """Leave everything to the automatics until it rests, then lock all of it, exposed for the window's highlights.

    Returns what a frame has shown to be locked. Raises CameraUnusable when light or focus do not come to rest,
    CameraTimeout.
    """
    rested = _rested(session, window)
    locked = session.lock(least_noise(rested, rested.exposure_us * rested.analogue_gain, session.limits))
    return exposed_for_highlights(session, locked, window)


def _rested(session: CameraSession, window: Window) -> CameraSettings:
    automatics: dict[str, Any] = {"AeEnable": True, "AwbEnable": True, "ExposureTime": 0, "AnalogueGain": 0}
    if session.has_focus_motor:
        automatics |= {
            "AfMode": AF_MODE_AUTO,
            "AfMetering": AF_METERING_WINDOWS,
            "AfWindows": [_on_sensor(window, _photo_on_sensor(session))],
            "AfTrigger": AF_TRIGGER_START,
        }
    session.leave_to(automatics)
    rest = _Rest(session.has_focus_motor, session.frames_under_way)
    frames_at_most = FRAMES_TO_FOCUS if session.has_focus_motor else FRAMES_TO_REST
    with session.frames(0.0) as frames:
        for _ in range(frames_at_most):
            frame = session.next(frames)
            frame.let_go()
            settings = session.shown_in(frame)
            if rest.reached(settings, frame.metadata):
                return settings
    raise CameraUnusable(f"{session.model}: {rest.complaint()} after {frames_at_most} frames; {rest.remedy()}")


class _Rest:
    """Whether the automatics have found what they were looking for."""

    def __init__(self, focus: bool, frames_under_way: int) -> None:
        self._wants_focus = focus
        self._frames_under_way = frames_under_way
        self._frames = 0
        self._searched = False
        self._focus_state: int | None = None
        self._latest: deque[tuple[float, ...]] = deque(maxlen=RESTING_FRAMES)

    def reached(self, settings: CameraSettings, metadata: dict[str, Any]) -> bool:
        self._frames += 1
        self._focus_state = metadata.get("AfState")
        # With phase pixels the search may be over before exposure has even begun to move.
        self._searched = self._searched or self._focus_state == AF_SCANNING or self._frames > FRAMES_TO_BEGIN
        if self._frames <= self._frames_under_way:
            return False
        self._latest.append((settings.exposure_us * settings.analogue_gain, *settings.colour_gains))
        if self._searched and self._focus_state == AF_FAILED:
            raise CameraUnusable(
                "camera: nothing sharp could be found; put the object nearer to the middle of the platter, or switch "
                "more light on"
            )
        return self._calm() and self._focused()

    def complaint(self) -> str:
        if self._calm():
            return f"autofocus still searches (state {self._focus_state})"
        light = [values[0] for values in self._latest]
        return f"exposure times gain still goes from {min(light):.0f} to {max(light):.0f} µs"

    def remedy(self) -> str:
        return "keep the light steady and the platter still, then try again"

    def _calm(self) -> bool:
        if len(self._latest) < RESTING_FRAMES:
            return False
        values = np.array(self._latest)
        return bool((values.max(axis=0) <= values.min(axis=0) * (1 + RESTING_SPREAD)).all())

    def _focused(self) -> bool:
        return not self._wants_focus or (self._searched and self._focus_state == AF_FOCUSED)


def _photo_on_sensor(session: CameraSession) -> PixelWindow:
    """Return which part of the sensor's array the photo shows; its proportions may be others."""
    with session.frames(0.0) as frames:
        frame = session.next(frames)
        frame.let_go()
    whole: PixelWindow = session.limits["ScalerCrop"][1]
    return tuple(frame.metadata.get("ScalerCrop", whole))


def _on_sensor(window: Window, whole: PixelWindow) -> PixelWindow:
    """Return a window on the sensor's array, of which the photo shows `whole`."""
    left, top, width, height = whole
    return (
        round(left + window.left * width),
        round(top + window.top * height),
        max(1, round(window.width * width)),
        max(1, round(window.height * height)),
    )

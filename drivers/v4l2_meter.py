"""Finding exposure, white balance and focus of a USB camera once, on the object, before a scan.

Its own automatics cannot be asked whether they rest, so the pictures are: brightness, colour and sharpness of the
companion. What the camera then says that it has chosen is locked, and exposed anew for the window's highlights.
"""

from collections import deque

import cv2
import numpy as np

from drivers.camera_highlights import exposed_for_highlights, least_noise
from drivers.picture import Planes
from drivers.protocols import CameraSettings, CameraUnusable, Window
from drivers.v4l2_session import FRAMES_TO_TAKE_EFFECT, V4l2Session

RESTING_FRAMES = 8
LEVELS_OF_REST = 2.0
"""How far brightness and colour may tremble over the resting frames, of 255."""
SHARPNESS_OF_REST = 0.15
"""As a share: noise trembles too."""
LEAST_SHARPNESS = 4.0
"""Below it is nothing but noise."""
FRAMES_TO_REST = 150
"""A lens that hunts takes 3 s at 30 frames a second, an exposure less."""


def meter(session: V4l2Session, window: Window) -> CameraSettings:
    """Leave everything to the camera until its pictures rest, then lock it, exposed for the window's highlights.

    Raises CameraUnusable when light or focus do not come to rest, CameraTimeout.
    """
    session.leave_to_camera()
    _await_rest(session)
    chosen = session.chosen()
    bounds = dict(session.limits)
    locked = session.lock(least_noise(chosen, chosen.exposure_us * chosen.analogue_gain, bounds))
    return exposed_for_highlights(session, locked, window)


def _await_rest(session: V4l2Session) -> None:
    latest: deque[tuple[float, ...]] = deque(maxlen=RESTING_FRAMES)
    with session.frames(0.0) as frames:
        for number in range(FRAMES_TO_REST):
            frame = session.next(frames)
            try:
                if number >= FRAMES_TO_TAKE_EFFECT:
                    latest.append(_looks(frame.small()))
            finally:
                frame.let_go()
            if len(latest) == RESTING_FRAMES and _rests(np.array(latest)):
                return
    raise CameraUnusable(
        f"{session.model}: its pictures still change after {FRAMES_TO_REST} frames; keep the light steady and the "
        "platter still, then try again"
    )


def _looks(small: Planes) -> tuple[float, ...]:
    """Return brightness, both colours, and how steep the picture is."""
    sharpness = float(np.abs(cv2.Laplacian(small.y, cv2.CV_32F)).mean())
    return float(small.y.mean()), float(small.u.mean()), float(small.v.mean()), sharpness


def _rests(looks: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> bool:
    lowest, highest = looks.min(axis=0), looks.max(axis=0)
    calm = bool((highest[:3] - lowest[:3] <= LEVELS_OF_REST).all())
    return calm and bool(highest[3] <= max(lowest[3] * (1 + SHARPNESS_OF_REST), LEAST_SHARPNESS))
